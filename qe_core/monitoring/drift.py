"""Whether two windows of the stream differ by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from qe_core.config import DriftSettings

__all__ = ["MAX_COLUMNS", "ColumnDrift", "TooFewClips", "Window", "compare", "compare_family"]

MAX_COLUMNS = 12
"""More columns buy false alarms, not insight (DESIGN §5.8)."""

# A distance between distributions needs no finer grid than this many quantiles.
_NUM_BINS = 128

Values = npt.NDArray[np.float64]
Pair = tuple["Window", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """The clips of a stretch of time.

    Args:
        columns: values by name, each of shape ``(num_clips,)``; NaN where undefined
        recordings: what each clip is part of, shape ``(num_clips,)``
    """

    columns: Mapping[str, Values]
    recordings: npt.NDArray[np.str_]

    @property
    def num_recordings(self) -> int:
        """How many independent things the window holds."""
        return len(np.unique(self.recordings))


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How one column moved between two windows.

    Args:
        name: the column
        num_baseline: clips of the baseline window in which it is defined
        num_current: clips of the current window in which it is defined
        baseline_median: in the column's own unit; ``None`` when it is never defined
        current_median: likewise
        shift: ``current_median - baseline_median``
        statistic: Wasserstein-1 distance over the interquartile range of the baseline window;
            ``None`` when too few clips define the column
        threshold: ``statistic`` must exceed this to be an alert; chance alone does not
        p_value: share of permutations that differ at least as much
        is_alert: more than chance, allowing for the number of columns looked at
    """

    name: str
    num_baseline: int
    num_current: int
    baseline_median: float | None
    current_median: float | None
    shift: float | None
    statistic: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    is_alert: bool = False


@dataclass(frozen=True, slots=True)
class TooFewClips:
    """Too few clips to tell.

    Args:
        num_baseline: clips in the baseline window
        num_current: clips in the current window
        min_clips: clips that each window needs
        min_recordings: recordings that each window needs
    """

    num_baseline: int
    num_current: int
    min_clips: int
    min_recordings: int


def compare(
    baseline: Window, current: Window, settings: DriftSettings, rng: np.random.Generator
) -> tuple[ColumnDrift, ...] | TooFewClips:
    """Compare two windows column by column, at a bounded rate of false alarms.

    The distance that chance alone produces is found by dealing whole recordings out to the two
    windows again and again, at their actual sizes: fixed thresholds fire on most columns of small
    windows, and clips of one recording resemble each other. Over the columns, the false discovery
    rate is held by the step-up procedure.

    Args:
        baseline: what the stream was like
        current: what it is like now; the same columns
        settings: sizes below which nothing is said, permutations, false discovery rate
        rng: the only source of chance

    Returns:
        one entry per column in the order given, or :class:`TooFewClips`

    Raises:
        ValueError: more than ``MAX_COLUMNS`` columns

    References:
        Benjamini & Hochberg (1995), Controlling the false discovery rate, eq. 1.
        Phipson & Smyth (2010), Permutation p-values should never be zero, eq. 2.
    """
    if not (_is_enough(baseline, settings) and _is_enough(current, settings)):
        return TooFewClips(
            len(baseline.recordings),
            len(current.recordings),
            settings.min_clips,
            settings.min_recordings,
        )
    return compare_family([(baseline, current)], settings, rng)


def compare_family(
    pairs: Sequence[Pair], settings: DriftSettings, rng: np.random.Generator
) -> tuple[ColumnDrift, ...]:
    """Compare columns that are known for different clips, as one family of tests.

    Args:
        pairs: baseline and current window of each group of columns; a pair that is too small gets
            medians but no verdict
        settings: as in :func:`compare`
        rng: the only source of chance

    Returns:
        one entry per column, pair by pair

    Raises:
        ValueError: more than ``MAX_COLUMNS`` columns in all
    """
    num_columns = sum(len(baseline.columns) for baseline, _ in pairs)
    if num_columns > MAX_COLUMNS:
        raise ValueError(f"{num_columns} columns; at most {MAX_COLUMNS} are compared.")
    num_permutations = _enough_permutations(num_columns, settings)
    rows: list[ColumnDrift] = []
    nulls: list[Values | None] = []
    # Small products on several threads mostly wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        for baseline, current in pairs:
            is_enough = _is_enough(baseline, settings) and _is_enough(current, settings)
            deal = _deal(baseline, current, num_permutations, rng) if is_enough else None
            for name, values in baseline.columns.items():
                row, null = _one_column(
                    name, values, current.columns[name], deal, settings.min_clips
                )
                rows.append(row)
                nulls.append(null)
    return _with_alerts(rows, nulls, settings.false_discovery_rate)


def _is_enough(window: Window, settings: DriftSettings) -> bool:
    return (
        len(window.recordings) >= settings.min_clips
        and window.num_recordings >= settings.min_recordings
    )


def _enough_permutations(num_columns: int, settings: DriftSettings) -> int:
    """Few permutations cannot reach the p-value that one alert among many columns needs."""
    needed = int(np.ceil(2 * num_columns / settings.false_discovery_rate))
    return max(settings.num_permutations, needed)


@dataclass(frozen=True, slots=True)
class _Deal:
    """Which recordings are in the current window.

    Args:
        unit: recording of each clip of both windows, shape ``(num_clips,)``
        is_current: row 0 as observed, then one row per permutation, a column per recording
    """

    unit: npt.NDArray[np.intp]
    is_current: npt.NDArray[np.float32]


def _deal(
    baseline: Window, current: Window, num_permutations: int, rng: np.random.Generator
) -> _Deal:
    _, first = np.unique(baseline.recordings, return_inverse=True)
    _, second = np.unique(current.recordings, return_inverse=True)
    unit = np.concatenate([first, second + first.max() + 1])
    num_units = int(unit.max()) + 1
    observed = np.arange(num_units) > first.max()
    dealt = rng.permuted(np.tile(observed, (num_permutations, 1)), axis=1)
    return _Deal(unit, np.concatenate([observed[None, :], dealt]).astype(np.float32))


def _one_column(
    name: str, baseline: Values, current: Values, deal: _Deal | None, min_clips: int
) -> tuple[ColumnDrift, Values | None]:
    known = [values[np.isfinite(values)] for values in (baseline, current)]
    medians = [float(np.median(values)) if len(values) else None for values in known]
    shift = None if medians[0] is None or medians[1] is None else medians[1] - medians[0]
    row = ColumnDrift(name, len(known[0]), len(known[1]), medians[0], medians[1], shift)
    if deal is None or min(len(values) for values in known) < min_clips:
        return row, None
    pooled = np.concatenate([baseline, current])
    is_known = np.isfinite(pooled)
    distances = _wasserstein(pooled[is_known], deal.unit[is_known], deal.is_current)
    distances /= _scale(known[0])
    null = np.sort(distances[1:])[::-1]
    # Rounding must not let a permutation that ties with what was observed count as smaller.
    num_as_far = int(np.count_nonzero(null >= distances[0] * (1 - 1e-6)))
    p_value = (1 + num_as_far) / (1 + len(null))
    return replace(row, statistic=float(distances[0]), p_value=p_value), null


def _scale(baseline: Values) -> float:
    """Interquartile range; where half of the clips agree (clipping: none), the spread instead."""
    low, high = np.quantile(baseline, [0.25, 0.75])
    return float(high - low) or float(baseline.std()) or 1.0


def _wasserstein(
    values: Values, unit: npt.NDArray[np.intp], is_current: npt.NDArray[np.float32]
) -> Values:
    """Wasserstein-1 distance for every row of window membership, shape ``(num_rows,)``.

    Values are put into bins of as many clips each. Recordings are dealt as a whole, so the counts
    of every permutation are one product of matrices.
    """
    order = np.argsort(values, kind="stable")
    num_bins = min(len(values), _NUM_BINS)
    bins = np.empty(len(values), np.intp)
    bins[order] = np.arange(len(values)) * num_bins // len(values)
    levels = np.bincount(bins, weights=values) / np.bincount(bins)
    counts = np.zeros((is_current.shape[1], num_bins), np.float32)
    np.add.at(counts, (unit, bins), 1.0)
    below_current = np.cumsum(is_current @ counts, axis=1, dtype=np.float64)
    below_baseline = np.cumsum(counts.sum(axis=0, dtype=np.float64)) - below_current
    # A permutation may leave a window without any defined value; then nothing is comparable.
    share_current = below_current / np.maximum(below_current[:, -1:], 1.0)
    share_baseline = below_baseline / np.maximum(below_baseline[:, -1:], 1.0)
    distances: Values = np.abs(share_current - share_baseline)[:, :-1] @ np.diff(levels)
    return distances


def _with_alerts(
    rows: list[ColumnDrift], nulls: list[Values | None], rate: float
) -> tuple[ColumnDrift, ...]:
    """Apply the step-up procedure and say what each statistic would have to exceed."""
    p_values = np.sort([row.p_value for row in rows if row.p_value is not None])
    ranks = np.arange(1, len(p_values) + 1)
    passing = ranks[p_values <= rate * ranks / max(len(p_values), 1)]
    cutoff = rate * (int(passing.max()) if len(passing) else 1) / max(len(p_values), 1)
    return tuple(
        row if null is None else _judged(row, null, cutoff)
        for row, null in zip(rows, nulls, strict=True)
    )


def _judged(row: ColumnDrift, null: Values, cutoff: float) -> ColumnDrift:
    rank = int(np.floor(cutoff * (1 + len(null)) + 1e-9)) - 1
    is_alert = row.p_value is not None and row.p_value <= cutoff
    return replace(row, threshold=float(null[rank]), is_alert=is_alert)
