"""How good an estimate is, measured by the decisions it leads to (DESIGN §5.5)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from qe_core.types import FloatArray

__all__ = [
    "BUDGETS",
    "CalibrationBin",
    "Metrics",
    "Scores",
    "Truth",
    "area_under_generalised_risk",
    "calibration_bins",
    "error_recall",
    "evaluate",
    "word_auc",
    "word_calibration_error",
    "word_cross_entropy",
]

BUDGETS = (0.05, 0.10, 0.20, 0.30, 0.50)
_NUM_BINS = 10
_TINY = 1e-12

Values = npt.NDArray[np.number[Any]]


@dataclass(frozen=True, slots=True)
class Truth:
    """What reviewers know about the clips; one entry per clip.

    Args:
        errors: S + D + I
        words: words of the reference
        duration_s: length
        word_wrong: per word of all clips 1 (wrong), 0 (right) or -1 (unknown)
    """

    errors: Values
    words: Values
    duration_s: Values
    word_wrong: Values | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """What an estimator or a baseline says about the same clips.

    Args:
        wer: predicted WER
        errors: expected errors; what a minute of review buys is this over the duration
        low: lower ends of the intervals
        high: upper ends of the intervals
        word_probabilities: per word of all clips, probability that it is wrong
    """

    wer: FloatArray
    errors: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    word_probabilities: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Clips with about the same predicted WER, and the pooled WER that they really have."""

    predicted_wer: float
    actual_wer: float
    num_clips: int
    num_words: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one estimator on one set of clips; ``None`` where a figure is undefined.

    Clips with an empty reference have no WER; they count for error recall only.

    Args:
        num_clips: clips in the set
        num_words: words of all references
        pooled_wer: all errors over all words
        predicted_pooled_wer: the same from expected errors
        spearman: rank correlation of predicted and true WER; 0 when one of them is constant
        pearson: linear correlation; 0 when one of them is constant
        mae: mean absolute error of the predicted WER
        mae_words: the same, every clip weighted by its words
        rmse: root mean squared error
        calibration_error: mean gap between predicted and pooled WER in ten bins, by words
        coverage: share of true WERs inside their interval
        interval_width: mean width of the intervals
        augrc: area under the generalised risk–coverage curve; lower is better
        er5: share of all errors in the 5 % of audio reviewed first; ``er10`` … ``er50`` likewise
        er20_oracle: the same for an oracle that knows all errors
        ner20: ``(er20 - 0.2) / (er20_oracle - 0.2)``
        word_auc: chance that a wrong word has a higher error probability than a right one
        word_nce: normalised cross entropy of the words' error probabilities: 1 for certain
            knowledge, 0 for the share of wrong words said of every word, below 0 worse than that
        word_ece: expected calibration error of the same probabilities, in ten bins
    """

    num_clips: int
    num_words: int
    pooled_wer: float | None
    predicted_pooled_wer: float | None
    spearman: float
    pearson: float
    mae: float | None
    mae_words: float | None
    rmse: float | None
    calibration_error: float | None
    coverage: float | None
    interval_width: float | None
    augrc: float | None
    er5: float
    er10: float
    er20: float
    er30: float
    er50: float
    er5_oracle: float
    er10_oracle: float
    er20_oracle: float
    er30_oracle: float
    er50_oracle: float
    ner5: float | None
    ner10: float | None
    ner20: float | None
    ner30: float | None
    ner50: float | None
    word_auc: float | None = None
    word_nce: float | None = None
    word_ece: float | None = None

    def to_dict(self) -> dict[str, float | int | None]:
        """All figures by name, ready for JSON."""
        return asdict(self)


def evaluate(truth: Truth, scores: Scores) -> Metrics:
    """Compare predictions with the truth.

    Args:
        truth: the true counts of at least one clip
        scores: predictions for the same clips, in the same order

    Returns:
        all figures
    """
    has_words = np.asarray(truth.words) > 0
    words = np.asarray(truth.words, np.float64)[has_words]
    actual = np.asarray(truth.errors, np.float64)[has_words] / words
    predicted = np.asarray(scores.wer, np.float64)[has_words]
    gap = np.abs(predicted - actual)
    covered, width = _coverage(scores, actual, has_words)
    return Metrics(
        num_clips=len(has_words),
        num_words=int(words.sum()),
        pooled_wer=_ratio(float(np.sum(truth.errors)), float(words.sum())),
        predicted_pooled_wer=_ratio(float(np.sum(predicted * words)), float(words.sum())),
        spearman=_correlation(rankdata(predicted), rankdata(actual)),
        pearson=_correlation(predicted, actual),
        mae=_mean(gap),
        mae_words=_ratio(float(np.sum(gap * words)), float(words.sum())),
        rmse=float(np.sqrt(np.mean(gap**2))) if len(gap) else None,
        calibration_error=_calibration_error(truth, scores),
        coverage=covered,
        interval_width=width,
        augrc=area_under_generalised_risk(truth, scores.wer),
        **_words(truth, scores),
        **_recalls(truth, scores),
    )


def error_recall(errors: Values, duration_s: Values, ranking: Values, budget: float) -> float:
    """Share of all errors in the clips that a budget of audio seconds reviews first (ER@B).

    Clips with the same ranking are reviewed in random order: they share what is left of the budget
    evenly. The last clip counts in part.

    Args:
        errors: true errors per clip
        duration_s: length per clip
        ranking: highest first
        budget: share of all audio that is reviewed, in [0, 1]

    Returns:
        a share in [0, 1]; 0 when there is no error at all

    Examples:
        >>> error_recall(np.array([4, 0, 1]), np.array([1, 2, 1]), np.array([9, 5, 1]), 0.25)
        0.8
    """
    total = float(np.sum(errors))
    if total == 0:
        return 0.0
    seconds, found = _cumulate(ranking, duration_s, errors)
    return float(np.interp(budget * seconds[-1], seconds, found)) / total


def area_under_generalised_risk(truth: Truth, wer: Values) -> float | None:
    """Mean rate of errors that slip through when clips are accepted from the lowest prediction up.

    Args:
        truth: the true counts
        wer: predicted WER per clip

    Returns:
        the area under errors accepted over all words, against the share of words accepted

    References:
        Traub et al. (2024), Overcoming common flaws in the evaluation of selective classification
        systems, equation 7.
    """
    total = float(np.sum(truth.words))
    if total == 0:
        return None
    words, errors = _cumulate(-np.asarray(wer, np.float64), truth.words, truth.errors)
    return float(np.trapezoid(errors / total, words / total))


def calibration_bins(
    truth: Truth, scores: Scores, num_bins: int = _NUM_BINS
) -> tuple[CalibrationBin, ...]:
    """Clips with words in bins of equal size by predicted WER, lowest first."""
    has_words = np.flatnonzero(np.asarray(truth.words) > 0)
    order = has_words[np.argsort(np.asarray(scores.wer)[has_words], kind="stable")]
    bins = []
    for rows in np.array_split(order, min(num_bins, len(order)) or 1):
        words = np.asarray(truth.words, np.float64)[rows]
        if not len(rows):
            continue
        bins.append(
            CalibrationBin(
                predicted_wer=float(np.average(np.asarray(scores.wer)[rows], weights=words)),
                actual_wer=float(np.sum(np.asarray(truth.errors)[rows]) / words.sum()),
                num_clips=len(rows),
                num_words=int(words.sum()),
            )
        )
    return tuple(bins)


def word_auc(wrong: Values, probability: Values) -> float | None:
    """Chance that a wrong word has a higher probability than a right one; ``None`` without both.

    Examples:
        >>> word_auc(np.array([1, 0, 0]), np.array([0.9, 0.1, 0.9]))
        0.75
    """
    num_wrong = int(np.sum(wrong))
    num_right = len(wrong) - num_wrong
    if num_wrong == 0 or num_right == 0:
        return None
    ranks = rankdata(probability)
    above = float(np.sum(ranks[np.asarray(wrong) == 1])) - num_wrong * (num_wrong + 1) / 2
    return above / (num_wrong * num_right)


def word_cross_entropy(wrong: Values, probability: Values) -> float | None:
    """Normalised cross entropy of error probabilities; ``None`` without both kinds of words.

    References:
        Siu et al. (1997), Improved estimation, evaluation and applications of confidence measures
        for speech recognition, section 2.

    Examples:
        >>> word_cross_entropy(np.array([1, 0]), np.array([0.5, 0.5]))
        0.0
    """
    truth = np.asarray(wrong, np.float64)
    share = float(truth.mean()) if len(truth) else 0.0
    if share in (0.0, 1.0):
        return None
    inside = np.clip(np.asarray(probability, np.float64), 1e-6, 1 - 1e-6)
    known = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    said = -np.mean(truth * np.log2(inside) + (1 - truth) * np.log2(1 - inside))
    return float((known - said) / known)


def word_calibration_error(wrong: Values, probability: Values) -> float | None:
    """Mean gap between said and found share of wrong words in ten bins of equal size.

    Examples:
        >>> round(word_calibration_error(np.array([1, 0] * 50), np.full(100, 0.7)) or 0, 2)
        0.2
    """
    order = np.argsort(np.asarray(probability), kind="stable")
    if not len(order):
        return None
    bins = [rows for rows in np.array_split(order, _NUM_BINS) if len(rows)]
    gaps = [
        abs(float(np.mean(np.asarray(probability)[rows]) - np.mean(np.asarray(wrong)[rows])))
        for rows in bins
    ]
    return float(np.average(gaps, weights=[len(rows) for rows in bins]))


def _recalls(truth: Truth, scores: Scores) -> Mapping[str, Any]:
    seconds = np.maximum(np.asarray(truth.duration_s, np.float64), 1e-3)
    ours = np.asarray(scores.errors, np.float64) / seconds
    best = np.asarray(truth.errors, np.float64) / seconds
    values: dict[str, Any] = {}
    for budget in BUDGETS:
        name = f"{budget * 100:.0f}"
        found = error_recall(truth.errors, seconds, ours, budget)
        possible = error_recall(truth.errors, seconds, best, budget)
        values[f"er{name}"] = found
        values[f"er{name}_oracle"] = possible
        values[f"ner{name}"] = _ratio(found - budget, possible - budget)
    return values


def _cumulate(
    ranking: Values, sizes: Values, gains: Values
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Running sums from the highest ranking down; equal rankings make one step."""
    order = np.argsort(-np.asarray(ranking, np.float64), kind="stable")
    ranked = np.asarray(ranking, np.float64)[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    running = [np.cumsum(np.asarray(item, np.float64)[order])[ends] for item in (sizes, gains)]
    first, second = (np.concatenate([[0.0], item]) for item in running)
    return first, second


def _coverage(
    scores: Scores, actual: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    if scores.low is None or scores.high is None:
        return None, None
    low, high = scores.low[rows], scores.high[rows]
    # Single precision must not push a true 0 out of an interval that begins at 0.
    inside = (actual >= low - 1e-6) & (actual <= high + 1e-6)
    return _mean(inside), _mean(high - low)


def _calibration_error(truth: Truth, scores: Scores) -> float | None:
    bins = calibration_bins(truth, scores)
    total = sum(item.num_words for item in bins)
    gaps = sum(abs(item.predicted_wer - item.actual_wer) * item.num_words for item in bins)
    return _ratio(gaps, total)


def _words(truth: Truth, scores: Scores) -> Mapping[str, Any]:
    if truth.word_wrong is None or scores.word_probabilities is None:
        return {}
    known = np.asarray(truth.word_wrong) >= 0
    wrong, said = np.asarray(truth.word_wrong)[known], scores.word_probabilities[known]
    return {
        "word_auc": word_auc(wrong, said),
        "word_nce": word_cross_entropy(wrong, said),
        "word_ece": word_calibration_error(wrong, said),
    }


def _correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    # A constant ranks nothing; numpy would warn and say NaN.
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:  # noqa: PLR2004  # two points
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _mean(values: npt.NDArray[np.generic]) -> float | None:
    return float(np.mean(values.astype(np.float64))) if len(values) else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if abs(whole) > _TINY else None
