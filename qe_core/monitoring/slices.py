"""How far off the predictions are in parts of the stream, and which part stands out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["MIN_CLIPS", "MIN_RECORDINGS", "SliceResidual", "residuals", "worst"]

MIN_CLIPS = 10
"""Fewer clips than this and a slice gets no interval."""
MIN_RECORDINGS = 5
"""Fewer recordings than this and nobody knows how much they vary."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SliceResidual:
    """Errors beyond the prediction in one part of the stream.

    Args:
        name: of the slice
        num_clips: judged clips in it
        num_recordings: recordings that they come from
        actual_wer: pooled
        predicted_wer: expected errors over the same words
        residual: ``actual_wer - predicted_wer``; positive where errors are underestimated
        low: lower end of its 95 % interval; ``None`` for a small slice
        high: upper end
        p_value: of no residual at all; ``None`` for a small slice
    """

    name: str
    num_clips: int
    num_recordings: int
    actual_wer: float
    predicted_wer: float
    residual: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    @property
    def is_small(self) -> bool:
        """Too few clips to tell."""
        return self.p_value is None


def residuals(
    slices: npt.NDArray[np.str_],
    recordings: npt.NDArray[np.str_],
    errors: Values,
    expected_errors: Values,
    words: Values,
    *,
    level: float = 0.95,
) -> tuple[SliceResidual, ...]:
    """Compare actual with expected errors, slice by slice.

    Args:
        slices: what part of the stream each clip belongs to, shape ``(num_clips,)``
        recordings: clips of one recording are not independent
        errors: true errors
        expected_errors: what was expected before the review
        words: true reference words
        level: nominal coverage of the intervals

    Returns:
        one entry per slice that has words, largest residual first, small slices last

    References:
        Cochran (1977), Sampling techniques, eq. 6.13: the variance of a ratio by cluster.
    """
    found = [
        _one(
            str(name),
            recordings[slices == name],
            errors[slices == name],
            expected_errors[slices == name],
            words[slices == name],
            level,
        )
        for name in np.unique(slices)
        if words[slices == name].sum() > 0
    ]
    return tuple(sorted(found, key=lambda one: (one.is_small, -one.residual)))


def worst(found: tuple[SliceResidual, ...], *, rate: float = 0.05) -> SliceResidual | None:
    """The slice whose errors are underestimated most, if that is more than chance.

    Allows for the number of slices looked at: among many, one always looks bad.

    References:
        Benjamini & Hochberg (1995), Controlling the false discovery rate, eq. 1.
    """
    judged = sorted(
        ((one.p_value, one) for one in found if one.p_value is not None), key=lambda pair: pair[0]
    )
    passing = [
        rank
        for rank, (p_value, _) in enumerate(judged, start=1)
        if p_value <= rate * rank / len(judged)
    ]
    kept = [one for _, one in judged[: max(passing, default=0)] if one.residual > 0]
    return max(kept, key=lambda one: one.residual, default=None)


def _one(
    name: str,
    recordings: npt.NDArray[np.str_],
    errors: Values,
    expected: Values,
    words: Values,
    level: float,
) -> SliceResidual:
    total = words.sum()
    actual, predicted = float(errors.sum() / total), float(expected.sum() / total)
    residual = actual - predicted
    _, owner = np.unique(recordings, return_inverse=True)
    num_recordings = int(owner.max()) + 1
    plain = SliceResidual(name, len(words), num_recordings, actual, predicted, residual)
    if len(words) < MIN_CLIPS or num_recordings < MIN_RECORDINGS:
        return plain
    parts = np.bincount(owner, weights=errors - expected - residual * words) / total
    error = float(np.sqrt(num_recordings / (num_recordings - 1) * np.square(parts).sum()))
    reach = float(stats.t.ppf((1 + level) / 2, num_recordings - 1)) * error
    p_value = float(2 * stats.t.sf(abs(residual) / max(error, 1e-12), num_recordings - 1))
    return SliceResidual(
        name,
        len(words),
        num_recordings,
        actual,
        predicted,
        residual,
        residual - reach,
        residual + reach,
        p_value,
    )
