"""What the corrections teach: examples for training, and which of them only judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qe_core.asr.base import Engine
from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.estimation.duel import judges
from qe_core.features import DEPTHS
from qe_core.features.base import covers, schema_of
from qe_core.features.second import SecondOpinionFeatures
from qe_core.monitoring.sampling import importance_weights
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import Transcript
from storage.records import Hypothesis
from storage.repositories import corrections, hypotheses
from storage.repositories.corrections import Correction
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["LeftOut", "Lessons", "gather", "survey", "teach"]

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
        assessment_ids: of each, the assessment that its features are from
        second_ids: of the second opinions that an estimate looked at, by clip
        is_held_out: of each, whether it judges and must not teach
        reviewers: of each, who corrected it
        left_out: what could not be used
    """

    examples: tuple[TrainingExample, ...]
    assessment_ids: tuple[str, ...]
    second_ids: Mapping[str, str]
    is_held_out: tuple[bool, ...]
    reviewers: tuple[str, ...]
    left_out: LeftOut

    def ids(self, *, is_held_out: bool) -> list[str]:
        """Ids of the reviews that judge, or of those that teach."""
        pairs = zip(self.examples, self.is_held_out, strict=True)
        return [example.id for example, held_out in pairs if held_out == is_held_out]


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
    seconds = _second_opinions(runtime, usable)
    return teach(usable, seconds, settings, left_out)


def teach(
    usable: Sequence[Correction],
    seconds: Mapping[str, Hypothesis],
    settings: RetrainSettings,
    left_out: LeftOut,
) -> Lessons:
    """Make examples of reviews: the same ones always make the same examples.

    Args:
        usable: oldest first
        seconds: second opinions by clip, where an estimate looked at one
        settings: weights, and the share that judges
        left_out: what could not be used
    """
    weights = importance_weights([item.review.propensity for item in usable], settings)
    examples = tuple(
        TrainingExample(
            features=correction.assessment.features,
            reference=correction.review.text,
            transcript=correction.transcript,
            duration_s=correction.duration_s,
            group=correction.recording,
            source=correction.source,
            condition="",
            weight=float(weight),
            is_uniform_draw=correction.review.policy == _AUDIT,
            origin="review",
            id=correction.review.id,
            second=_transcript_of(seconds.get(correction.review.clip_id)),
        )
        for correction, weight in zip(usable, weights, strict=True)
    )
    judging = {
        example.group
        for example in examples
        if example.is_uniform_draw and judges(example.group, settings.test_share)
    }
    is_held_out = tuple(example.group in judging for example in examples)
    assessment_ids = tuple(correction.assessment.id for correction in usable)
    second_ids = {clip_id: second.id for clip_id, second in seconds.items()}
    reviewers = tuple(correction.review.reviewer for correction in usable)
    return Lessons(examples, assessment_ids, second_ids, is_held_out, reviewers, left_out)


def _transcript_of(second: Hypothesis | None) -> Transcript | None:
    return None if second is None else second.transcript


def _second_opinions(runtime: "Runtime", usable: Sequence[Correction]) -> Mapping[str, Hypothesis]:
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
    return {clip_id: second for clip_id, second in found.items() if second is not None}


def survey(runtime: "Runtime", engine: Engine) -> tuple[tuple[str, ...], LeftOut]:
    """Ids of the usable reviews and what is left out, without reading any transcript."""
    usable, left_out = _sort_out(runtime, engine)
    return tuple(correction.review.id for correction in usable), left_out


def _sort_out(runtime: "Runtime", engine: Engine) -> tuple[list[Correction], LeftOut]:
    with runtime.database.session() as session:
        found = corrections.list_corrections(session)
    schema = schema_of(DEPTHS[runtime.training_depth((engine.name, engine.model))])
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
