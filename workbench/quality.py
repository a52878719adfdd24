"""How good the transcripts are, and how good the predictions about them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qe_core.monitoring.stream import (
    CLUSTER_COLUMNS,
    StreamWer,
    TooFewAudits,
    stream_wer_of_clusters,
)
from qe_core.wer import ErrorCounts
from storage.database import Session
from storage.repositories import models, statistics
from workbench import preferences
from workbench.comparison import Comparison, comparison
from workbench.remembered import remembered

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "Confusion",
    "Counts",
    "QualitySummary",
    "StreamPoint",
    "clips_with",
    "confusions",
    "count",
    "history",
    "stream",
    "summary",
]

_NUM_CONFUSIONS = 12
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("day", 21), ("week", 200), ("month", 1_000_000))


@dataclass(frozen=True, slots=True)
class Confusion:
    """A word that the engine gets wrong.

    Args:
        reference: what was said; ``None`` for a word too many
        hypothesis: what the engine wrote; ``None`` for a missing word
        num_times: how often
        num_clips: in how many clips
    """

    reference: str | None
    hypothesis: str | None
    num_times: int
    num_clips: int = 1


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
class StreamPoint:
    """The stream's WER in one stretch of time.

    Args:
        start: beginning of the stretch, UTC
        unit: ``day``, ``week`` or ``month``
        wer: with its interval, or how many audits it still needs
        naive_wer: pooled over the clips that happened to be reviewed, mostly the worst; ``None``
            when none was
        num_reviewed: of these clips
        num_clips: that came in
    """

    start: datetime
    unit: str
    wer: StreamWer | TooFewAudits
    naive_wer: float | None
    num_reviewed: int
    num_clips: int


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """The figures of the quality page.

    Args:
        counts: how much there is
        errors: word errors of all reviewed clips; their WER is that of the clips that were looked
            at, which were chosen because errors were expected
        stream: WER of all clips, with its interval, or how many audits it still needs
        comparison: what was predicted against what reviewers found
        confusions: the most frequent mistakes
    """

    counts: Counts
    errors: ErrorCounts
    stream: StreamWer | TooFewAudits
    comparison: Comparison
    confusions: tuple[Confusion, ...]


def summary(runtime: "Runtime") -> QualitySummary:
    """Compare what was predicted with what reviewers found.

    Predictions are those that stood before the review: an estimator that has learnt from a clip
    since then would praise itself.
    """
    counts, errors = count(runtime)
    judged = comparison(runtime)
    return QualitySummary(
        counts=counts,
        errors=errors,
        stream=stream(runtime),
        comparison=judged,
        confusions=confusions(runtime),
    )


def count(runtime: "Runtime") -> tuple[Counts, ErrorCounts]:
    """How much there is, and the word errors of all reviewed clips."""
    threshold = preferences.get(runtime).review.threshold
    return remembered(runtime, ("count", threshold), lambda: _count(runtime, threshold))


def _count(runtime: "Runtime", threshold: float) -> tuple[Counts, ErrorCounts]:
    with runtime.database.session() as session:
        found = statistics.count_clips(session, threshold)
    one = {name: values[0].item() for name, values in found.items()}
    counts = Counts(
        num_clips=one["num_clips"],
        num_flagged=one["num_flagged"],
        num_reviewed=one["num_reviewed"],
        num_rejected=one["num_rejected"],
        num_audits=one["num_audits"],
        hours=one["duration_s"] / 3600,
        reviewed_hours=one["reviewed_s"] / 3600,
    )
    names = ("hits", "substitutions", "deletions", "insertions")
    return counts, ErrorCounts(*(int(one[name]) for name in names))


def stream(runtime: "Runtime") -> StreamWer | TooFewAudits:
    """The WER of all clips by current estimates, corrected by audits they were not learnt from."""
    return remembered(runtime, "stream", lambda: _stream(runtime))


def _stream(runtime: "Runtime") -> StreamWer | TooFewAudits:
    with runtime.database.session() as session:
        found = statistics.stream_clusters(session, _learnt_from(session))
    return stream_wer_of_clusters(_clusters(found, slice(None)))


def history(runtime: "Runtime") -> tuple[StreamPoint, ...]:
    """The stream's WER over time: by month, week or day, whatever gives about a dozen points.

    Returns:
        oldest first; empty while nothing has come in
    """
    return remembered(runtime, "history", lambda: _history(runtime))


def _history(runtime: "Runtime") -> tuple[StreamPoint, ...]:
    with runtime.database.session() as session:
        newest = statistics.newest_clip_at(session)
        if newest is None:
            return ()
        num_days = (newest - statistics.first_clip_at(session, _EVER)).days
        unit = next(unit for unit, most in _UNITS if num_days <= most)
        found = statistics.stream_clusters(session, _learnt_from(session), bucket=unit)
    points = []
    for begin in np.unique(found["bucket"]):
        rows = found["bucket"] == begin
        words = float(found["reviewed_words"][rows].sum())
        points.append(
            StreamPoint(
                start=begin.astype("datetime64[us]").item().replace(tzinfo=UTC),
                unit=unit,
                wer=stream_wer_of_clusters(_clusters(found, rows)),
                naive_wer=float(found["reviewed_errors"][rows].sum()) / words if words else None,
                num_reviewed=int(found["num_reviewed"][rows].sum()),
                num_clips=int(found["num_clips"][rows].sum()),
            )
        )
    return tuple(points)


def confusions(runtime: "Runtime", limit: int = _NUM_CONFUSIONS) -> tuple[Confusion, ...]:
    """The most frequent mistakes in reviewed clips."""
    with runtime.database.session() as session:
        found = statistics.confusions(session, limit)
    return tuple(
        Confusion(reference, hypothesis, int(num_times), int(num_clips))
        for reference, hypothesis, num_times, num_clips in zip(*found.values(), strict=True)
    )


def clips_with(runtime: "Runtime", mistake: Confusion, limit: int = 20) -> dict[str, str]:
    """File names by clip id of clips in which a mistake was made, most of it first."""
    with runtime.database.session() as session:
        found = statistics.clips_with_mistake(session, mistake.reference, mistake.hypothesis, limit)
    return dict(zip(found["clip_id"], found["file_name"], strict=True))


def _clusters(found: statistics.Columns, rows: Any) -> npt.NDArray[np.float64]:
    return np.stack([found[name][rows] for name in CLUSTER_COLUMNS], axis=1).astype(np.float64)


def _learnt_from(session: Session) -> list[str]:
    """Reviews that the estimators behind the current estimates were trained on."""
    serving = statistics.serving_estimators(session)
    return sorted(
        {
            review_id
            for version in models.list_versions(session, kind="transcript")
            if version.estimator in serving
            for review_id in version.report.get("review_ids", ())
        }
    )
