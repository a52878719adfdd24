"""What brings an estimator to another engine or domain: a line for its rate, a width.

An estimator that was trained elsewhere usually ranks fairly well and is off in scale: this engine
makes fewer errors, or the sound is of another kind. A straight line between predicted and true
rates, on a logistic scale, brings the scale back; it never changes which of two clips is worse. It
is learnt from reviews by :mod:`qe_core.estimation.shrinkage`.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError
from scipy.special import expit, logit

from qe_core.errors import EstimatorError
from qe_core.types import Estimate

__all__ = [
    "FULL_REVIEWS",
    "MAX_RATE",
    "STAGES",
    "Accuracy",
    "Adaptation",
    "Values",
    "half_widths",
    "logit_share",
]

STAGES = (30, 100, 300)
"""Reviews after which it is worth looking how far an adaptation has come.

Half of the way, three quarters, nine tenths: see the prior of the fit. Below the first it would be
more prior than review.
"""

FULL_REVIEWS = STAGES[-1]
"""Reviews after which the prior hardly matters any more; more are taken as they come."""

MAX_RATE = 2.0
"""Errors per word that estimators hardly exceed; 0 and this stay what they are."""

Values = npt.NDArray[np.float64]

_MIN_SHARE = 1e-4
_TINY = 1e-12
_MIN_HALF_WIDTH = 0.01


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far off estimates are on clips that the adaptation was not fitted on.

    Args:
        mae: mean absolute error of the predicted WER
        coverage: share of true WERs inside their interval
        predicted_pooled_wer: pooled WER as predicted
        pooled_wer: pooled WER as it is
        interval_width: mean width of the interval; ``None`` where an older Werkbench did not say
    """

    mae: float
    coverage: float
    predicted_pooled_wer: float
    pooled_wer: float
    interval_width: float | None = None


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
        share = np.clip(before / MAX_RATE, 0.0, 1 - _TINY)
        odds = np.exp(self.intercept) * (share / (1 - share)) ** self.slope
        return np.where(before >= MAX_RATE, before, MAX_RATE * odds / (1 + odds))

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
        below, above = half_widths(rate, low, high)
        return np.maximum(centre - self.width * below, 0.0), centre + self.width * above

    def word_errors(self, probabilities: npt.ArrayLike, rate: npt.ArrayLike) -> Values:
        """Move the error probabilities of words by as much as their clip, on the logistic scale.

        Args:
            probabilities: that a word is wrong, in [0, 1]
            rate: predicted rate of its clip before the correction
        """
        shift = logit_share(self.rate(rate)) - logit_share(rate)
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


def half_widths(
    rate: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[Values, Values]:
    """How far intervals reach below and above a rate, neither of them nothing.

    Args:
        rate: predicted rates before the correction: a flat line would squeeze them to nothing
        low: lower ends before it
        high: upper ends before it
    """
    below, above = np.subtract(rate, low), np.subtract(high, rate)
    return np.maximum(below, _MIN_HALF_WIDTH), np.maximum(above, _MIN_HALF_WIDTH)


def logit_share(rate: npt.ArrayLike) -> Values:
    """Log odds of rates as shares of :data:`MAX_RATE`."""
    share = np.asarray(rate, np.float64) / MAX_RATE
    return np.asarray(logit(np.clip(share, _MIN_SHARE, 1 - _MIN_SHARE)), np.float64)
