"""Learning an adaptation from a few reviews, by shrinkage, and what it brings.

A few reviews must not bend an estimator much, so the correction starts as the identity and moves as
the reviews come.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import norm

from qe_core.estimation.adaptation import (
    MAX_RATE,
    Accuracy,
    Adaptation,
    Values,
    half_widths,
    logit_share,
)
from qe_core.estimation.boosting import group_folds
from qe_core.types import Estimate
from qe_core.wer import ErrorCounts

__all__ = ["Reviewed", "accuracy", "fit_adaptation"]

# The prior counts like so many reviews in which the estimate was right: the correction is halfway
# between it and the reviews after 30 of them, and nine tenths of the way after 300.
_PRIOR_REVIEWS = 30.0
# The interval waits less long: one that is too narrow does more harm than a rough one.
_PRIOR_WIDTHS = 10.0
_NUM_PRIOR_POINTS = 199
_TINY = 1e-12
_MIN_SLOPE, _MAX_SLOPE = 0.05, 20.0
_NUM_FOLDS = 5
_MAX_STEPS, _MAX_STEP, _PRECISION = 50, 1.0, 1e-8


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was predicted for reviewed clips and what was true; arrays of shape ``(num_clips,)``.

    Args:
        predicted_wer: of the estimate as it was
        low: lower ends of its intervals
        high: upper ends of its intervals
        errors: true S + D + I
        words: words of the reference; clips without any have no WER and teach nothing here
        group: speaker or recording; a cross-validation never parts one
        weight: relative weight, e.g. a clipped inverse propensity where clips were not drawn evenly
    """

    predicted_wer: Values
    low: Values
    high: Values
    errors: Values
    words: Values
    group: npt.NDArray[np.str_]
    weight: Values

    @classmethod
    def of(
        cls,
        estimates: Sequence[Estimate],
        counts: Sequence[ErrorCounts],
        groups: Sequence[str],
        *,
        weights: Sequence[float] | None = None,
    ) -> "Reviewed":
        """Put single clips into arrays.

        Args:
            estimates: made before the review, all at the same level and without an adaptation
            counts: what the reviews found
            groups: speaker or recording of each
            weights: relative weights; equal ones by default
        """
        return cls(
            predicted_wer=np.array([item.predicted_wer for item in estimates], np.float64),
            low=np.array([item.low for item in estimates], np.float64),
            high=np.array([item.high for item in estimates], np.float64),
            errors=np.array([item.num_errors for item in counts], np.float64),
            words=np.array([item.num_reference_words for item in counts], np.float64),
            group=np.array(groups, np.str_),
            weight=np.array(weights or [1.0] * len(counts), np.float64),
        )

    def select(self, rows: npt.NDArray[np.bool_]) -> "Reviewed":
        """The clips of a mask."""
        return Reviewed(
            *(np.asarray(getattr(self, name))[rows] for name in self.__dataclass_fields__)
        )


def fit_adaptation(reviewed: Reviewed, *, level: float = 0.9) -> Adaptation:
    """Learn the correction from reviews.

    The rate is fitted by logistic regression on shares of the largest rate, every clip weighted by
    its words, and the prior as 30 more reviews of the same kind that found what was predicted; both
    together are one regression on targets between prediction and truth. The width is a quantile of
    the conformity scores of clips that their own fold's correction does not know, pooled with those
    of the interval as it promised to be.

    Args:
        reviewed: predictions and truth; none at all gives the identity
        level: nominal coverage of the intervals in ``reviewed``

    Returns:
        the adaptation, with its cross-validated accuracy from two groups on

    References:
        Platt (1999), Probabilistic outputs for support vector machines: the same two numbers, and
        targets moved by a prior. Vovk (2015), Cross-conformal predictors.
    """
    reviewed = reviewed.select(reviewed.words > 0)
    if not len(reviewed.words):
        return Adaptation()
    fitted = _fit(reviewed, level)
    folds = _folds(reviewed)
    if folds is None:
        return fitted
    unseen = reviewed
    for fold in np.unique(folds):
        rows = folds == fold
        unseen = _adapted(unseen, rows, _fit(reviewed.select(~rows), level))
    return replace(fitted, before=accuracy(reviewed), after=accuracy(unseen))


def accuracy(reviewed: Reviewed) -> Accuracy:
    """How far off predictions are.

    Args:
        reviewed: predictions and truth of at least one clip with words
    """
    reviewed = reviewed.select(reviewed.words > 0)
    actual = reviewed.errors / reviewed.words
    words = reviewed.weight * reviewed.words
    inside = (actual >= reviewed.low - 1e-6) & (actual <= reviewed.high + 1e-6)
    gap = np.abs(reviewed.predicted_wer - actual)
    return Accuracy(
        mae=float(np.average(gap, weights=reviewed.weight)),
        coverage=float(np.average(inside, weights=reviewed.weight)),
        predicted_pooled_wer=float(np.average(reviewed.predicted_wer, weights=words)),
        pooled_wer=float(np.average(actual, weights=words)),
        interval_width=float(np.average(reviewed.high - reviewed.low, weights=reviewed.weight)),
    )


def _adapted(reviewed: Reviewed, rows: npt.NDArray[np.bool_], adaptation: Adaptation) -> Reviewed:
    """The same clips, some of them as an adaptation predicts them."""
    rate, low, high = reviewed.predicted_wer, reviewed.low, reviewed.high
    ends = adaptation.interval(rate, low, high)
    return replace(
        reviewed,
        predicted_wer=np.where(rows, adaptation.rate(rate), rate),
        low=np.where(rows, ends[0], low),
        high=np.where(rows, ends[1], high),
    )


def _fit(reviewed: Reviewed, level: float) -> Adaptation:
    corrected = _fit_rate(reviewed)
    scores = _scores(reviewed, corrected)
    folds = _folds(reviewed)
    if folds is not None:
        for fold in np.unique(folds):
            rows = folds == fold
            scores[rows] = _scores(reviewed.select(rows), _fit_rate(reviewed.select(~rows)))
    return replace(corrected, width=_width(scores, reviewed.weight, level))


def _fit_rate(reviewed: Reviewed) -> Adaptation:
    count = _effective_number(reviewed.weight)
    inside = logit_share(reviewed.predicted_wer)
    share = expit(inside)
    true_share = np.minimum(reviewed.errors / reviewed.words / MAX_RATE, 1.0)
    target = (count * true_share + _PRIOR_REVIEWS * share) / (count + _PRIOR_REVIEWS)
    weight = reviewed.weight * reviewed.words
    intercept, slope = _logistic_line(inside, target, weight / weight.sum())
    return Adaptation(intercept, slope, num_reviews=len(reviewed.words))


def _effective_number(weight: Values) -> float:
    """Reviews of equal weight that say as much (Kish 1965, Survey Sampling, §11.7).

    Audits are drawn rarely and weigh as much as a dozen other reviews each: among 35 there are
    five, and they must not overrule the prior as if they were 35.
    """
    return float(weight.sum() ** 2 / np.square(weight).sum())


def _logistic_line(inside: Values, target: Values, weight: Values) -> tuple[float, float]:
    """Maximum likelihood by Newton's method; the cost is convex and two numbers wide."""
    line = np.array([0.0, 1.0])
    columns = np.stack([np.ones_like(inside), inside])
    for _ in range(_MAX_STEPS):
        value = expit(line @ columns)
        slope = columns @ (weight * (value - target))
        bend = (columns * (weight * value * (1 - value))) @ columns.T
        step = np.linalg.solve(bend + _TINY * np.eye(2), slope)
        line = line - np.clip(step, -_MAX_STEP, _MAX_STEP)
        # A line that falls would turn the order of the clips round.
        line[1] = np.clip(line[1], _MIN_SLOPE, _MAX_SLOPE)
        if np.abs(step).max() < _PRECISION:
            break
    return float(line[0]), float(line[1])


def _scores(reviewed: Reviewed, corrected: Adaptation) -> Values:
    """By how many half widths of the interval the truth lies off."""
    gap = reviewed.errors / reviewed.words - corrected.rate(reviewed.predicted_wer)
    below, above = half_widths(reviewed.predicted_wer, reviewed.low, reviewed.high)
    return np.where(gap < 0, -gap / below, gap / above)


def _width(scores: Values, weight: Values, level: float) -> float:
    """The quantile of scores, those of an interval that holds its promise among them."""
    count = _effective_number(weight)
    places = (np.arange(_NUM_PRIOR_POINTS) + 0.5) / _NUM_PRIOR_POINTS
    promised = norm.ppf((1 + places) / 2) / norm.ppf((1 + level) / 2)
    values = np.concatenate([scores, promised])
    masses = np.concatenate(
        [
            count * weight / weight.sum(),
            np.full(_NUM_PRIOR_POINTS, _PRIOR_WIDTHS / _NUM_PRIOR_POINTS),
        ]
    )
    order = np.argsort(values, kind="stable")
    running = np.cumsum(masses[order])
    # The next clip is one more, and may be worse than all of them.
    wanted = min(level * (count + _PRIOR_WIDTHS + 1), running[-1])
    return float(values[order][np.searchsorted(running, wanted - 1e-9)])


def _folds(reviewed: Reviewed) -> npt.NDArray[np.int32] | None:
    num_groups = len(np.unique(reviewed.group))
    if num_groups <= 1:
        return None
    return group_folds(reviewed.group, min(_NUM_FOLDS, num_groups))
