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
        found = statistics.flagged_at(session, threshold)
    count = {name: float(values[0]) for name, values in found.items()}
    return ThresholdEffect(
        threshold=threshold,
        num_clips=int(count["num_clips"]),
        num_flagged=int(count["num_flagged"]),
        duration_s=count["duration_s"],
        flagged_s=count["flagged_s"],
        expected_share=count["flagged_errors"] / count["errors"] if count["errors"] > 0 else None,
    )
