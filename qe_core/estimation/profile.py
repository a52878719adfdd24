"""How one recogniser's scores are spread, so that scores of different recognisers compare.

A confidence of 0.6 is sure for one recogniser and unsure for another. What compares is where a
score stands among the scores of the same recogniser. That needs no reference, only clips that it
has written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qe_core.types import FloatArray

__all__ = ["MIN_PROFILE_CLIPS", "OWN_SCORES", "RELATIVE", "EngineProfile"]

OWN_SCORES = frozenset(
    {
        "avg_logprob",
        "avg_logprob_min",
        "no_speech_prob",
        "compression_ratio",
        "temperature",
        "language_probability",
        "nbest_disagreement",
        "nbest_spread",
        "nbest_size",
    }
)
"""Features that not every recogniser has."""

RELATIVE = frozenset(
    {
        "confidence_mean",
        "confidence_min",
        "confidence_p5",
        "confidence_p10",
        "confidence_p25",
        "confidence_sd",
        "low_confidence_share",
        "low_confidence_run",
        "last_confidence",
        "confidence_entropy",
        "confidence_drop",
        "confident_speech_share",
        "confidence_by_duration",
    }
)
"""Features that compare between recognisers only as ranks within one."""

MIN_PROFILE_CLIPS = 30
"""Clips that a recogniser has to have written before its own profile says more than the pooled."""

_PROBABILITIES = np.linspace(0, 1, 65)


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """How one recogniser's scores are spread over the clips that it has written.

    Args:
        quantiles: by feature, 65 values at evenly spaced probabilities from 0 to 1
        num_clips: clips that they were taken from
    """

    quantiles: Mapping[str, tuple[float, ...]]
    num_clips: int

    @classmethod
    def of(cls, features: FloatArray, names: Sequence[str]) -> "EngineProfile":
        """Take the profile of a recogniser.

        Args:
            features: of clips that it has written, shape ``(num_clips, num_features)``
            names: names of the columns
        """
        quantiles: dict[str, tuple[float, ...]] = {}
        for name, column in zip(names, features.T, strict=True):
            known = column[np.isfinite(column)]
            if name in RELATIVE and len(known):
                values = np.quantile(known.astype(np.float64), _PROBABILITIES)
                quantiles[name] = tuple(float(value) for value in values)
        return cls(quantiles, len(features))

    def ranks(self, features: FloatArray, names: Sequence[str]) -> FloatArray:
        """Replace the scores by their ranks, in [0, 1]; NaN stays NaN.

        Args:
            features: shape ``(num_clips, num_features)``
            names: names of the columns

        Returns:
            same shape; features that the profile does not hold are as they were
        """
        ranked = np.array(features, np.float32)
        for index, name in enumerate(names):
            if name in self.quantiles:
                ranked[:, index] = _rank(features[:, index], np.array(self.quantiles[name]))
        return ranked


def _rank(values: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Middle of the ranks that a value could have; ties are common in scores."""
    below = np.searchsorted(quantiles, values, side="left")
    above = np.searchsorted(quantiles, values, side="right")
    inside = np.interp(values, quantiles, _PROBABILITIES)
    tied = (below + above - 1) / (2 * (len(quantiles) - 1))
    ranks = np.where(above - below > 1, tied, inside)
    return np.asarray(np.where(np.isfinite(values), ranks, np.nan), np.float32)
