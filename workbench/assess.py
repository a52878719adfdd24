"""Assessing a stored clip: decode, transcribe, estimate, store."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qe_core.asr.base import Progress
from qe_core.asr.second import ask_second
from qe_core.audio import decode
from qe_core.config import Settings
from qe_core.errors import NotFoundError
from qe_core.features import DEPTHS
from qe_core.features.base import FeatureContext, covers, extract, schema_of
from qe_core.pipeline import assess, judge
from qe_core.types import Assessment, Audio, Transcript
from storage.database import Session
from storage.records import Clip, Hypothesis, Job, StoredAssessment
from storage.repositories import assessments, clips, hypotheses
from workbench import metrics, preferences
from workbench.shadow import score_along
from workbench.worker import register_handler

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["ASSESS", "assess_clip", "reassess", "run_job"]

_log = logging.getLogger(__name__)

ASSESS = "assess"
"""Kind of the jobs that assess one clip."""

_DECODING_SHARE = 0.05


def assess_clip(
    runtime: "Runtime", clip_id: str, on_progress: Progress | None = None
) -> StoredAssessment:
    """Transcribe a clip and estimate the transcript's errors.

    What this engine, model and version wrote for the clip before is not written again: then only
    the estimate is new.

    Args:
        runtime: the runtime
        clip_id: the clip
        on_progress: told the share done and the stage: ``decoding``, ``transcribing`` (where the
            recogniser has to be loaded first, what is being loaded), ``estimating``

    Returns:
        the stored assessment

    Raises:
        NotFoundError: there is no such clip, or its file is missing
        AudioError: its file is damaged
        EngineError: the recogniser failed
        EstimatorError: no estimator can be loaded
    """
    tell = on_progress or (lambda _share, _text: None)
    settings = preferences.get(runtime)
    clip, audio = _decode(runtime, clip_id, tell)
    tell(_DECODING_SHARE, "transcribing")
    engine = runtime.engine(lambda _share, text: tell(_DECODING_SHARE, text)).engine
    with runtime.database.session() as session:
        written = hypotheses.find_latest(
            session, clip_id, engine=engine.name, model=engine.model, version=engine.version
        )
    if written is not None:
        tell(0.9, "estimating")
        look = _look_again(runtime, audio, written)
        stored = _estimate_again(runtime, clip, written, look)
        score_along(runtime, stored, written.transcript, written.speech, look.features, look.second)
        _count(stored, settings)
        return stored
    owner = (engine.name, engine.model)
    depth = runtime.depth(owner)
    made = assess(
        audio,
        engine,
        runtime.estimator(owner),
        settings=settings,
        depth=depth,
        second=runtime.second_engine() if depth == "thorough" else None,
        on_progress=lambda share, text: tell(
            _DECODING_SHARE + share * (1.0 - _DECODING_SHARE), text
        ),
    )
    stored = _store(runtime, clip, made, written)
    score_along(runtime, stored, made.transcript, made.speech, made.features, made.second)
    _count(stored, settings)
    _log.info("Assessed: predicted WER %.2f by %s.", stored.predicted_wer, stored.estimator)
    return stored


def reassess(runtime: "Runtime", clip_id: str) -> StoredAssessment:
    """Estimate the latest transcript of a clip again, with the estimator that serves now.

    Args:
        runtime: the runtime
        clip_id: the clip

    Returns:
        the stored assessment

    Raises:
        NotFoundError: there is no such clip or it has no transcript yet
        AudioError: its file is damaged
        EstimatorError: no estimator can be loaded
    """
    with runtime.database.session() as session:
        written = hypotheses.find_latest(session, clip_id)
    if written is None:
        raise NotFoundError(
            f"Clip {clip_id[:12]} has no transcript yet.",
            suggestion="Wait until it is transcribed, or assess it again.",
        )
    with runtime.database.session() as session:
        clip = clips.get(session, clip_id)
        former = assessments.find_latest(session, clip_id)
        second = hypotheses.find_latest(session, clip_id, is_second=True)
    schema = schema_of(DEPTHS[runtime.depth((written.engine, written.model))])
    if (
        former is not None
        and former.hypothesis_id == written.id
        and covers(former.feature_schema, schema)
    ):
        opinion = None if second is None else second.transcript
        known = _Look(former.features, former.feature_schema, opinion)
        return _estimate_again(runtime, clip, written, known)
    _, audio = _decode(runtime, clip_id, lambda _share, _text: None)
    return _estimate_again(runtime, clip, written, _look_again(runtime, audio, written))


def run_job(runtime: "Runtime", job: Job, on_progress: Progress) -> None:
    """What the worker does for a job of kind :data:`ASSESS`."""
    assess_clip(runtime, job.clip_id or "", on_progress)


def _decode(runtime: "Runtime", clip_id: str, tell: Progress) -> tuple[Clip, Audio]:
    with runtime.database.session() as session:
        clip = clips.get(session, clip_id)
    tell(0.0, "decoding")
    audio = decode(
        runtime.media.path(clip_id),
        name=clip.file_name,
        limits=runtime.settings.audio,
        on_progress=lambda share, _text: tell(share * _DECODING_SHARE, "decoding"),
    )
    return clip, audio


def _count(stored: StoredAssessment, settings: Settings) -> None:
    is_flagged = stored.is_flagged(settings.review.threshold)
    metrics.count_estimate(stored.predicted_wer, "transcript", is_flagged=is_flagged)


@dataclass(frozen=True, slots=True)
class _Look:
    """Features of a transcript that was written before, and the second opinion they look at."""

    features: Mapping[str, float]
    schema: str
    second: Transcript | None


def _look_again(runtime: "Runtime", audio: Audio, written: Hypothesis) -> _Look:
    depth = runtime.depth((written.engine, written.model))
    first, second = written.transcript, None
    if depth == "thorough":
        asked = runtime.second_engine()
        with runtime.database.session() as session:
            known = hypotheses.find_latest(
                session, written.clip_id, version=asked.version, is_second=True
            )
        second = known.transcript if known else ask_second(asked, audio, written.speech, first)
    features = extract(DEPTHS[depth], FeatureContext(audio, written.speech, first, second))
    return _Look(features, schema_of(DEPTHS[depth]), second)


def _estimate_again(
    runtime: "Runtime", clip: Clip, written: Hypothesis, look: _Look
) -> StoredAssessment:
    estimate, must_review = judge(
        look.features,
        written.transcript,
        written.speech,
        duration_s=clip.duration_s,
        estimator=runtime.estimator((written.engine, written.model)),
        settings=preferences.get(runtime),
        second=look.second,
    )
    made = Assessment(
        transcript=written.transcript,
        speech=written.speech,
        features=look.features,
        estimate=estimate,
        must_review=must_review,
        timings_s={},
        feature_schema=look.schema,
        second=look.second,
    )
    return _store(runtime, clip, made, written)


def _store(
    runtime: "Runtime", clip: Clip, made: Assessment, written: Hypothesis | None
) -> StoredAssessment:
    """Hypothesis and assessment in one transaction: there is never the one without the other."""

    def work(session: Session) -> StoredAssessment:
        hypothesis = written or hypotheses.add(session, clip.id, made.transcript, made.speech)
        _keep_second(session, clip.id, made)
        return assessments.add(
            session,
            hypothesis,
            estimate=made.estimate,
            features=made.features,
            feature_schema=made.feature_schema,
            must_review=made.must_review,
            duration_s=clip.duration_s,
            timings_s=made.timings_s,
        )

    return runtime.database.write(work)


def _keep_second(session: Session, clip_id: str, made: Assessment) -> None:
    """A hypothesis of its own, once; the desk shows where it differs."""
    if made.second is None:
        return
    known = hypotheses.find_latest(session, clip_id, version=made.second.version, is_second=True)
    if known is None:
        hypotheses.add(session, clip_id, made.second, made.speech, is_second=True)


register_handler(ASSESS, run_job)
