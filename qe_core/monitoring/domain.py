"""Whether anything at all tells two windows apart, and since when a column differs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats
from threadpoolctl import threadpool_limits

from qe_core.config import DriftSettings
from qe_core.monitoring.drift import Window

__all__ = ["DomainAuc", "change_point", "domain_auc"]

_NUM_FOLDS = 5
_NUM_PERMUTATIONS = 99
_RIDGE = 0.02
_TRIM = 0.05

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DomainAuc:
    """How well a classifier tells clips of the current window from those of the baseline window.

    Args:
        auc: area under the curve on recordings that it was not trained on; 0.5 is guessing
        threshold: what chance alone does not exceed at the level of the settings
        p_value: share of permutations that are told apart at least as well
        is_alert: more than chance
    """

    auc: float
    threshold: float
    p_value: float
    is_alert: bool


def domain_auc(
    baseline: Window, current: Window, settings: DriftSettings, rng: np.random.Generator
) -> DomainAuc | None:
    """Try to tell the windows apart by all columns together.

    Sees what no single column shows, e.g. that noise and level no longer go together. Ridge
    regression on normal scores, their squares and products; folds never part a recording, and the
    null deals whole recordings out to the windows again, as :func:`~.drift.compare` does.

    Args:
        baseline: what the stream was like
        current: what it is like now; the same columns
        settings: sizes below which nothing is said, level
        rng: the only source of chance

    Returns:
        the area with its threshold, or ``None`` when a window is too small or nothing is defined

    References:
        Lopez-Paz & Oquab (2017), Revisiting classifier two-sample tests, arXiv 1610.06545, §3.
    """
    windows = (baseline, current)
    if any(
        len(window.recordings) < settings.min_clips
        or window.num_recordings < settings.min_recordings
        for window in windows
    ):
        return None
    inputs = _inputs(baseline, current)
    if inputs.shape[1] == 0:
        return None
    _, first = np.unique(baseline.recordings, return_inverse=True)
    _, second = np.unique(current.recordings, return_inverse=True)
    unit = np.concatenate([first, second + first.max() + 1])
    observed = np.arange(int(unit.max()) + 1) > first.max()
    dealt = rng.permuted(np.tile(observed, (_NUM_PERMUTATIONS, 1)), axis=1)
    labels = np.concatenate([observed[None, :], dealt])[:, unit].T
    fold = rng.permutation(len(observed))[unit] % _NUM_FOLDS
    # Small products on several threads mostly wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        aucs = _areas(_out_of_fold(inputs, labels.astype(np.float64), fold), labels)
    null = np.sort(aucs[1:])[::-1]
    p_value = float((1 + np.count_nonzero(null >= aucs[0])) / (1 + len(null)))
    rank = int(settings.false_discovery_rate * (1 + len(null)) + 1e-9) - 1
    is_alert = p_value <= settings.false_discovery_rate
    return DomainAuc(float(aucs[0]), float(null[max(rank, 0)]), p_value, is_alert)


def change_point(values: Values) -> int | None:
    """Where a series begins to be different, if it does.

    Args:
        values: in order of time, shape ``(num_clips,)``; NaN where undefined

    Returns:
        index of the first value after the largest change of level; ``None`` without two values

    References:
        Pettitt (1979), A non-parametric approach to the change-point problem, eq. 3.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:  # noqa: PLR2004 - a change needs a before and an after
        return None
    ranks = stats.rankdata(values[known])
    count = np.arange(1, len(known))
    gap = np.abs(np.cumsum(ranks - ranks.mean())[:-1])
    # Without the weight the middle would win; near the ends single clips would.
    score = gap / np.sqrt(count * (len(known) - count))
    edge = max(1, int(_TRIM * len(known)))
    score[: edge - 1] = score[len(score) - edge + 1 :] = -1.0
    return int(known[int(np.argmax(score)) + 1])


def _inputs(baseline: Window, current: Window) -> Values:
    """Normal scores with squares and products, standardised, shape ``(num_clips, num_inputs)``."""
    scores = []
    for name, values in baseline.columns.items():
        pooled = np.concatenate([values, current.columns[name]])
        is_known = np.isfinite(pooled)
        if np.ptp(pooled[is_known]) > 0 if is_known.any() else False:
            column = np.zeros(len(pooled))
            ranks = stats.rankdata(pooled[is_known])
            column[is_known] = special.ndtri(ranks / (len(ranks) + 1))
            scores.append(column)
        if 0 < is_known.sum() < len(is_known):
            scores.append(is_known.astype(np.float64))
    if not scores:
        return np.zeros((len(baseline.recordings) + len(current.recordings), 0))
    plain = np.stack(scores, axis=1)
    first, second = np.triu_indices(plain.shape[1])
    inputs = np.concatenate([plain, plain[:, first] * plain[:, second]], axis=1)
    inputs -= inputs.mean(axis=0)
    spread = inputs.std(axis=0)
    standardised: Values = inputs[:, spread > 0] / spread[spread > 0]
    return standardised


def _out_of_fold(inputs: Values, labels: Values, fold: npt.NDArray[np.intp]) -> Values:
    scores = np.zeros_like(labels)
    for number in range(_NUM_FOLDS):
        inside, outside = fold != number, fold == number
        rows, wanted = inputs[inside], labels[inside]
        wanted = wanted - wanted.mean(axis=0)
        gram = rows.T @ rows + _RIDGE * len(rows) * np.eye(rows.shape[1])
        scores[outside] = inputs[outside] @ np.linalg.solve(gram, rows.T @ wanted)
    return scores


def _areas(scores: Values, labels: npt.NDArray[np.bool_]) -> Values:
    """Area under the curve of every column."""
    ranks = np.empty_like(scores)
    order = np.argsort(scores, axis=0)
    np.put_along_axis(ranks, order, np.arange(1.0, len(scores) + 1)[:, None], axis=0)
    num_current = labels.sum(axis=0)
    num_baseline = len(labels) - num_current
    above = (ranks * labels).sum(axis=0) - num_current * (num_current + 1) / 2
    areas: Values = above / np.maximum(num_current * num_baseline, 1)
    return areas
