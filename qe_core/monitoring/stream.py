"""How good the stream of transcripts is: its WER with a confidence interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["MIN_AUDITS", "MIN_RECORDINGS", "Interval", "StreamWer", "TooFewAudits", "stream_wer"]

MIN_AUDITS = 20
"""Fewer audits than this and the interval does not hold what it promises."""
MIN_RECORDINGS = 10
"""Recordings are what is resampled; fewer of them and there is nothing to resample."""

_MAX_CLUSTERS = 1000
_CHUNK = 200

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Interval:
    """A WER with its confidence interval at ``level``."""

    wer: float
    low: float
    high: float
    level: float

    @property
    def width(self) -> float:
        """``high - low``."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class StreamWer:
    """The WER of a stream in which only some clips have a reference.

    Args:
        combined: estimates of all clips, corrected by what the audits found (PPI)
        classical: from the audits alone, as if there were no estimates
        predicted_wer: what the estimates alone say, without any correction
        num_clips: clips in the stream
        num_audits: uniformly drawn clips with a reference
        num_recordings: recordings that the audits come from
    """

    combined: Interval
    classical: Interval
    predicted_wer: float
    num_clips: int
    num_audits: int
    num_recordings: int


@dataclass(frozen=True, slots=True)
class TooFewAudits:
    """No interval yet: a number without one would only look like knowledge.

    Args:
        num_audits: audits so far
        num_recordings: recordings that they come from
        min_audits: audits that are needed
        min_recordings: recordings that are needed
        predicted_wer: what the estimates alone say; ``None`` for an empty stream
    """

    num_audits: int
    num_recordings: int
    min_audits: int
    min_recordings: int
    predicted_wer: float | None


def stream_wer(  # noqa: PLR0913 - six parallel columns of one table, named at every call
    *,
    predicted_errors: Values,
    predicted_words: Values,
    errors: Values,
    words: Values,
    is_audit: Flags,
    recordings: npt.NDArray[np.str_],
    rng: np.random.Generator,
    level: float = 0.95,
    num_draws: int = 1000,
) -> StreamWer | TooFewAudits:
    """Estimate the pooled WER of a stream from all estimates and a few audits.

    Errors and words are both estimated as *mean over all clips of what we predict, plus mean over
    the audits of what we got wrong*, and the WER is their ratio, so that long clips weigh more. A
    clip that was reviewed for another reason than an audit is no part of the sample: its own truth
    replaces its estimate, and the audits speak for the rest.

    Args:
        predicted_errors: expected errors of every clip, shape ``(num_clips,)``
        predicted_words: expected reference words of every clip, shape ``(num_clips,)``
        errors: true errors where reviewed, NaN elsewhere
        words: true reference words where reviewed, NaN elsewhere
        is_audit: which of the reviewed clips were drawn uniformly
        recordings: what each clip is part of; clips of one recording are not independent
        rng: the only source of chance
        level: nominal coverage of the intervals
        num_draws: bootstrap draws

    Returns:
        both intervals, or :class:`TooFewAudits`

    References:
        Angelopoulos et al. (2023), Prediction-powered inference, arXiv 2301.09633, eq. 2.
        Hesterberg (2015), What teachers should know about the bootstrap, §5.3.1: percentile
        intervals of small samples are too narrow unless expanded.
    """
    is_reviewed = np.isfinite(errors) & np.isfinite(words)
    is_audit = is_audit & is_reviewed
    num_recordings = len(np.unique(recordings[is_audit]))
    predicted = _ratio(predicted_errors.sum(), predicted_words.sum())
    if is_audit.sum() < MIN_AUDITS or num_recordings < MIN_RECORDINGS or predicted is None:
        return TooFewAudits(
            int(is_audit.sum()), num_recordings, MIN_AUDITS, MIN_RECORDINGS, predicted
        )
    is_known = is_reviewed & ~is_audit
    best_errors = np.where(is_known, errors, predicted_errors)
    best_words = np.where(is_known, words, predicted_words)
    table = np.stack(
        [
            best_errors,
            best_words,
            ~is_known,
            is_audit,
            np.where(is_audit, errors - predicted_errors, 0.0),
            np.where(is_audit, words - predicted_words, 0.0),
            np.where(is_audit, errors, 0.0),
            np.where(is_audit, words, 0.0),
        ],
        axis=1,
    )
    clusters = _cluster_sums(table, recordings, is_audit, rng)
    point = _both_wers(clusters.sum(axis=0)[None, :])[0]
    draws = _bootstrap(clusters, num_draws, rng)
    tail = _expanded_tail(level, num_recordings)
    lows, highs = np.nanquantile(draws, [tail, 1.0 - tail], axis=0)
    combined, classical = (
        Interval(float(point[k]), max(0.0, float(lows[k])), float(highs[k]), level) for k in (0, 1)
    )
    return StreamWer(
        combined, classical, predicted, len(errors), int(is_audit.sum()), num_recordings
    )


def _ratio(errors: float, words: float) -> float | None:
    return float(errors / words) if words > 0 else None


def _cluster_sums(
    table: Values, recordings: npt.NDArray[np.str_], is_audit: Flags, rng: np.random.Generator
) -> Values:
    """Sum the table by recording; recordings without audits are pooled into random groups.

    Random groups of independent recordings are independent again, so the bootstrap stays valid
    while its cost no longer grows with the stream.
    """
    _, cluster = np.unique(recordings, return_inverse=True)
    sums = np.zeros((int(cluster.max()) + 1, table.shape[1]))
    np.add.at(sums, cluster, table)
    has_audit = np.bincount(cluster, weights=is_audit) > 0
    quiet = sums[~has_audit]
    if len(quiet) <= _MAX_CLUSTERS:
        return sums
    groups = np.zeros((_MAX_CLUSTERS, table.shape[1]))
    np.add.at(groups, rng.permutation(len(quiet)) % _MAX_CLUSTERS, quiet)
    return np.concatenate([sums[has_audit], groups])


def _both_wers(sums: Values) -> Values:
    """Combined and classical WER from column sums, shape ``(num_draws, 2)``; NaN if undefined."""
    best_errors, best_words, num_open, num_audits, *rest = sums.T
    residual_errors, residual_words, audit_errors, audit_words = rest
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = num_open / num_audits
        combined = (best_errors + scale * residual_errors) / (best_words + scale * residual_words)
        classical = audit_errors / audit_words
    wers = np.stack([combined, classical], axis=1)
    return np.where(np.isfinite(wers), wers, np.nan)


def _bootstrap(clusters: Values, num_draws: int, rng: np.random.Generator) -> Values:
    num_clusters = len(clusters)
    shares = np.full(num_clusters, 1.0 / num_clusters)
    draws = []
    for start in range(0, num_draws, _CHUNK):
        size = min(_CHUNK, num_draws - start)
        counts = rng.multinomial(num_clusters, shares, size=size)
        draws.append(_both_wers(counts @ clusters))
    return np.concatenate(draws)


def _expanded_tail(level: float, num_recordings: int) -> float:
    """Tail probability whose normal quantile is as far out as Student's for this few recordings."""
    quantile = stats.t.ppf((1.0 - level) / 2.0, num_recordings - 1)
    return float(stats.norm.cdf(quantile * np.sqrt(num_recordings / (num_recordings - 1))))
