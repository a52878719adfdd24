"""What a budget of review minutes buys: which threshold spends it, and what that finds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Groups", "Plan", "plan", "threshold_for"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Groups:
    """A stream by predicted WER, worst first.

    Args:
        wer: predicted WER from which a clip belongs to the group; infinity where a rule flags it
        duration_s: audio
        errors: expected word errors
        words: expected reference words
    """

    wer: Values
    duration_s: Values
    errors: Values
    words: Values


@dataclass(frozen=True, slots=True)
class Plan:
    """What reviewing every flagged clip means.

    Args:
        threshold: predicted WER from which a clip is flagged
        minutes: work, in the time that the groups cover
        share_of_audio: audio that is flagged
        share_of_errors: word errors that are in flagged clips; ``None`` when none are expected
        residual_wer: WER of the stream when flagged clips are right; ``None`` without words
        wer: WER of the stream as it is
    """

    threshold: float
    minutes: float
    share_of_audio: float
    share_of_errors: float | None
    residual_wer: float | None
    wer: float | None


def threshold_for(groups: Groups, minutes: float, minutes_per_audio_minute: float) -> float:
    """The lowest threshold whose flags do not take longer to review than the budget.

    Args:
        groups: the stream
        minutes: budget, for the time that the groups cover
        minutes_per_audio_minute: work that a minute of audio makes

    Returns:
        predicted WER; just above the worst group when the budget is too small even for that
    """
    cost = np.cumsum(groups.duration_s) / 60 * minutes_per_audio_minute
    # What a rule flags is reviewed at any threshold.
    affordable = np.flatnonzero((cost <= minutes + 1e-9) & np.isfinite(groups.wer))
    if len(affordable):
        return float(groups.wer[affordable[-1]])
    finite = groups.wer[np.isfinite(groups.wer)]
    return float(finite[0]) + 0.01 if len(finite) else 0.0


def plan(
    groups: Groups, threshold: float, minutes_per_audio_minute: float, *, wer: float | None = None
) -> Plan:
    """What a threshold means for work and errors.

    Args:
        groups: the stream
        threshold: predicted WER from which a clip is flagged
        minutes_per_audio_minute: work that a minute of audio makes
        wer: of the stream as audits found it; what the estimates say by default
    """
    flagged = groups.wer >= threshold - 1e-9
    errors, words = float(groups.errors.sum()), float(groups.words.sum())
    found, audio_s = float(groups.errors[flagged].sum()), float(groups.duration_s.sum())
    share = found / errors if errors > 0 else None
    if wer is None and words > 0:
        wer = errors / words
    return Plan(
        threshold=threshold,
        minutes=float(groups.duration_s[flagged].sum()) / 60 * minutes_per_audio_minute,
        share_of_audio=float(groups.duration_s[flagged].sum()) / audio_s if audio_s else 0.0,
        share_of_errors=share,
        residual_wer=None if wer is None else wer * (1 - (share or 0.0)),
        wer=wer,
    )
