"""How good the transcripts are, and how good the predictions about them."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qe_core.estimation.evaluation import CalibrationBin, Scores, Truth, calibration_bins, evaluate
from qe_core.monitoring.stream import StreamWer, TooFewAudits, stream_wer
from qe_core.wer import ErrorCounts, align, pool
from storage.records import ModelVersion
from storage.repositories import models, statistics
from storage.repositories.statistics import EstimatedClip, JudgedClip
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["ClipPair", "Confusion", "Counts", "QualitySummary", "summary"]

_MIN_FOR_CORRELATION = 10
_MIN_FOR_BINS = 10
_NUM_CONFUSIONS = 12
# The interval of the stream's WER must not wobble from one look at the page to the next.
_SEED = 20260101


@dataclass(frozen=True, slots=True)
class ClipPair:
    """What was predicted for a clip before its review, and what turned out.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        num_words: words of the reference
        predicted_wer: predicted WER
        low: lower end of its interval
        high: upper end of its interval
        actual_wer: true WER
        policy: how the clip was drawn
    """

    clip_id: str
    file_name: str
    duration_s: float
    num_words: int
    predicted_wer: float
    low: float
    high: float
    actual_wer: float
    policy: str


@dataclass(frozen=True, slots=True)
class Confusion:
    """A word that the engine gets wrong.

    Args:
        reference: what was said; ``None`` for a word too many
        hypothesis: what the engine wrote; ``None`` for a missing word
        num_times: how often
    """

    reference: str | None
    hypothesis: str | None
    num_times: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is.

    Args:
        num_clips: assessed clips
        num_flagged: of these, flagged at the current threshold
        num_reviewed: of these, with a verdict
        num_rejected: of the reviewed, found unusable
        num_audits: of the reviewed, drawn at random whatever their estimate
        hours: audio of all assessed clips
        reviewed_hours: audio of the reviewed ones
    """

    num_clips: int
    num_flagged: int
    num_reviewed: int
    num_rejected: int
    num_audits: int
    hours: float
    reviewed_hours: float


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """Everything the quality page shows.

    Args:
        counts: how much there is
        errors: word errors of all reviewed clips; their WER is that of the clips that were looked
            at, which were chosen because errors were expected
        stream: WER of all clips, with its interval, or how many audits it still needs
        pairs: predicted against actual, oldest review first
        bins: calibration, lowest prediction first; empty for fewer than ten clips
        mae: mean absolute error of the predicted WER; ``None`` without pairs
        spearman: rank correlation; ``None`` for fewer than ten clips
        coverage: share of true WERs inside their interval; ``None`` without pairs
        confusions: the most frequent mistakes
    """

    counts: Counts
    errors: ErrorCounts
    stream: StreamWer | TooFewAudits
    pairs: tuple[ClipPair, ...]
    bins: tuple[CalibrationBin, ...]
    mae: float | None
    spearman: float | None
    coverage: float | None
    confusions: tuple[Confusion, ...]


def summary(runtime: "Runtime") -> QualitySummary:
    """Compare what was predicted with what reviewers found.

    Predictions are those that stood before the review: an estimator that has learnt from a clip
    since then would praise itself.
    """
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        estimated = statistics.list_estimated(session)
        judged = statistics.list_judged(session)
        versions = models.list_versions(session, kind="transcript")
    usable = [clip for clip in judged if clip.counts is not None]
    pairs = tuple(pair for clip in usable if (pair := _pair(clip)) is not None)
    truth, scores = _as_arrays(pairs, usable)
    metrics = evaluate(truth, scores) if pairs else None
    has_enough = len(pairs) >= _MIN_FOR_CORRELATION
    return QualitySummary(
        counts=_count(estimated, judged, threshold),
        errors=pool(clip.counts for clip in usable if clip.counts is not None),
        stream=_stream(estimated, usable, _learnt_from(versions, estimated)),
        pairs=pairs,
        bins=calibration_bins(truth, scores) if len(pairs) >= _MIN_FOR_BINS else (),
        mae=None if metrics is None else metrics.mae,
        spearman=metrics.spearman if metrics is not None and has_enough else None,
        coverage=None if metrics is None else metrics.coverage,
        confusions=_confusions(usable),
    )


def _pair(clip: JudgedClip) -> ClipPair | None:
    """``None`` when nothing was said or nothing predicted: then there is nothing to compare."""
    wer = clip.counts.wer if clip.counts is not None else None
    if clip.counts is None or wer is None:
        return None
    if clip.predicted_wer is None or clip.low is None or clip.high is None:
        return None
    return ClipPair(
        clip_id=clip.clip_id,
        file_name=clip.file_name,
        duration_s=clip.duration_s,
        num_words=clip.counts.num_reference_words,
        predicted_wer=clip.predicted_wer,
        low=clip.low,
        high=clip.high,
        actual_wer=wer,
        policy=clip.policy,
    )


def _as_arrays(pairs: tuple[ClipPair, ...], usable: list[JudgedClip]) -> tuple[Truth, Scores]:
    by_id = {clip.clip_id: clip for clip in usable}
    clips = [by_id[pair.clip_id] for pair in pairs]
    truth = Truth(
        errors=np.array([clip.counts.num_errors for clip in clips if clip.counts is not None]),
        words=np.array([pair.num_words for pair in pairs]),
        duration_s=np.array([pair.duration_s for pair in pairs]),
    )
    scores = Scores(
        wer=np.array([pair.predicted_wer for pair in pairs], np.float32),
        errors=np.array([clip.expected_errors or 0.0 for clip in clips], np.float32),
        low=np.array([pair.low for pair in pairs], np.float32),
        high=np.array([pair.high for pair in pairs], np.float32),
    )
    return truth, scores


def _count(estimated: list[EstimatedClip], judged: list[JudgedClip], threshold: float) -> Counts:
    return Counts(
        num_clips=len(estimated),
        num_flagged=sum(clip.is_flagged(threshold) for clip in estimated),
        num_reviewed=len(judged),
        num_rejected=sum(clip.verdict == "reject" for clip in judged),
        num_audits=sum(clip.policy == "audit" for clip in judged),
        hours=sum(clip.duration_s for clip in estimated) / 3600,
        reviewed_hours=sum(clip.duration_s for clip in judged) / 3600,
    )


def _stream(
    estimated: list[EstimatedClip], usable: list[JudgedClip], learnt_from: frozenset[str]
) -> StreamWer | TooFewAudits:
    """The stream's WER by current estimates, corrected by audits they were not learnt from."""
    known = {clip.clip_id: clip for clip in usable}
    nan = float("nan")
    counts = [known[clip.clip_id].counts if clip.clip_id in known else None for clip in estimated]
    is_audit = [
        clip.clip_id in known
        and known[clip.clip_id].policy == "audit"
        and known[clip.clip_id].review_id not in learnt_from
        for clip in estimated
    ]
    return stream_wer(
        predicted_errors=np.array([clip.expected_errors for clip in estimated], np.float64),
        predicted_words=np.array([clip.expected_words for clip in estimated], np.float64),
        errors=np.array([nan if c is None else c.num_errors for c in counts], np.float64),
        words=np.array([nan if c is None else c.num_reference_words for c in counts], np.float64),
        is_audit=np.array(is_audit, np.bool_),
        recordings=np.array([clip.clip_id for clip in estimated], np.str_),
        rng=np.random.default_rng(_SEED),
    )


def _learnt_from(versions: list[ModelVersion], estimated: list[EstimatedClip]) -> frozenset[str]:
    """Reviews that the estimators behind the current estimates were trained on."""
    serving = {clip.estimator for clip in estimated}
    return frozenset(
        review_id
        for version in versions
        if version.estimator in serving
        for review_id in version.report.get("review_ids", ())
    )


def _confusions(usable: list[JudgedClip]) -> tuple[Confusion, ...]:
    times: Counter[tuple[str | None, str | None]] = Counter()
    for clip in usable:
        times.update(_mistakes(clip.reference, clip.hypothesis, clip.normaliser))
    return tuple(
        Confusion(reference, hypothesis, num_times)
        for (reference, hypothesis), num_times in times.most_common(_NUM_CONFUSIONS)
    )


@lru_cache(maxsize=20_000)
def _mistakes(
    reference: str, hypothesis: str, normaliser: str
) -> tuple[tuple[str | None, str | None], ...]:
    """Wrong word pairs of one review; neither text ever changes, and aligning is slow."""
    return tuple(
        (word.reference, word.hypothesis)
        for word in align(reference, hypothesis, normaliser=normaliser)
        if word.operation != "hit"
    )
