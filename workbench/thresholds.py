"""What a review threshold would mean: how much to review, how many errors that catches."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.repositories import statistics

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["ThresholdEffect", "effect"]


@dataclass(frozen=True, slots=True)
class ThresholdEffect:
    """What is flagged at a threshold.

    Args:
        threshold: predicted WER from which a clip is flagged
        num_clips: assessed clips
        num_flagged: of these, flagged
        duration_s: length of all assessed clips
        flagged_s: length of the flagged ones
        expected_share: share of all expected word errors that are in flagged clips; ``None`` when
            no errors are expected at all
    """

    threshold: float
    num_clips: int
    num_flagged: int
    duration_s: float
    flagged_s: float
    expected_share: float | None


def effect(runtime: "Runtime", threshold: float) -> ThresholdEffect:
    """Work out what a threshold would flag among all clips, without choosing it.

    Args:
        runtime: the runtime
        threshold: predicted WER
    """
    with runtime.database.session() as session:
        clips = statistics.list_estimated(session)
    flagged = [clip for clip in clips if clip.is_flagged(threshold)]
    num_errors = sum(clip.expected_errors for clip in clips)
    return ThresholdEffect(
        threshold=threshold,
        num_clips=len(clips),
        num_flagged=len(flagged),
        duration_s=sum(clip.duration_s for clip in clips),
        flagged_s=sum(clip.duration_s for clip in flagged),
        expected_share=(
            sum(clip.expected_errors for clip in flagged) / num_errors if num_errors > 0 else None
        ),
    )
