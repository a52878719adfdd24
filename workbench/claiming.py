"""Holding a clip: open, keep, put off, hand to a lead, give back, take over."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qe_core.errors import ConflictError, ForbiddenError, NotFoundError, ReviewError
from storage.database import Session
from storage.records import Claim, Event, QueueEntry
from storage.repositories import assessments, claims, clips, drafts, entries, events, reviews, skips
from storage.repositories import queue as queued
from workbench import people, preferences
from workbench.tasks import AUDIT, ESCALATED, OPENED, SECOND, ReviewTask, make_task

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "Holding",
    "escalate",
    "holdings",
    "lost_claim",
    "open_clip",
    "release",
    "renew",
    "skip",
    "take_over",
]

_TAKEN_OVER = "review.taken_over"


@dataclass(frozen=True, slots=True)
class Holding:
    """A clip that somebody works on.

    Args:
        clip_id: the clip
        file_name: its name
        reviewer: who holds it
        claimed_at: since when
        expires_at: when it comes back unless renewed
    """

    clip_id: str
    file_name: str
    reviewer: str
    claimed_at: datetime
    expires_at: datetime


def open_clip(runtime: "Runtime", clip_id: str, reviewer: str) -> ReviewTask:
    """Claim one particular clip, e.g. because a link names it; nobody loses it by that.

    Whoever opens a clip that waits for a second person reviews it blind, unless they wrote the
    first review or are a lead, who see it.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        reviewer: who wants it

    Raises:
        NotFoundError: there is no such clip, or it has no transcript yet
        ConflictError: somebody else holds it
        ForbiddenError: it is a lead's business by now
    """
    lease_s = preferences.get(runtime).review.claim_s

    def work(session: Session) -> Claim | ConflictError:
        entry = _entry(session, clip_id)
        held = claims.find_active(session, clip_id)
        if held is not None and held.reviewer == reviewer:
            renewed = claims.renew(session, clip_id, held.token, lease_s=lease_s)
            return renewed or _held_by_another(session, held, reviewer)
        _check_access(session, entry, reviewer)
        policy, propensity = _how_it_came(session, entry, reviewer)
        claim = claims.claim(
            session, clip_id, reviewer, lease_s=lease_s, policy=policy, propensity=propensity
        )
        return claim or _held_by_another(session, held, reviewer)

    claim = runtime.database.write(work)
    if isinstance(claim, ConflictError):
        raise claim
    return make_task(runtime, claim)


def renew(runtime: "Runtime", clip_id: str, claim_token: str) -> datetime:
    """Keep a claim alive.

    Returns:
        when it expires now

    Raises:
        ConflictError: it expired or somebody else holds the clip; code ``taken_over`` when a lead
            took it, whose note is in the message
    """
    lease_s = preferences.get(runtime).review.claim_s
    claim = runtime.database.write(
        lambda session: claims.renew(session, clip_id, claim_token, lease_s=lease_s)
    )
    if claim is None:
        raise lost_claim(runtime, clip_id, claim_token)
    return claim.expires_at


def release(runtime: "Runtime", clip_id: str, claim_token: str) -> bool:
    """Give a clip back unreviewed; says whether the token held it. The draft stays."""

    def work(session: Session) -> bool:
        is_released = claims.release(session, clip_id, claim_token)
        if is_released:
            events.add(session, "review.released", clip_id=clip_id)
        return is_released

    return runtime.database.write(work)


def skip(runtime: "Runtime", clip_id: str, reviewer: str, claim_token: str) -> bool:
    """Put a clip off: it stays in the queue, for this reviewer behind everything else.

    Returns:
        whether the token held it; the clip is put off either way
    """

    def work(session: Session) -> bool:
        skips.add(session, clip_id, reviewer)
        events.add(session, "review.skipped", clip_id=clip_id, actor=reviewer)
        return claims.release(session, clip_id, claim_token)

    return runtime.database.write(work)


def escalate(
    runtime: "Runtime", clip_id: str, reviewer: str, claim_token: str, note: str = ""
) -> None:
    """Hand a clip to the leads: it leaves the queue of the annotators. The draft stays.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        reviewer: who cannot decide
        claim_token: of the task
        note: why, in a few words

    Raises:
        ConflictError: the claim is not held any more
    """

    def work(session: Session) -> bool:
        if not claims.release(session, clip_id, claim_token):
            return False
        entries.move(session, clip_id, "escalated")
        payload = {"note": " ".join(note.split())}
        events.add(session, ESCALATED, clip_id=clip_id, actor=reviewer, payload=payload)
        return True

    if not runtime.database.write(work):
        raise lost_claim(runtime, clip_id, claim_token)


def take_over(runtime: "Runtime", clip_id: str, actor: str, note: str) -> ReviewTask:
    """Take a clip from the reviewer who holds it, with what they typed so far.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        actor: a lead
        note: why; the reviewer who loses the clip reads it

    Returns:
        the task; as :func:`open_clip` does when nobody holds the clip any more

    Raises:
        ForbiddenError: the actor is no lead
        ReviewError: there is no note
        ConflictError: the clip changed hands at this very moment
    """
    note = " ".join(note.split())
    if not note:
        raise ReviewError(
            "Taking a clip over needs a note.",
            suggestion="Say in a few words why; the reviewer who loses the clip reads it.",
            code="note",
        )
    lease_s = preferences.get(runtime).review.claim_s

    def work(session: Session) -> Claim | None:
        people.require(session, actor, "lead")
        entry = _entry(session, clip_id)
        held = claims.find_active(session, clip_id)
        if held is None or held.reviewer == actor:
            return None
        is_own = held.policy == SECOND and entry.first_reviewer == actor
        taken = claims.take_over(
            session, held, actor, lease_s=lease_s, policy=OPENED if is_own else held.policy
        )
        if taken is None:
            raise _changed_hands()
        typed = drafts.find(session, clip_id, held.reviewer)
        if typed is not None and drafts.find(session, clip_id, actor) is None:
            drafts.save(session, clip_id, actor, typed.text, position_s=typed.position_s)
        payload = {"from": held.reviewer, "token": held.token, "note": note}
        events.add(session, _TAKEN_OVER, clip_id=clip_id, actor=actor, payload=payload)
        return taken

    claim = runtime.database.write(work)
    return open_clip(runtime, clip_id, actor) if claim is None else make_task(runtime, claim)


def holdings(runtime: "Runtime", actor: str | None) -> list[Holding]:
    """Who works on what at this moment, the longest first.

    Raises:
        ForbiddenError: only leads see it
    """
    with runtime.database.session() as session:
        people.require(session, actor, "lead")
        held = claims.list_active(session)
        names = clips.file_names(session, [claim.clip_id for claim in held])
    return [
        Holding(
            claim.clip_id, names[claim.clip_id], claim.reviewer, claim.claimed_at, claim.expires_at
        )
        for claim in sorted(held, key=lambda claim: claim.claimed_at)
        if claim.clip_id in names
    ]


def lost_claim(runtime: "Runtime", clip_id: str, claim_token: str) -> ConflictError:
    """What to say when a token no longer holds its clip: the lead's note, if one took it."""
    with runtime.database.session() as session:
        for event in events.list_recent(session, kind=_TAKEN_OVER, clip_id=clip_id):
            if event.payload.get("token") == claim_token:
                return _taken_over(event)
    return ConflictError(
        "This clip is no longer yours: the claim ran out, or it was saved in another tab.",
        suggestion="Your text is kept as a draft. Open the clip again to go on.",
        code="claim_lost",
    )


def _entry(session: Session, clip_id: str) -> QueueEntry:
    clips.get(session, clip_id)
    entry = entries.find(session, clip_id)
    if entry is None or assessments.find_latest(session, clip_id) is None:
        raise NotFoundError(
            "This clip has no transcript yet.",
            suggestion="Wait until it is ready; the intake page shows how far it is.",
            code="not_ready",
        )
    return entry


def _check_access(session: Session, entry: QueueEntry, reviewer: str) -> None:
    """Annotators open what waits for them, and what they themselves reviewed last."""
    people.require(session, reviewer, "annotator")
    if entry.stage in ("open", "second") or people.has(session, reviewer, "lead"):
        return
    last = reviews.find_latest(session, entry.clip_id)
    if entry.stage == "done" and last is not None and last.reviewer == reviewer:
        return
    why = {
        "escalated": "was handed to a lead",
        "disputed": "has two reviews that differ, between which a lead decides",
    }.get(entry.stage, "has been reviewed by somebody else")
    raise ForbiddenError(
        f"This clip {why}.",
        suggestion="Take the next clip, or ask a lead to look at this one.",
        code="lead_only",
    )


def _how_it_came(session: Session, entry: QueueEntry, reviewer: str) -> tuple[str, float | None]:
    """How the clip was drawn the first time; a second look, or a long lunch, changes nothing."""
    is_blind = entry.stage == "second" and entry.first_reviewer != reviewer
    if is_blind and not people.has(session, reviewer, "lead"):
        return SECOND, None
    last = reviews.find_latest(session, entry.clip_id)
    if last is not None:
        return last.policy, last.propensity
    claim = queued.find_claim(session, entry.clip_id)
    if claim is not None and (
        claim.policy == AUDIT or claim.reviewer == reviewer or entry.stage == "escalated"
    ):
        return claim.policy, claim.propensity
    return OPENED, None


def _held_by_another(session: Session, held: Claim | None, reviewer: str) -> ConflictError:
    """Who lost the clip to a lead reads the lead's note as long as the lead has it."""
    if held is not None:
        for event in events.list_recent(session, kind=_TAKEN_OVER, clip_id=held.clip_id):
            if event.actor == held.reviewer and event.payload.get("from") == reviewer:
                return _taken_over(event)
    return ConflictError(
        "Somebody else is reviewing this clip.",
        suggestion="Take the next clip; this one comes back if it is abandoned.",
        code="claimed",
    )


def _taken_over(event: Event) -> ConflictError:
    return ConflictError(
        f"{event.actor} has taken this clip over: “{event.payload.get('note', '')}”",
        suggestion="What you typed is kept, and was handed over. Take the next clip.",
        code="taken_over",
    )


def _changed_hands() -> ConflictError:
    return ConflictError(
        "The clip changed hands at this very moment.",
        suggestion="Look at who holds it now, then decide again.",
        code="claimed",
    )
