"""What the corrections teach: examples for training, and which of them only judge."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qe_core.asr.base import Engine
from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.estimation.duel import judges
from qe_core.features import DEPTHS, Depth
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

__all__ = ["LeftOut", "Lessons", "Survey", "gather", "survey", "teach"]

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


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to learn from, without the examples.

    Args:
        ids: of the usable reviews, oldest first
        is_held_out: of each, whether it must not teach
        is_audit: of each, whether its clip was drawn at random; an audit that is held out judges
        left_out: what cannot be used
    """

    ids: tuple[str, ...]
    is_held_out: tuple[bool, ...]
    is_audit: tuple[bool, ...]
    left_out: LeftOut

    @property
    def teaching(self) -> list[str]:
        """Ids of the reviews that teach."""
        pairs = zip(self.ids, self.is_held_out, strict=True)
        return [review_id for review_id, is_held_out in pairs if not is_held_out]

    @property
    def num_judging(self) -> int:
        """How many audits judge and never teach."""
        pairs = zip(self.is_held_out, self.is_audit, strict=True)
        return sum(is_held_out and is_audit for is_held_out, is_audit in pairs)


def gather(
    runtime: "Runtime",
    engine: Engine,
    *,
    depth: Depth | None = None,
    without: Collection[str] = (),
    limit: int | None = None,
) -> Lessons:
    """Turn the reviews of an engine's transcripts into training examples.

    Some of the audits judge estimators and never teach them. Which ones is decided by the name of
    their recording alone, so that a clip that judged one challenger has taught none before.

    Args:
        runtime: the process's runtime
        engine: whose transcripts count; an estimate belongs to one version of one engine
        depth: features that are needed; those that the next estimator looks at by default
        without: ids of reviews that are not to teach again
        limit: at most this many, the oldest
    """
    settings = preferences.get(runtime).retrain
    usable, left_out = _sort_out(runtime, engine, depth)
    usable = [item for item in usable if item.review.id not in without][:limit]
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
            is_uniform_draw=_is_audit(correction),
            origin="review",
            id=correction.review.id,
            second=_transcript_of(seconds.get(correction.review.clip_id)),
        )
        for correction, weight in zip(usable, weights, strict=True)
    )
    is_held_out = _held_out(usable, settings.test_share)
    assessment_ids = tuple(correction.assessment.id for correction in usable)
    second_ids = {clip_id: second.id for clip_id, second in seconds.items()}
    reviewers = tuple(correction.review.reviewer for correction in usable)
    return Lessons(examples, assessment_ids, second_ids, is_held_out, reviewers, left_out)


def _is_audit(correction: Correction) -> bool:
    return correction.review.policy == _AUDIT


def _held_out(usable: Sequence[Correction], share: float) -> tuple[bool, ...]:
    """Of each, whether an audit of its recording judges."""
    judging = {
        item.recording for item in usable if _is_audit(item) and judges(item.recording, share)
    }
    return tuple(item.recording in judging for item in usable)


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


def survey(runtime: "Runtime", engine: Engine, depth: Depth | None = None) -> Survey:
    """Which reviews can be used and what is left out, without reading any transcript.

    Args:
        runtime: the process's runtime
        engine: whose transcripts count
        depth: as for :func:`gather`
    """
    usable, left_out = _sort_out(runtime, engine, depth)
    return Survey(
        ids=tuple(correction.review.id for correction in usable),
        is_held_out=_held_out(usable, preferences.get(runtime).retrain.test_share),
        is_audit=tuple(_is_audit(correction) for correction in usable),
        left_out=left_out,
    )


def _sort_out(
    runtime: "Runtime", engine: Engine, depth: Depth | None
) -> tuple[list[Correction], LeftOut]:
    with runtime.database.session() as session:
        found = corrections.list_corrections(session)
    schema = schema_of(DEPTHS[depth or runtime.training_depth((engine.name, engine.model))])
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
