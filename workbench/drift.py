"""Whether what comes in, or what is predicted for it, has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from qe_core.features import INFO
from qe_core.monitoring.drift import ColumnDrift, TooFewClips, Window, compare
from storage.columns import utc_now
from storage.repositories import statistics
from storage.repositories.statistics import EstimatedClip
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["INPUTS", "DriftReport", "FeatureDrift", "Period", "Point", "Series", "report"]

INPUTS = (
    "duration_s",
    "speech_share",
    "level_dbfs",
    "noise_floor_dbfs",
    "wada_snr_db",
    "bandwidth_hz",
    "clipped_share",
    "decay_s",
    "confidence_p10",
    "low_confidence_share",
    "uncovered_speech_share",
    "words_per_speech_s",
)
"""The features that are watched; more of them buy false alarms (DESIGN §5.8)."""

OUTCOME = "predicted_wer"

_RECENT = timedelta(days=7)
_MAX_POINTS = 40
# The same windows must give the same verdict at every look.
_SEED = 20260101

Dates = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Period:
    """A window of time and what it holds.

    Args:
        start: first moment, UTC; ``None`` for an empty window
        end: last moment, UTC
        num_clips: clips in it
    """

    start: datetime | None
    end: datetime | None
    num_clips: int


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One row of the drift table.

    Args:
        name: stable name of the feature
        label: for people
        unit: unit of the medians, empty for shares and counts
        drift: medians, shift, statistic, threshold, p-value, alert
    """

    name: str
    label: str
    unit: str
    drift: ColumnDrift


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket of a chart.

    Args:
        at: beginning of the bucket, UTC
        value: median of the feature, or the pooled predicted WER
        num_clips: clips in the bucket
        is_current: belongs to the current window
    """

    at: datetime
    value: float
    num_clips: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Series:
    """A feature over time; buckets in which it is never defined are left out."""

    name: str
    label: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How the current window differs from the baseline window.

    Args:
        baseline: what it is compared with
        current: what is looked at
        outcome: predicted WER, the one that matters; ``None`` when there are too few clips
        inputs: the watched features, alerts first; they explain, and alone are no reason to page
        too_few: what is missing when there are too few clips to tell
        series: predicted WER first, then the features
        num_left_out: clips of another engine version or feature schema; they compare with nothing
    """

    baseline: Period
    current: Period
    outcome: FeatureDrift | None
    inputs: tuple[FeatureDrift, ...]
    too_few: TooFewClips | None
    series: tuple[Series, ...]
    num_left_out: int


@dataclass(frozen=True, slots=True)
class _Row:
    clip: EstimatedClip
    values: tuple[float, ...]


def report(
    runtime: "Runtime", *, baseline: Dates | None = None, current: Dates | None = None
) -> DriftReport:
    """Compare two windows of the stream.

    Without dates, the last seven days are compared with everything before; while one of the two
    is too small, the newer half of the clips is compared with the older half.

    Args:
        runtime: the process's runtime
        baseline: first and last day of the baseline window, UTC, both included
        current: first and last day of the current window

    Returns:
        rows and charts; a typed "too few clips to tell" where there are too few
    """
    settings = preferences.get(runtime).drift
    rows, num_left_out = _load(runtime)
    if baseline is None and current is None:
        old, new = _split(rows, settings.min_clips)
    else:
        new = _between(rows, current) if current else _outside(rows, baseline, is_after=True)
        old = _between(rows, baseline) if baseline else _outside(rows, current, is_after=False)
    rng = np.random.default_rng(_SEED)
    # Two families of tests, so that a dozen quiet features cannot hide the one that matters.
    outcome = compare(_window(old, [OUTCOME]), _window(new, [OUTCOME]), settings, rng)
    inputs = compare(_window(old, INPUTS), _window(new, INPUTS), settings, rng)
    return DriftReport(
        baseline=_period(old),
        current=_period(new),
        outcome=None if isinstance(outcome, TooFewClips) else _labelled(outcome[0]),
        inputs=() if isinstance(inputs, TooFewClips) else _sorted(inputs),
        too_few=outcome if isinstance(outcome, TooFewClips) else None,
        series=_series(old, new),
        num_left_out=num_left_out,
    )


def _load(runtime: "Runtime") -> tuple[list[_Row], int]:
    """Clips in the order they came in, as far as they compare with the newest of them."""
    with runtime.database.session() as session:
        clips = statistics.list_estimated(session)
        features = statistics.list_features(session, INPUTS)
    if not clips:
        return [], 0
    newest = clips[-1]
    # A new engine or schema begins a new baseline (DESIGN §5.8).
    comparable = [
        clip
        for clip in clips
        if (clip.engine, clip.version, clip.feature_schema)
        == (newest.engine, newest.version, newest.feature_schema)
    ]
    rows = [_Row(clip, (clip.predicted_wer, *features[clip.clip_id])) for clip in comparable]
    return rows, len(clips) - len(comparable)


def _split(rows: list[_Row], min_clips: int) -> tuple[list[_Row], list[_Row]]:
    border = utc_now() - _RECENT
    old = [row for row in rows if row.clip.created_at < border]
    new = rows[len(old) :]
    if min(len(old), len(new)) >= min_clips:
        return old, new
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]


def _between(rows: list[_Row], dates: Dates) -> list[_Row]:
    first, last = (datetime.combine(day, time(), UTC) for day in dates)
    return [row for row in rows if first <= row.clip.created_at < last + timedelta(days=1)]


def _outside(rows: list[_Row], dates: Dates | None, *, is_after: bool) -> list[_Row]:
    """Everything after, or before, the window that was chosen."""
    if dates is None:
        return rows
    inside = {row.clip.clip_id for row in _between(rows, dates)}
    border = datetime.combine(dates[0], time(), UTC)
    return [
        row
        for row in rows
        if row.clip.clip_id not in inside and (row.clip.created_at >= border) == is_after
    ]


def _window(rows: list[_Row], names: Sequence[str]) -> Window:
    order = (OUTCOME, *INPUTS)
    values = np.array([row.values for row in rows], np.float64).reshape(len(rows), len(order))
    return Window(
        {name: values[:, order.index(name)] for name in names},
        np.array([row.clip.clip_id for row in rows], np.str_),
    )


def _period(rows: list[_Row]) -> Period:
    if not rows:
        return Period(None, None, 0)
    return Period(rows[0].clip.created_at, rows[-1].clip.created_at, len(rows))


def _labelled(drift: ColumnDrift) -> FeatureDrift:
    label, unit = _names(drift.name)
    return FeatureDrift(drift.name, label, unit, drift)


def _names(name: str) -> tuple[str, str]:
    return ("predicted WER", "") if name == OUTCOME else (INFO[name].label, INFO[name].unit)


def _sorted(inputs: tuple[ColumnDrift, ...]) -> tuple[FeatureDrift, ...]:
    def rank(row: ColumnDrift) -> tuple[bool, float]:
        return (not row.is_alert, 1.0 if row.p_value is None else row.p_value)

    return tuple(_labelled(row) for row in sorted(inputs, key=rank))


def _series(old: list[_Row], new: list[_Row]) -> tuple[Series, ...]:
    buckets = [(bucket, False) for bucket in _buckets(old)]
    buckets += [(bucket, True) for bucket in _buckets(new)]
    series = []
    for column, name in enumerate((OUTCOME, *INPUTS)):
        label, unit = _names(name)
        points = []
        for bucket, is_current in buckets:
            value = _pooled(bucket) if name == OUTCOME else _median(bucket, column)
            if value is not None:
                at = bucket[0].clip.created_at
                points.append(Point(at, value, len(bucket), is_current))
        series.append(Series(name, label, unit, tuple(points)))
    return tuple(series)


def _buckets(rows: list[_Row]) -> list[list[_Row]]:
    """Days; while everything came in on one day, runs of as many clips."""
    days = [list(day) for _, day in groupby(rows, key=lambda row: row.clip.created_at.date())]
    most = _MAX_POINTS // 2
    if 1 < len(days) <= most:
        return days
    size = max(1, -(-len(rows) // most))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _pooled(bucket: list[_Row]) -> float | None:
    words = sum(row.clip.expected_words for row in bucket)
    return sum(row.clip.expected_errors for row in bucket) / words if words > 0 else None


def _median(bucket: list[_Row], column: int) -> float | None:
    values = np.array([row.values[column] for row in bucket])
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else None
