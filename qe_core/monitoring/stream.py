"""How good the stream of transcripts is: its WER with a confidence interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = [
    "CLUSTER_COLUMNS",
    "MIN_AUDITS",
    "MIN_RECORDINGS",
    "Interval",
    "StreamWer",
    "TooFewAudits",
    "stream_wer",
    "stream_wer_of_clusters",
]

MIN_AUDITS = 20
"""Fewer audits than this and the interval does not hold what it promises."""
MIN_RECORDINGS = 10
"""Recordings are what is independent; fewer of them and nobody knows how much they vary."""

CLUSTER_COLUMNS = (
    "predicted_errors",
    "predicted_words",
    "best_errors",
    "best_words",
    "num_open",
    "num_audits",
    "residual_errors",
    "residual_words",
    "audit_errors",
    "audit_words",
    "num_clips",
)
"""Sums over the clips of a recording that :func:`stream_wer_of_clusters` needs, in this order.

``best`` is the truth of a clip that was reviewed for another reason than an audit, the estimate of
any other, which is ``open``; ``residual`` is truth minus estimate of the audits.
"""


_NUM_AUDITS = CLUSTER_COLUMNS.index("num_audits")
_NUM_CLIPS = CLUSTER_COLUMNS.index("num_clips")

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


def stream_wer(
    *,
    predicted_errors: Values,
    predicted_words: Values,
    errors: Values,
    words: Values,
    is_audit: Flags,
    recordings: npt.NDArray[np.str_],
    level: float = 0.95,
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
        level: nominal coverage of the intervals

    Returns:
        both intervals, or :class:`TooFewAudits`

    References:
        Angelopoulos et al. (2023), Prediction-powered inference, arXiv 2301.09633, eq. 2.
    """
    is_reviewed = np.isfinite(errors) & np.isfinite(words)
    is_audit = is_audit & is_reviewed
    is_known = is_reviewed & ~is_audit
    table = np.stack(
        [
            predicted_errors,
            predicted_words,
            np.where(is_known, errors, predicted_errors),
            np.where(is_known, words, predicted_words),
            ~is_known,
            is_audit,
            np.where(is_audit, errors - predicted_errors, 0.0),
            np.where(is_audit, words - predicted_words, 0.0),
            np.where(is_audit, errors, 0.0),
            np.where(is_audit, words, 0.0),
            np.ones(len(errors)),
        ],
        axis=1,
    )
    _, cluster = np.unique(recordings, return_inverse=True)
    sums = np.zeros((int(cluster.max()) + 1 if len(cluster) else 0, table.shape[1]))
    np.add.at(sums, cluster, table)
    return stream_wer_of_clusters(sums, level=level)


def stream_wer_of_clusters(sums: Values, *, level: float = 0.95) -> StreamWer | TooFewAudits:
    """The same from sums by recording, which a database makes faster than Python.

    Recordings without an audit may be pooled into random groups beforehand: groups of independent
    recordings are independent again.

    Args:
        sums: one row per recording or group, columns as :data:`CLUSTER_COLUMNS`
        level: nominal coverage of the intervals

    Returns:
        both intervals, or :class:`TooFewAudits`

    References:
        Cochran (1977), Sampling techniques, eq. 6.13 and §11.7: the variance of a ratio is that of
        its linearised residuals, summed by cluster.
    """
    total = sums.sum(axis=0)
    num_audits = int(total[_NUM_AUDITS])
    num_recordings = int(np.count_nonzero(sums[:, _NUM_AUDITS]))
    predicted = _ratio(total[0], total[1])
    if num_audits < MIN_AUDITS or num_recordings < MIN_RECORDINGS or predicted is None:
        return TooFewAudits(num_audits, num_recordings, MIN_AUDITS, MIN_RECORDINGS, predicted)
    combined, classical = _linearised(sums)
    return StreamWer(
        _interval(*combined, num_recordings, level),
        _interval(*classical, num_recordings, level),
        predicted,
        int(total[_NUM_CLIPS]),
        num_audits,
        num_recordings,
    )


def _ratio(errors: float, words: float) -> float | None:
    return float(errors / words) if words > 0 else None


def _linearised(sums: Values) -> tuple[tuple[float, Values], tuple[float, Values]]:
    """Combined and classical WER, each with what every cluster adds to its error."""
    *_, num_open, num_audits, residual_errors, residual_words, errors, words, _ = sums.T
    scale = num_open.sum() / num_audits.sum()
    # The number of open clips and of audits is as random as everything else.
    wobble = num_open / num_audits.sum() - scale * num_audits / num_audits.sum()
    parts = []
    for best, residual in ((sums[:, 2], residual_errors), (sums[:, 3], residual_words)):
        parts.append((best.sum() + scale * residual.sum(), best + scale * residual))
        parts[-1] = (parts[-1][0], parts[-1][1] + wobble * residual.sum())
    (top, top_parts), (bottom, bottom_parts) = parts
    combined = top / bottom
    classical = errors.sum() / words.sum()
    return (
        (float(combined), (top_parts - combined * bottom_parts) / bottom),
        (float(classical), (errors - classical * words) / words.sum()),
    )


def _interval(wer: float, parts: Values, num_recordings: int, level: float) -> Interval:
    """Student's interval; recordings without an audit hardly add to it and are not counted."""
    correction = num_recordings / (num_recordings - 1)
    error = float(np.sqrt(correction * np.square(parts).sum()))
    reach = float(stats.t.ppf((1.0 + level) / 2.0, num_recordings - 1)) * error
    return Interval(wer, max(0.0, wer - reach), wer + reach, level)
