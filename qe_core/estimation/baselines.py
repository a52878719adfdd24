"""What an estimator has to beat: single numbers, each brought to the scale of a WER."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.isotonic import IsotonicRegression

from qe_core.estimation.evaluation import Scores
from qe_core.types import FloatArray

__all__ = ["BASELINES", "Curve", "fit_curves", "score_baselines"]

BASELINES: Mapping[str, str] = {
    "random": "",
    "duration": "duration_s",
    "mean confidence": "confidence_mean",
    "lowest confidence": "confidence_min",
    "avg_logprob": "avg_logprob",
    "n-best disagreement": "nbest_disagreement",
    "second opinion": "second_disagreement",
}
"""Name of every baseline and the feature that it reads; ``random`` reads none."""

_NUM_KNOTS = 33
_MIN_CLIPS = 3


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone curve from a feature to a WER, straight between its knots.

    Args:
        x: feature values, increasing
        y: mean WER there
        undefined: mean WER of clips without the feature
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    undefined: float

    def __call__(self, values: FloatArray) -> FloatArray:
        """WER for feature values."""
        rate = np.interp(values, self.x, self.y)
        return np.asarray(np.where(np.isnan(values), self.undefined, rate), np.float32)


def fit_curves(features: FloatArray, names: Sequence[str], wer: FloatArray) -> Mapping[str, Curve]:
    """Give every baseline the WER scale that fits it best on the training clips.

    Args:
        features: shape ``(num_clips, num_features)``
        names: names of the columns
        wer: true WER, shape ``(num_clips,)``, NaN where undefined

    Returns:
        a curve for each baseline whose feature is there
    """
    mean = float(np.nanmean(wer))
    curves: dict[str, Curve] = {}
    for name, feature in BASELINES.items():
        if not feature:
            curves[name] = Curve((0.0,), (mean,), mean)
        elif feature in names:
            curves[name] = _fit_curve(features[:, names.index(feature)], wer, mean)
    return curves


def score_baselines(
    curves: Mapping[str, Curve],
    features: FloatArray,
    names: Sequence[str],
    *,
    words: FloatArray,
    duration_s: FloatArray,
) -> Mapping[str, Scores]:
    """Let every baseline guess.

    Args:
        curves: from :func:`fit_curves`
        features: shape ``(num_clips, num_features)``
        names: names of the columns
        words: words of the hypothesis; a rate times these are expected errors
        duration_s: length of the clips

    Returns:
        scores by name; ``duration`` reviews the longest clips first, ``random`` any
    """
    scores: dict[str, Scores] = {}
    for name, curve in curves.items():
        feature = BASELINES[name]
        values = features[:, names.index(feature)] if feature else np.zeros(len(words), np.float32)
        wer = curve(values)
        errors = wer * words
        if name == "random":
            errors = duration_s
        elif name == "duration":
            errors = duration_s**2
        scores[name] = Scores(wer=wer, errors=np.asarray(errors, np.float32))
    return scores


def _fit_curve(values: FloatArray, wer: FloatArray, mean: float) -> Curve:
    known = np.isfinite(values) & np.isfinite(wer)
    without = np.isnan(values) & np.isfinite(wer)
    undefined = float(np.mean(wer[without])) if without.any() else mean
    if known.sum() < _MIN_CLIPS:
        return Curve((0.0,), (mean,), undefined)
    is_rising = _is_rising(values[known], wer[known])
    model = IsotonicRegression(increasing=is_rising, out_of_bounds="clip")
    model.fit(values[known], wer[known])
    knots = np.unique(np.quantile(values[known], np.linspace(0, 1, _NUM_KNOTS)))
    heights = model.predict(knots)
    return Curve(
        tuple(float(value) for value in knots),
        tuple(float(value) for value in heights),
        undefined,
    )


def _is_rising(values: FloatArray, wer: FloatArray) -> bool:
    """Sign of the rank correlation; scikit-learn's own choice warns when it is a close call."""
    ranks = rankdata(values)
    return bool(np.dot(ranks - ranks.mean(), rankdata(wer)) >= 0)
