"""What became of a clip's text: every version, who wrote it, what it changed, and going back."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qe_core.errors import NotFoundError, ReviewError
from qe_core.types import Verdict
from qe_core.wer import AlignedWord, align
from storage.database import Session
from storage.records import Event, Review, SecondReview
from storage.repositories import entries, events, hypotheses, reviews, seconds
from workbench import people
from workbench.adjudication import add_decision

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["RESTORE", "ClipHistory", "Step", "Version", "clip_history", "restore"]

RESTORE = "restore"
"""Origin of a review by which a lead went back to an earlier one."""

_STEPS = {
    "review.drawn": "was given the clip",
    "review.released": "the clip went back to the queue",
    "review.skipped": "put it off",
    "review.escalated": "handed it to a lead",
    "review.given_back": "gave it back to the annotators",
    "review.taken_over": "took it over",
}


@dataclass(frozen=True, slots=True)
class Version:
    """A review and how its text differs from what the engine wrote.

    Args:
        review: the review
        alignment: its text against the hypothesis, word by word; empty on a reject
        is_counting: it is the one that counts
        is_second: it was written without seeing the first one, and counts only for agreement
    """

    review: Review
    alignment: tuple[AlignedWord, ...]
    is_counting: bool
    is_second: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a clip besides its reviews."""

    created_at: datetime
    actor: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class ClipHistory:
    """Everything that people did with a clip.

    Args:
        versions: every review, oldest first
        steps: what else happened, oldest first
        can_restore: the person who looks may go back to an earlier version
        is_hidden: another person is to review the clip without seeing the first review, so that
            its text is not shown to those who could be that person
    """

    versions: tuple[Version, ...]
    steps: tuple[Step, ...]
    can_restore: bool
    is_hidden: bool


def clip_history(runtime: "Runtime", clip_id: str, viewer: str | None) -> ClipHistory:
    """Collect a clip's history.

    Args:
        runtime: the runtime
        clip_id: the clip
        viewer: who looks
    """
    with runtime.database.session() as session:
        entry = entries.find(session, clip_id)
        is_lead = people.has(session, viewer, "lead")
        counted = reviews.list_for_clip(session, clip_id)
        blind = seconds.list_for_clip(session, clip_id)
        texts = {
            review.hypothesis_id: hypotheses.get(session, review.hypothesis_id).text
            for review in (*counted, *blind)
        }
        happened = [
            event
            for event in events.list_recent(session, clip_id=clip_id, limit=500)
            if event.kind in _STEPS
        ]
    is_open = entry is not None and entry.stage == "second"
    everything = sorted((*counted, *blind), key=lambda review: review.id)
    if is_open and not is_lead:
        everything = [review for review in everything if review.reviewer == viewer]
    versions = tuple(
        Version(
            review=review,
            alignment=()
            if review.counts is None
            else align(review.text, texts[review.hypothesis_id], normaliser=review.normaliser),
            is_counting=bool(counted) and review.id == counted[-1].id,
            is_second=isinstance(review, SecondReview),
        )
        for review in everything
    )
    return ClipHistory(
        versions=versions,
        steps=tuple(_step(event) for event in reversed(happened)),
        can_restore=is_lead,
        is_hidden=is_open and not is_lead and len(versions) < len(counted) + len(blind),
    )


def restore(runtime: "Runtime", review_id: str, actor: str) -> Review:
    """Make an earlier version count again, as a new review; nothing is taken away.

    Args:
        runtime: the runtime
        review_id: the version, a first or a second review
        actor: a lead

    Raises:
        ForbiddenError: the actor is no lead
        NotFoundError: there is no such review
        ReviewError: it is the one that counts
    """

    def work(session: Session) -> Review:
        people.require(session, actor, "lead")
        wanted = reviews.find(session, review_id) or seconds.find(session, review_id)
        if wanted is None:
            raise NotFoundError(
                f"There is no review {review_id!r}.", suggestion="Open the clip's history again."
            )
        counting = reviews.find_latest(session, wanted.clip_id)
        if counting is None or counting.id == wanted.id:
            raise ReviewError(
                "This version counts already.", suggestion="Choose an earlier one.", code="counts"
            )
        verdict: Verdict = "reject" if wanted.counts is None else "correct"
        return add_decision(
            session,
            counting,
            hypotheses.get(session, wanted.hypothesis_id),
            actor=actor,
            verdict=verdict,
            text=wanted.text,
            reject_reason=wanted.reject_reason,
            origin=RESTORE,
        )

    return runtime.database.write(work)


def _step(event: Event) -> Step:
    taken_from = event.payload.get("from")
    what = _STEPS[event.kind] + (f" from {taken_from}" if taken_from else "")
    return Step(event.created_at, event.actor or "", what, str(event.payload.get("note", "")))
