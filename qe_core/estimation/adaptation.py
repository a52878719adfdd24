"""Fitting an estimator to another engine or domain with a few reviews, by shrinkage.

An estimator that was trained elsewhere usually ranks fairly well and is off in scale: this engine
makes fewer errors, or the sound is of another kind. A straight line between predicted and true
rates, on a logistic scale, brings the scale back; it never changes which of two clips is worse. A
few reviews must not bend it much, so it starts as the identity and moves as the reviews come.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError
from scipy.special import expit, logit
from scipy.stats import norm

from qe_core.errors import EstimatorError
from qe_core.estimation.boosting import group_folds
from qe_core.types import Estimate
from qe_core.wer import ErrorCounts

__all__ = ["FULL_REVIEWS", "Accuracy", "Adaptation", "Reviewed"]

FULL_REVIEWS = 300
"""Reviews after which the prior hardly matters any more; more are taken as they come."""

Values = npt.NDArray[np.float64]

# The prior counts like so many reviews in which the estimate was right: the correction is halfway
# between it and the reviews after 30 of them, and nine tenths of the way after 300.
_PRIOR_REVIEWS = 30.0
# The interval waits less long: one that is too narrow does more harm than a rough one.
_PRIOR_WIDTHS = 10.0
_NUM_PRIOR_POINTS = 199
_MAX_RATE = 2.0
_MIN_SHARE = 1e-4
_TINY = 1e-12
_MIN_SLOPE, _MAX_SLOPE = 0.05, 20.0
_MIN_HALF_WIDTH = 0.01
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


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far off estimates are on clips that the adaptation was not fitted on.

    Args:
        mae: mean absolute error of the predicted WER
        coverage: share of true WERs inside their interval
        predicted_pooled_wer: pooled WER as predicted
        pooled_wer: pooled WER as it is
    """

    mae: float
    coverage: float
    predicted_pooled_wer: float
    pooled_wer: float


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A monotone correction of the predicted WER and a new width of its interval.

    The rate becomes ``2 * sigmoid(intercept + slope * logit(rate / 2))``: close to a power of the
    rate where it is small, and defined up to the rate of 2, which estimators hardly exceed; 0 stays
    0 and 2 stays 2.

    Args:
        intercept: 0 without a review
        slope: 1 without a review; always positive, so that the order of clips stays
        width: factor of both halves of the interval
        num_reviews: reviews that it was fitted on
        before: cross-validated accuracy without it; ``None`` when there were too few reviews
        after: cross-validated accuracy with it

    Examples:
        >>> bool(Adaptation().rate(np.array([0.25]))[0] == 0.25)
        True
        >>> Adaptation(intercept=-0.5, num_reviews=34).progress
        'Adapted with 34 of 300 reviews'
    """

    intercept: float = 0.0
    slope: float = 1.0
    width: float = 1.0
    num_reviews: int = 0
    before: Accuracy | None = None
    after: Accuracy | None = None

    @classmethod
    def fit(cls, reviewed: Reviewed, *, level: float = 0.9) -> "Adaptation":
        """Learn the correction from reviews.

        The rate is fitted by logistic regression on shares of the largest rate, every clip weighted
        by its words, and the prior as 30 more reviews of the same kind that found what was
        predicted; both together are one regression on targets between prediction and truth. The
        width is a quantile of the conformity scores of clips that their own fold's correction does
        not know, pooled with those of the interval as it promised to be.

        Args:
            reviewed: predictions and truth; none at all gives the identity
            level: nominal coverage of the intervals in ``reviewed``

        Returns:
            the adaptation, with its cross-validated accuracy from two groups on

        References:
            Platt (1999), Probabilistic outputs for support vector machines: the same two numbers,
            and targets moved by a prior. Vovk (2015), Cross-conformal predictors.
        """
        reviewed = reviewed.select(reviewed.words > 0)
        if not len(reviewed.words):
            return cls()
        fitted = _fit(reviewed, level)
        folds = _folds(reviewed)
        if folds is None:
            return fitted
        unadapted = cls()
        adapted = [_fit(reviewed.select(folds != fold), level) for fold in np.unique(folds)]
        return replace(
            fitted,
            before=_accuracy(reviewed, folds, [unadapted] * len(adapted)),
            after=_accuracy(reviewed, folds, adapted),
        )

    @property
    def progress(self) -> str:
        """How far the adaptation has come, in words."""
        if self.num_reviews >= FULL_REVIEWS:
            return f"Adapted with {self.num_reviews:,} reviews"
        return f"Adapted with {self.num_reviews} of {FULL_REVIEWS} reviews"

    def rate(self, rate: npt.ArrayLike) -> Values:
        """Correct predicted rates.

        Args:
            rate: predicted errors per word, at least 0, of any shape

        Returns:
            corrected rates of the same shape; from a rate of 2 on they stay as they are
        """
        before = np.asarray(rate, np.float64)
        if (self.intercept, self.slope) == (0.0, 1.0):
            return before
        share = np.clip(before / _MAX_RATE, 0.0, 1 - _TINY)
        odds = np.exp(self.intercept) * (share / (1 - share)) ** self.slope
        return np.where(before >= _MAX_RATE, before, _MAX_RATE * odds / (1 + odds))

    def interval(
        self, rate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
    ) -> tuple[Values, Values]:
        """Intervals around corrected rates.

        Args:
            rate: predicted rates before the correction
            low: lower ends before it
            high: upper ends before it

        Returns:
            lower and upper ends after it, never below 0, the corrected rate between them
        """
        if self.num_reviews == 0:
            return np.asarray(low, np.float64), np.asarray(high, np.float64)
        centre = self.rate(rate)
        below, above = _half_widths(rate, low, high)
        return np.maximum(centre - self.width * below, 0.0), centre + self.width * above

    def word_errors(self, probabilities: npt.ArrayLike, rate: npt.ArrayLike) -> Values:
        """Move the error probabilities of words by as much as their clip, on the logistic scale.

        Args:
            probabilities: that a word is wrong, in [0, 1]
            rate: predicted rate of its clip before the correction
        """
        shift = _logit_share(self.rate(rate)) - _logit_share(rate)
        inside = np.clip(np.asarray(probabilities, np.float64), _MIN_SHARE, 1 - _MIN_SHARE)
        return np.asarray(expit(logit(inside) + shift), np.float64)

    def apply(self, estimate: Estimate) -> Estimate:
        """Correct one estimate in all its parts, so that they still fit each other.

        Segments keep their shares of the expected errors.
        """
        if self.num_reviews == 0:
            return estimate
        wer = float(self.rate(estimate.predicted_wer))
        low, high = self.interval(estimate.predicted_wer, estimate.low, estimate.high)
        errors = wer * estimate.expected_words
        ratio = errors / estimate.expected_errors if estimate.expected_errors > 0 else 1.0
        words = self.word_errors(estimate.word_error_probabilities, estimate.predicted_wer)
        return replace(
            estimate,
            expected_errors=errors,
            predicted_wer=wer,
            low=float(low),
            high=float(high),
            word_error_probabilities=tuple(float(value) for value in words),
            segment_expected_errors=tuple(
                value * ratio for value in estimate.segment_expected_errors
            ),
        )

    def to_json(self) -> str:
        """One line of JSON."""
        return _ADAPTATION.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Adaptation":
        """Read what :meth:`to_json` wrote.

        Raises:
            EstimatorError: it is no adaptation
        """
        try:
            return _ADAPTATION.validate_json(text)
        except ValidationError as error:
            raise EstimatorError(
                f"Not an adaptation ({error.errors()[0]['msg']}).",
                suggestion="Make it again with `werkbench calibrate`.",
            ) from error


_ADAPTATION: TypeAdapter[Adaptation] = TypeAdapter(Adaptation)


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
    count = len(reviewed.words)
    inside = _logit_share(reviewed.predicted_wer)
    share = expit(inside)
    true_share = np.minimum(reviewed.errors / reviewed.words / _MAX_RATE, 1.0)
    target = (count * true_share + _PRIOR_REVIEWS * share) / (count + _PRIOR_REVIEWS)
    weight = reviewed.weight * reviewed.words
    intercept, slope = _logistic_line(inside, target, weight / weight.sum())
    return Adaptation(intercept, slope, num_reviews=count)


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
    below, above = _half_widths(reviewed.predicted_wer, reviewed.low, reviewed.high)
    return np.where(gap < 0, -gap / below, gap / above)


def _half_widths(
    rate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[Values, Values]:
    # As they were before the correction: a flat line would squeeze them to nothing.
    below, above = np.subtract(rate, low), np.subtract(high, rate)
    return np.maximum(below, _MIN_HALF_WIDTH), np.maximum(above, _MIN_HALF_WIDTH)


def _width(scores: Values, weight: Values, level: float) -> float:
    """The quantile of scores, those of an interval that holds its promise among them."""
    count = len(scores)
    places = (np.arange(_NUM_PRIOR_POINTS) + 0.5) / _NUM_PRIOR_POINTS
    promised = norm.ppf((1 + places) / 2) / norm.ppf((1 + level) / 2)
    values = np.concatenate([scores, promised])
    masses = np.concatenate(
        [
            weight / weight.mean(),
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


def _accuracy(
    reviewed: Reviewed, folds: npt.NDArray[np.int32], adaptations: Sequence[Adaptation]
) -> Accuracy:
    """Every fold judged by the adaptation that does not know it."""
    rate, low, high = (np.zeros(len(folds)) for _ in range(3))
    for fold, adaptation in zip(np.unique(folds), adaptations, strict=True):
        rows = folds == fold
        part = reviewed.select(rows)
        rate[rows] = adaptation.rate(part.predicted_wer)
        low[rows], high[rows] = adaptation.interval(part.predicted_wer, part.low, part.high)
    actual = reviewed.errors / reviewed.words
    words = reviewed.weight * reviewed.words
    inside = (actual >= low - 1e-6) & (actual <= high + 1e-6)
    return Accuracy(
        mae=float(np.average(np.abs(rate - actual), weights=reviewed.weight)),
        coverage=float(np.average(inside, weights=reviewed.weight)),
        predicted_pooled_wer=float(np.average(rate, weights=words)),
        pooled_wer=float(np.average(actual, weights=words)),
    )


def _logit_share(rate: npt.ArrayLike) -> Values:
    share = np.asarray(rate, np.float64) / _MAX_RATE
    return np.asarray(logit(np.clip(share, _MIN_SHARE, 1 - _MIN_SHARE)), np.float64)
