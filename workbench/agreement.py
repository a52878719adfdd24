"""How much two people agree who review the same clip without seeing each other's text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qe_core.wer import ErrorCounts, count_errors, pool
from storage.repositories import entries, seconds
from workbench import preferences
from workbench.verdict import is_agreed

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers differ: a floor below which no WER of the engine can be told.

    Args:
        num_pairs: clips that two people have reviewed
        num_same: of these, those where both found the same
        num_unusable: of these, those that at least one of them rejected; they have no WER
        counts: the second text against the first, over all other pairs; their WER is pooled
        num_waiting: clips that wait for their second person
        num_disputed: clips that wait for a lead to decide
        share: share of the clips that is chosen now
    """

    num_pairs: int
    num_same: int
    num_unusable: int
    counts: ErrorCounts
    num_waiting: int
    num_disputed: int
    share: float


def agreement(runtime: "Runtime") -> Agreement:
    """Compare all pairs of reviews as they were written, whatever a lead decided since.

    Args:
        runtime: the runtime
    """
    with runtime.database.session() as session:
        pairs = seconds.list_pairs(session)
        num_waiting = entries.num_in_stage(session, "second")
        num_disputed = entries.num_in_stage(session, "disputed")
    usable = [pair for pair in pairs if pair.first.counts and pair.second.counts]
    return Agreement(
        num_pairs=len(pairs),
        num_same=sum(is_agreed(pair.first, pair.second) for pair in pairs),
        num_unusable=len(pairs) - len(usable),
        counts=pool(count_errors(pair.first.text, pair.second.text) for pair in usable),
        num_waiting=num_waiting,
        num_disputed=num_disputed,
        share=preferences.get(runtime).review.double_share,
    )
