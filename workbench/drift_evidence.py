"""What stands behind a move: since when, in which source, and clips in which it can be heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from qe_core.monitoring.domain import change_point
from qe_core.monitoring.drift import Window
from storage.database import Session
from storage.repositories import windows
from storage.repositories.statistics import Columns
from storage.repositories.windows import Era, Span

__all__ = [
    "COVERAGE",
    "OUTCOME",
    "RESIDUAL",
    "Evidence",
    "Example",
    "Stretch",
    "explain",
    "load",
]

OUTCOME = "predicted_wer"
RESIDUAL = "audit_residual"
COVERAGE = "interval_coverage"

_NUM_EXAMPLES = 3
_MIN_PER_SOURCE = 10
# The very last clip is often an accident rather than an example.
_MOST_TYPICAL = 0.9

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A clip in which a move can be heard.

    Args:
        clip_id: the clip
        file_name: its name
        value: of what moved
    """

    clip_id: str
    file_name: str
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind a move.

    Args:
        since: when it probably began, UTC
        source: the source that moved most; ``None`` when no source has enough clips in both windows
        source_before: of that source in the baseline window
        source_now: of that source in the current window
        clips: from different recordings of the current window
    """

    since: datetime | None
    source: str | None
    source_before: float | None
    source_now: float | None
    clips: tuple[Example, ...]

    def named(self, names: Mapping[str, str]) -> "Evidence":
        """The same with file names by clip id."""
        return replace(
            self,
            clips=tuple(
                replace(clip, file_name=names.get(clip.clip_id, clip.clip_id[:12]))
                for clip in self.clips
            ),
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """The clips that stand for a span, and all its audits, in order of time.

    Args:
        clips: columns of :func:`storage.repositories.windows.sample`
        judged: columns of :func:`storage.repositories.windows.audits`
        num_clips: clips of the whole span
        start: when the first of them came in, UTC; ``None`` for an empty span
        end: when the last came in
    """

    clips: Columns
    judged: Columns
    num_clips: int
    start: datetime | None
    end: datetime | None

    def window(self, names: Sequence[str]) -> Window:
        """Some columns of its clips."""
        return Window({name: self.clips[name] for name in names}, _texts(self.clips))

    def audits(self, names: Sequence[str]) -> Window:
        """Some columns of its audits."""
        return Window({name: self.judged[name] for name in names}, _texts(self.judged))

    def of(self, name: str) -> Columns:
        """The columns in which a name is to be found."""
        return self.judged if name in (RESIDUAL, COVERAGE) else self.clips

    def center(self, name: str) -> float | None:
        """Mean of an outcome, weighted where it is a rate of words; median of a feature."""
        return _center(name, self.of(name), slice(None))


def load(session: Session, era: Era, span: Span, judged: Columns, max_clips: int) -> Stretch:
    """Read a span.

    Args:
        session: the session
        era: whose clips
        span: from when until when
        judged: all audits of the era
        max_clips: about so many clips stand for it
    """
    size = windows.count(session, era, span)
    at = judged["created_at"]
    start, end = (np.datetime64(moment.replace(tzinfo=None)) for moment in (span.start, span.end))
    inside = (at >= start) & (at < end)
    audits = {name: values[inside] for name, values in judged.items()}
    wer = audits["errors"] / audits["words"]
    audits[RESIDUAL] = wer - audits["predicted_wer"]
    audits[COVERAGE] = ((audits["low"] <= wer) & (wer <= audits["high"])).astype(np.float64)
    num_clips = int(size["num_clips"][0])
    return Stretch(
        windows.sample(session, era, span, max_clips),
        audits,
        num_clips,
        _moment(size["start"][0]) if num_clips else None,
        _moment(size["stop"][0]) if num_clips else None,
    )


def explain(name: str, old: Stretch, new: Sequence[Stretch]) -> Evidence:
    """Look for what stands behind a move.

    Args:
        name: what moved
        old: the baseline window
        new: the windows that were compared with it, the current one last
    """
    before, now = old.of(name), new[-1].of(name)
    source, source_before, source_now = _worst_source(name, before, now)
    return Evidence(
        since=_since(name, [before, *(stretch.of(name) for stretch in new)]),
        source=source,
        source_before=source_before,
        source_now=source_now,
        clips=_examples(name, before, now),
    )


def _since(name: str, stretches: Sequence[Columns]) -> datetime | None:
    """The windows are sampled alike, for else a long baseline would hide a short change."""
    values = np.concatenate([columns[name] for columns in stretches])
    moments = np.concatenate([columns["created_at"] for columns in stretches])
    order = np.argsort(moments, kind="stable")
    index = change_point(values[order])
    return None if index is None else _moment(moments[order][index])


def _worst_source(
    name: str, before: Columns, now: Columns
) -> tuple[str | None, float | None, float | None]:
    """The source whose move, times its share of the current window, is largest."""
    best: tuple[float, str | None, float | None, float | None] = (0.0, None, None, None)
    for source in sorted(set(now["source"])):
        rows = [columns["source"] == source for columns in (before, now)]
        if min(int(chosen.sum()) for chosen in rows) < _MIN_PER_SOURCE:
            continue
        old, new = _center(name, before, rows[0]), _center(name, now, rows[1])
        if old is not None and new is not None:
            best = max(best, (abs(new - old) * int(rows[1].sum()), source, old, new), key=_first)
    return best[1], best[2], best[3]


def _first(entry: tuple[float, str | None, float | None, float | None]) -> float:
    return entry[0]


def _examples(name: str, before: Columns, now: Columns) -> tuple[Example, ...]:
    """Clips that have moved as most of the moved ones have, one per recording."""
    values = now[name]
    center = float(np.nanmedian(before[name])) if np.isfinite(before[name]).any() else 0.0
    upwards = float(np.nanmean(values) - np.nanmean(before[name])) >= 0
    moved = (values - center) * (1.0 if upwards else -1.0)
    target = float(np.nanquantile(moved, _MOST_TYPICAL))
    found: dict[str, Example] = {}
    for index in np.argsort(np.abs(moved - target), kind="stable"):
        recording = str(now["recording"][index])
        if np.isfinite(moved[index]) and recording not in found:
            clip_id = str(now["clip_id"][index])
            found[recording] = Example(clip_id, clip_id[:12], float(values[index]))
        if len(found) == _NUM_EXAMPLES:
            break
    return tuple(found.values())


def _center(name: str, columns: Columns, rows: Any) -> float | None:
    values = columns[name][rows]
    known = np.isfinite(values)
    if not known.any():
        return None
    if name == RESIDUAL:
        words = columns["words"][rows]
        missed = columns["errors"][rows] - columns["expected_errors"][rows]
        return float(missed.sum() / words.sum())
    if name == OUTCOME:
        errors, words = columns["expected_errors"][rows], columns["expected_words"][rows]
        return float(errors[known].sum() / words[known].sum()) if words[known].sum() > 0 else None
    return float(np.mean(values[known]) if name == COVERAGE else np.median(values[known]))


def _texts(columns: Columns) -> npt.NDArray[np.str_]:
    return columns["recording"].astype(np.str_)


def _moment(value: Any) -> datetime:
    moment: datetime = value.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)
