"""The review desk: draw a clip, hold it, keep drafts, save a verdict, say what was predicted."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qe_core.config import ReviewSettings
from qe_core.errors import ConflictError, NotFoundError
from qe_core.monitoring import sampling
from qe_core.types import Estimate, FloatArray, Transcript
from storage.database import Session
from storage.records import Claim, Clip, Draft, Review
from storage.repositories import (
    assessments,
    claims,
    clips,
    drafts,
    events,
    hypotheses,
    reviews,
)
from storage.repositories import queue as queued
from workbench import preferences
from workbench.verdict import REJECT_REASONS, ReviewResult, lost_claim, submit

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "OPENED",
    "REJECT_REASONS",
    "QueueItem",
    "ReviewResult",
    "ReviewTask",
    "next_clip",
    "open_clip",
    "queue",
    "release",
    "renew",
    "reopen_last",
    "save_draft",
    "submit",
]

OPENED = "opened"
"""Policy of a clip that somebody chose; it says nothing about the stream."""

_AUDIT: sampling.Policy = "audit"
# One process owns the database: drawing one at a time spares every thread from losing the same top
# clip to the first and drawing again. The claim itself stays a compare-and-set.
_DRAWING = threading.Lock()
_NO_PEAKS: FloatArray = np.zeros((0, 2), np.float32)


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A clip that a reviewer holds, with everything the desk shows.

    What is shown is pinned to the moment of the claim: a new transcript or estimate that arrives
    while somebody types is not what they judged.

    Args:
        clip: the clip
        media_path: its audio
        peaks: waveform, shape ``(num_bins, 2)``; no bins when it is not cached
        transcript: the hypothesis to judge
        estimate: what was predicted for it
        flagged: review recommended at the current threshold
        draft: unsaved work, or the previous correction when the clip is opened again
        previous: the review that counts so far
        claim_token: to be handed back with every call about this clip
        expires_at: when the claim comes back unless renewed
        queue_length: clips without a review, this one included
    """

    clip: Clip
    media_path: Path
    peaks: FloatArray
    transcript: Transcript
    estimate: Estimate
    flagged: bool
    draft: Draft | None
    previous: Review | None
    claim_token: str
    expires_at: datetime
    queue_length: int


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A clip that waits for a review.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        predicted_wer: predicted WER
        low: lower end of the interval
        high: upper end of the interval
        expected_errors: expected word errors
        errors_per_minute: what a minute of review buys; the queue's order
        flagged: review recommended at the current threshold
        claimed_by: who holds it at the moment
    """

    clip_id: str
    file_name: str
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    errors_per_minute: float
    flagged: bool
    claimed_by: str | None


@dataclass(frozen=True, slots=True)
class _Wish:
    reviewer: str
    skip: frozenset[str]
    only_flagged: bool


def next_clip(
    runtime: "Runtime",
    reviewer: str,
    *,
    skip: Collection[str] = (),
    only_flagged: bool = False,
    rng: np.random.Generator | None = None,
) -> ReviewTask | None:
    """Give a reviewer the clip they hold already, or draw and claim the next one.

    Args:
        runtime: the process's runtime
        reviewer: who asks
        skip: clips that they do not want now; not for filtering, for an audit must be able to draw
            any clip
        only_flagged: draw flagged clips alone, none of them as an audit
        rng: source of chance; fresh by default

    Returns:
        the task, or ``None`` when nothing waits
    """
    wish = _Wish(reviewer, frozenset(skip), only_flagged)
    settings = preferences.get(runtime).review
    rng = rng or np.random.default_rng()
    with _DRAWING:
        claim = runtime.database.write(
            lambda session: _hold(session, wish, settings) or _draw(session, wish, settings, rng)
        )
    return None if claim is None else _task(runtime, claim)


def open_clip(runtime: "Runtime", clip_id: str, reviewer: str) -> ReviewTask:
    """Claim one particular clip, reviewed already or not.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        reviewer: who wants it

    Raises:
        NotFoundError: there is no such clip, or it has no transcript yet
        ConflictError: somebody else holds it
    """
    lease_s = preferences.get(runtime).review.claim_s

    def work(session: Session) -> Claim | None:
        clips.get(session, clip_id)
        if assessments.find_latest(session, clip_id) is None:
            raise NotFoundError(
                "This clip has no transcript yet.",
                suggestion="Wait until it is ready; the intake page shows how far it is.",
                code="not_ready",
            )
        held = claims.find_active(session, clip_id)
        if held is not None and held.reviewer == reviewer:
            return claims.renew(session, clip_id, held.token, lease_s=lease_s)
        policy, propensity = _earlier_draw(session, clip_id, reviewer)
        return claims.claim(
            session, clip_id, reviewer, lease_s=lease_s, policy=policy, propensity=propensity
        )

    claim = runtime.database.write(work)
    if claim is None:
        raise ConflictError(
            "Somebody else is reviewing this clip.",
            suggestion="Take the next clip; this one comes back if it is abandoned.",
            code="claimed",
        )
    return _task(runtime, claim)


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


def queue(runtime: "Runtime", *, limit: int = 50) -> list[QueueItem]:
    """The clips that wait, in the order of what a minute of review buys.

    The draw follows this order for most clips, but not for all: see
    :mod:`qe_core.monitoring.sampling`.
    """
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        waiting = queued.list_open(session)
        holders = {claim.clip_id: claim.reviewer for claim in claims.list_active(session)}
    items = [
        QueueItem(
            clip_id=row.clip_id,
            file_name=row.file_name,
            duration_s=row.duration_s,
            predicted_wer=row.predicted_wer,
            low=row.low,
            high=row.high,
            expected_errors=row.expected_errors,
            errors_per_minute=60.0 * row.expected_errors / max(row.duration_s, 1e-3),
            flagged=row.is_flagged(threshold),
            claimed_by=holders.get(row.clip_id),
        )
        for row in waiting
    ]
    return sorted(items, key=lambda item: item.errors_per_minute, reverse=True)[:limit]


def save_draft(
    runtime: "Runtime",
    clip_id: str,
    reviewer: str,
    text: str,
    *,
    position_s: float = 0.0,
    cursor: int = 0,
) -> None:
    """Keep what is being typed; cheap enough for every pause in typing.

    It needs no claim: what somebody typed is kept even when the clip has gone to somebody else.
    """

    def work(session: Session) -> None:
        if claims.find_active(session, clip_id) is None:
            # The page's last autosave may arrive after the verdict that made it obsolete.
            last = reviews.find_latest(session, clip_id)
            if last is not None and (last.reviewer, last.text) == (reviewer, text):
                return
        drafts.save(session, clip_id, reviewer, text, position_s=position_s, cursor=cursor)

    runtime.database.write(work)


def renew(runtime: "Runtime", clip_id: str, claim_token: str) -> datetime:
    """Keep a claim alive.

    Returns:
        when it expires now

    Raises:
        ConflictError: it expired or somebody else holds the clip
    """
    lease_s = preferences.get(runtime).review.claim_s
    claim = runtime.database.write(
        lambda session: claims.renew(session, clip_id, claim_token, lease_s=lease_s)
    )
    if claim is None:
        raise lost_claim()
    return claim.expires_at


def release(runtime: "Runtime", clip_id: str, claim_token: str) -> bool:
    """Give a clip back unreviewed; says whether the token held it. The draft stays."""

    def work(session: Session) -> bool:
        is_released = claims.release(session, clip_id, claim_token)
        if is_released:
            events.add(session, "review.released", clip_id=clip_id)
        return is_released

    return runtime.database.write(work)


def _hold(session: Session, wish: _Wish, settings: ReviewSettings) -> Claim | None:
    """The claim that the reviewer has already: a reload shows the same clip again."""
    mine = [
        claim
        for claim in claims.list_active(session)
        if claim.reviewer == wish.reviewer and claim.clip_id not in wish.skip
    ]
    if not mine:
        return None
    newest = max(mine, key=lambda claim: claim.claimed_at)
    return claims.renew(session, newest.clip_id, newest.token, lease_s=settings.claim_s)


def _draw(
    session: Session, wish: _Wish, settings: ReviewSettings, rng: np.random.Generator
) -> Claim | None:
    held = {claim.clip_id for claim in claims.list_active(session)}
    pool = [row for row in queued.list_open(session) if row.clip_id not in held | wish.skip]
    if wish.only_flagged:
        pool = [row for row in pool if row.is_flagged(settings.threshold)]
        settings = settings.model_copy(update={"share_audit": 0.0})
    if not pool:
        return None
    drawn = sampling.draw(
        sampling.errors_per_second(
            np.array([row.expected_errors for row in pool]),
            np.array([row.duration_s for row in pool]),
        ),
        np.array([row.high - row.low for row in pool]),
        settings,
        rng,
    )
    clip_id, policy, propensity = pool[drawn.index].clip_id, drawn.policy, drawn.propensity
    offered = {row.clip_id for row in pool}
    owed = {c.clip_id: c for c in queued.list_owed_audits(session) if c.clip_id in offered}
    if policy == _AUDIT and owed:
        clip_id = next(iter(owed))
    if clip_id in owed:
        # Drawn as an audit once, an audit for ever, whichever way it comes back.
        policy, propensity = _AUDIT, owed[clip_id].propensity or propensity
    claim = claims.claim(
        session,
        clip_id,
        wish.reviewer,
        lease_s=settings.claim_s,
        policy=policy,
        propensity=propensity,
    )
    if claim is not None:
        payload = {"policy": policy, "propensity": propensity, "num_waiting": len(pool)}
        events.add(session, "review.drawn", clip_id=clip_id, actor=wish.reviewer, payload=payload)
    return claim


def _earlier_draw(session: Session, clip_id: str, reviewer: str) -> tuple[str, float | None]:
    """How the clip was drawn the first time; a second look, or a long lunch, changes nothing."""
    claim = queued.find_claim(session, clip_id)
    last = reviews.find_latest(session, clip_id)
    if last is not None:
        return last.policy, last.propensity
    if claim is not None and (claim.policy == _AUDIT or claim.reviewer == reviewer):
        return claim.policy, claim.propensity
    return OPENED, None


def _task(runtime: "Runtime", claim: Claim) -> ReviewTask:
    with runtime.database.session() as session:
        clip = clips.get(session, claim.clip_id)
        assessment = queued.pinned_assessment(session, claim)
        hypothesis = hypotheses.get(session, assessment.hypothesis_id)
        draft = drafts.find(session, claim.clip_id, claim.reviewer)
        previous = reviews.find_latest(session, claim.clip_id)
        queue_length = queued.num_open(session)
    peaks = runtime.media.peaks(clip.id)
    if draft is None and previous is not None and previous.verdict != "reject":
        draft = Draft(
            claim.clip_id, claim.reviewer, previous.text, 0.0, 0, updated_at=previous.created_at
        )
    return ReviewTask(
        clip=clip,
        media_path=runtime.media.place(clip.id),
        peaks=_NO_PEAKS if peaks is None else peaks,
        transcript=hypothesis.transcript,
        estimate=assessment.estimate,
        flagged=assessment.is_flagged(preferences.get(runtime).review.threshold),
        draft=draft,
        previous=previous,
        claim_token=claim.token,
        expires_at=claim.expires_at,
        queue_length=queue_length,
    )
