"""Prediction intervals that keep their promise: normalised split-conformal prediction."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.types import FloatArray

__all__ = ["ConformalScale", "calibrate"]

_NUM_POINTS = 400
_MIN_SPREAD = 0.01


@dataclass(frozen=True, slots=True)
class ConformalScale:
    """Quantiles of signed conformity scores, so that any level can be asked for later.

    Args:
        probabilities: increasing, in [0, 1]
        below: upper bounds of (prediction - truth) / spread at these probabilities
        above: upper bounds of (truth - prediction) / spread at these probabilities
    """

    probabilities: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def interval(
        self, predicted: FloatArray, spread: FloatArray, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """Interval that holds the truth in a share ``level`` of clips, never below 0.

        Half of the misses lie on either side.

        Args:
            predicted: predicted WER, shape ``(num_clips,)``
            spread: about how far off the prediction may be, same shape
            level: nominal coverage in (0, 1)

        Returns:
            lower and upper ends, same shape
        """
        tail = (1 + level) / 2
        below = float(np.interp(tail, self.probabilities, self.below))
        above = float(np.interp(tail, self.probabilities, self.above))
        spread = np.maximum(spread, _MIN_SPREAD)
        low = np.clip(predicted - below * spread, 0, None)
        high = np.maximum(predicted + above * spread, low)
        # A model that always guesses too low must not exclude its own prediction.
        return np.minimum(low, predicted), np.maximum(high, predicted)


def calibrate(
    predicted: npt.ArrayLike,
    actual: npt.ArrayLike,
    spread: npt.ArrayLike,
) -> ConformalScale:
    """Learn how far off predictions are from clips that did not train them.

    Args:
        predicted: predicted WER, shape ``(num_clips,)``
        actual: true WER, same shape
        spread: about how far off each prediction may be, same shape

    Returns:
        the scale of the intervals

    Examples:
        >>> scale = calibrate([0.5] * 99, [index / 98 for index in range(99)], [1.0] * 99)
        >>> low, high = scale.interval(np.array([0.5]), np.array([1.0]), 0.8)
        >>> round(float(low[0]), 2), round(float(high[0]), 2)
        (0.09, 0.91)

    References:
        Lei et al. (2018), Distribution-free predictive inference for regression, section 5.2.
    """
    scores = (np.asarray(actual) - np.asarray(predicted)) / np.maximum(spread, _MIN_SPREAD)
    count = len(scores)
    probabilities = np.linspace(0.5, 1, _NUM_POINTS)
    # The (n + 1)-corrected order statistic; beyond the last one no finite bound is known, and the
    # largest score that was seen has to do.
    ranks = np.clip(np.ceil(probabilities * (count + 1)).astype(int), 1, count) - 1
    return ConformalScale(
        probabilities=tuple(float(value) for value in probabilities),
        below=tuple(float(value) for value in np.sort(-scores)[ranks]),
        above=tuple(float(value) for value in np.sort(scores)[ranks]),
    )
