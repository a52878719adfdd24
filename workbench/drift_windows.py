"""Which stretches of the stream are compared, and how features went over time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np

from qe_core.config import DriftSettings
from storage.database import Session
from storage.repositories import windows
from storage.repositories.windows import Era, Span

__all__ = ["Dates", "Point", "Series", "Windows", "choose", "series"]

Dates = tuple[date, date]

_NUM_WINDOWS = 3
_MAX_POINTS = 40
_MAX_CLIPS = 20_000
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Windows:
    """The stretches that are compared.

    Args:
        baseline: what the stream was like
        current: what it is compared with, oldest first; the last is the current window
        is_rolling: they follow the stream; otherwise a person chose them
    """

    baseline: Span
    current: tuple[Span, ...]
    is_rolling: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One stretch of a chart.

    Args:
        at: when its first clip came in, UTC
        value: median of the feature, or the pooled predicted WER
        num_clips: clips in the stretch
        is_current: belongs to the current window
    """

    at: datetime
    value: float
    num_clips: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Series:
    """A feature over time; stretches in which it is never defined are left out."""

    name: str
    label: str
    unit: str
    points: tuple[Point, ...]


def choose(
    session: Session,
    era: Era,
    settings: DriftSettings,
    baseline: Dates | None,
    current: Dates | None,
) -> Windows:
    """The windows that a person chose, or those that follow the stream.

    Args:
        session: the session
        era: the clips that compare with each other
        settings: length of the windows, clips that they need
        baseline: first and last day of the baseline window, UTC; everything before the current
            window by default
        current: first and last day of the current window; everything after the baseline window by
            default
    """
    everything = Span(era.start, era.end + _MOMENT)
    if current is not None:
        new = _days(current)
        old = _days(baseline) if baseline else Span(everything.start, new.start)
        return Windows(old, (new,), is_rolling=False)
    if baseline is not None:
        old = _days(baseline)
        return Windows(old, (Span(old.end, max(old.end, everything.end)),), is_rolling=False)
    return _rolling(session, era, settings, everything) or _halves(session, era, settings)


def _days(dates: Dates) -> Span:
    first, last = (datetime.combine(day, time(), UTC) for day in dates)
    return Span(first, last + timedelta(days=1))


def _rolling(
    session: Session, era: Era, settings: DriftSettings, everything: Span
) -> Windows | None:
    length = timedelta(days=settings.window_days)
    borders = [everything.end - length * count for count in range(_NUM_WINDOWS, -1, -1)]
    start = max(era.start, borders[0] - timedelta(days=settings.baseline_days))
    old = Span(start, borders[0])
    new = [Span(*pair) for pair in pairwise(borders)]
    sizes = [int(windows.count(session, era, span)["num_clips"][0]) for span in (old, *new)]
    if min(sizes[0], sizes[-1]) < settings.min_clips:
        return None
    kept = [span for span, size in zip(new, sizes[1:], strict=True) if size >= settings.min_clips]
    return Windows(old, tuple(kept), is_rolling=True)


def _halves(session: Session, era: Era, settings: DriftSettings) -> Windows:
    """The older half, and the newer in as many windows as have enough clips."""
    newer = era.num_clips - era.num_clips // 2
    num_windows = max(1, min(_NUM_WINDOWS, newer // settings.min_clips))
    older = era.num_clips // 2
    firsts = [older + newer * index // num_windows for index in range(num_windows)]
    borders = windows.moments(session, era, firsts)
    borders.append(era.end + _MOMENT)
    new = [Span(*pair) for pair in pairwise(borders)]
    return Windows(Span(era.start, borders[0]), tuple(new), is_rolling=True)


def series(
    session: Session,
    era: Era,
    chosen: Windows,
    names: Sequence[str],
    describe: Callable[[str], tuple[str, str]],
) -> tuple[Series, ...]:
    """Features over time, from the beginning of the baseline window to the end of the current.

    Args:
        session: the session
        era: the clips that compare with each other
        chosen: the windows
        names: of :data:`storage.repositories.windows.NUMBERS`, or the predicted WER
        describe: label and unit of a name
    """
    current = chosen.current[-1]
    span = Span(min(chosen.baseline.start, current.start), max(chosen.baseline.end, current.end))
    found = windows.medians(session, era, span, _width(span), _MAX_CLIPS)
    moments = [moment.replace(tzinfo=UTC) for moment in found["at"].astype("O").tolist()]
    made = []
    for name in names:
        points = [
            Point(at, float(value), int(num_clips), at >= current.start)
            for at, value, num_clips in zip(moments, found[name], found["num_clips"], strict=True)
            if np.isfinite(value)
        ]
        made.append(Series(name, *describe(name), tuple(points)))
    return tuple(made)


def _width(span: Span) -> timedelta:
    """Whole days when there are enough of them, otherwise as many stretches as a chart holds."""
    length = span.end - span.start
    day = timedelta(days=1)
    if length < 2 * day:
        return max(length / (_MAX_POINTS // 2), _MOMENT)
    return day * max(1, -(-length // (day * _MAX_POINTS)))
