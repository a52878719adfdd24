"""What the corrections teach: examples for training, and which of them only judge."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qe_core.asr.base import Engine
from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.features import DEPTHS
from qe_core.features.base import covers, schema_of
from qe_core.features.second import SecondOpinionFeatures
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import Transcript
from storage.repositories import corrections, hypotheses
from storage.repositories.corrections import Correction
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["LeftOut", "Lessons", "gather", "survey"]

_AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Reviewed clips that teach nothing now, by reason; each is counted once.

    Args:
        num_rejected: found unusable
        num_empty: nothing is said in them, so they have no WER
        num_other_engine: the transcript is by another engine, model or version
        num_other_normaliser: judged under another normaliser
        num_other_features: their features are of another schema; assess them again
    """

    num_rejected: int = 0
    num_empty: int = 0
    num_other_engine: int = 0
    num_other_normaliser: int = 0
    num_other_features: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return (
            self.num_rejected
            + self.num_empty
            + self.num_other_engine
            + self.num_other_normaliser
            + self.num_other_features
        )


@dataclass(frozen=True, slots=True)
class Lessons:
    """Examples from corrections.

    Args:
        examples: one per usable review, oldest first; ``id`` is that of the review
        is_held_out: of each, whether it judges and must not teach
        left_out: what could not be used
    """

    examples: tuple[TrainingExample, ...]
    is_held_out: tuple[bool, ...]
    left_out: LeftOut


def gather(runtime: "Runtime", engine: Engine) -> Lessons:
    """Turn the reviews of an engine's transcripts into training examples.

    Some of the audits judge estimators and never teach them. Which ones is decided by the name of
    their recording alone, so that a clip that judged one challenger has taught none before.

    Args:
        runtime: the process's runtime
        engine: whose transcripts count; an estimate belongs to one version of one engine
    """
    settings = preferences.get(runtime).retrain
    usable, left_out = _sort_out(runtime, engine)
    weights = _weights(usable, settings)
    seconds = _second_opinions(runtime, usable)
    examples = tuple(
        TrainingExample(
            features=correction.assessment.features,
            reference=correction.review.text,
            transcript=correction.transcript,
            duration_s=correction.duration_s,
            group=correction.recording,
            source=correction.source,
            condition="",
            weight=weight,
            is_uniform_draw=correction.review.policy == _AUDIT,
            origin="review",
            id=correction.review.id,
            second=seconds.get(correction.review.clip_id),
        )
        for correction, weight in zip(usable, weights, strict=True)
    )
    judging = {
        example.group
        for example in examples
        if example.is_uniform_draw and _share_of(example.group) < settings.test_share
    }
    is_held_out = tuple(example.group in judging for example in examples)
    return Lessons(examples, is_held_out, left_out)


def _second_opinions(runtime: "Runtime", usable: Sequence[Correction]) -> Mapping[str, Transcript]:
    """By clip, where an estimate looked at one."""
    clip_ids = [
        correction.review.clip_id
        for correction in usable
        if covers(correction.assessment.feature_schema, schema_of([SecondOpinionFeatures()]))
    ]
    with runtime.database.session() as session:
        found = {
            clip_id: hypotheses.find_latest(session, clip_id, is_second=True)
            for clip_id in clip_ids
        }
    return {clip_id: second.transcript for clip_id, second in found.items() if second is not None}


def survey(runtime: "Runtime", engine: Engine) -> tuple[tuple[str, ...], LeftOut]:
    """Ids of the usable reviews and what is left out, without reading any transcript."""
    usable, left_out = _sort_out(runtime, engine)
    return tuple(correction.review.id for correction in usable), left_out


def _sort_out(runtime: "Runtime", engine: Engine) -> tuple[list[Correction], LeftOut]:
    with runtime.database.session() as session:
        found = corrections.list_corrections(session)
    schema = schema_of(DEPTHS[runtime.depth((engine.name, engine.model))])
    reasons = [_reason_against(correction, engine, schema) for correction in found]
    usable = [item for item, reason in zip(found, reasons, strict=True) if reason is None]
    counts = {name: reasons.count(name) for name in LeftOut.__dataclass_fields__}
    return usable, LeftOut(**counts)


def _reason_against(correction: Correction, engine: Engine, schema: str) -> str | None:
    """Name of the count in :class:`LeftOut`, or ``None`` for a review that can be used."""
    review, hypothesis = correction.review, correction.hypothesis
    if review.counts is None:
        return "num_rejected"
    if review.actual_wer is None:
        return "num_empty"
    if (hypothesis.engine, hypothesis.model, hypothesis.version) != (
        engine.name,
        engine.model,
        engine.version,
    ):
        return "num_other_engine"
    if review.normaliser != DEFAULT_NORMALISER:
        return "num_other_normaliser"
    if not covers(correction.assessment.feature_schema, schema):
        return "num_other_features"
    return None


def _weights(usable: Sequence[Correction], settings: RetrainSettings) -> list[float]:
    """Clipped inverse propensities, scaled so that a review weighs ``review_weight`` on average.

    A clip that somebody chose has no propensity; it weighs as much as one that was sure to come.
    """
    inverse = np.array(
        [
            min(1.0 / (correction.review.propensity or 1.0), settings.max_propensity_weight)
            for correction in usable
        ]
    )
    if not len(inverse):
        return []
    return [float(weight) for weight in settings.review_weight * inverse / inverse.mean()]


def _share_of(group: str) -> float:
    """A number in [0, 1) that belongs to a group for ever."""
    digest = hashlib.sha256(f"held-out:{group}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
