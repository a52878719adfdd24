"""The review desk: draw a clip, hold it, keep drafts, save a verdict, say what was predicted.

The parts are next door: :mod:`workbench.drawing` draws, :mod:`workbench.claiming` holds,
:mod:`workbench.verdict` saves, :mod:`workbench.tasks` is what the desk shows.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from storage.database import Session
from storage.repositories import claims, drafts, reviews, seconds
from storage.repositories import queue as queued
from storage.repositories.pool import Choices, QueueFilter
from workbench.claiming import (
    Holding,
    escalate,
    holdings,
    open_clip,
    release,
    renew,
    skip,
    take_over,
)
from workbench.drawing import (
    QueueItem,
    filter_choices,
    is_clip_waiting,
    next_clip,
    num_waiting,
    queue,
)
from workbench.tasks import OPENED, ReviewTask
from workbench.verdict import REJECT_REASONS, ReviewResult, submit

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "OPENED",
    "REJECT_REASONS",
    "Choices",
    "Holding",
    "QueueFilter",
    "QueueItem",
    "ReviewResult",
    "ReviewTask",
    "escalate",
    "filter_choices",
    "holdings",
    "is_clip_waiting",
    "next_clip",
    "num_waiting",
    "open_clip",
    "queue",
    "release",
    "renew",
    "reopen_last",
    "save_draft",
    "skip",
    "submit",
    "take_over",
]


def reopen_last(runtime: "Runtime", reviewer: str) -> ReviewTask | None:
    """Open the clip that a reviewer saved last, with what they saved, to correct it.

    The earlier review stays in the table; once a newer one is saved, that one counts.

    Returns:
        the task, or ``None`` when nothing of theirs counts any more

    Raises:
        ConflictError: somebody else holds the clip
    """
    with runtime.database.session() as session:
        mine = queued.find_last_review(session, reviewer)
    return None if mine is None else open_clip(runtime, mine.clip_id, reviewer)


def save_draft(
    runtime: "Runtime",
    clip_id: str,
    reviewer: str,
    text: str,
    *,
    position_s: float = 0.0,
    cursor: int = 0,
    layout: Sequence[Sequence[float]] | None = None,
) -> None:
    """Keep what is being typed; cheap enough for every pause in typing.

    It needs no claim: what somebody typed is kept even when the clip has gone to somebody else.
    """

    def work(session: Session) -> None:
        if claims.find_active(session, clip_id) is None:
            # The page's last autosave may arrive after the verdict that made it obsolete.
            saved = (reviews.find_latest(session, clip_id), seconds.find_latest(session, clip_id))
            if any(last and (last.reviewer, last.text) == (reviewer, text) for last in saved):
                return
        drafts.save(
            session,
            clip_id,
            reviewer,
            text,
            position_s=position_s,
            cursor=cursor,
            layout=layout,
        )

    runtime.database.write(work)
