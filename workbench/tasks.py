"""What the desk shows of a clip that somebody holds."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qe_core.types import Estimate, FloatArray, Transcript
from storage.database import Session
from storage.records import Claim, Clip, Draft, Review
from storage.repositories import clips, drafts, events, hypotheses, pool, reviews
from storage.repositories import queue as queued
from storage.repositories.pool import QueueFilter
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["AUDIT", "ESCALATED", "FILTERED", "OPENED", "SECOND", "ReviewTask", "make_task"]

AUDIT = "audit"
"""Policy of a clip drawn uniformly over all that wait: only these tell about the stream."""

FILTERED = "filtered"
"""Policy of a clip drawn uniformly over what passed a filter; it says nothing about the stream."""

OPENED = "opened"
"""Policy of a clip that somebody chose; it says nothing about the stream."""

SECOND = "second"
"""Policy of a clip that another person has reviewed and this one reviews without seeing that."""

ESCALATED = "review.escalated"
"""Event of a clip that an annotator handed to a lead; its payload holds the note."""

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
        previous: the review that counts so far; ``None`` for a second review, which is blind
        claim_token: to be handed back with every call about this clip
        expires_at: when the claim comes back unless renewed
        queue_length: clips without a review, this one included
        note: what an annotator wrote who handed the clip to a lead
        is_second: another person has reviewed it already; what they wrote is not shown
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
    note: str = ""
    is_second: bool = False


def make_task(runtime: "Runtime", claim: Claim) -> ReviewTask:
    """Collect what the holder of a claim sees.

    Args:
        runtime: the process's runtime
        claim: held by them
    """
    settings = preferences.get(runtime).review
    is_second = claim.policy == SECOND
    with runtime.database.session() as session:
        clip = clips.get(session, claim.clip_id)
        assessment = queued.pinned_assessment(session, claim)
        hypothesis = hypotheses.get(session, assessment.hypothesis_id)
        draft = drafts.find(session, claim.clip_id, claim.reviewer)
        previous = None if is_second else reviews.find_latest(session, claim.clip_id)
        queue_length = pool.num_waiting(session, QueueFilter(), settings.threshold)
        note = _note(session, claim.clip_id) if previous is None and not is_second else ""
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
        flagged=assessment.is_flagged(settings.threshold),
        draft=draft,
        previous=previous,
        claim_token=claim.token,
        expires_at=claim.expires_at,
        queue_length=queue_length,
        note=note,
        is_second=is_second,
    )


def _note(session: Session, clip_id: str) -> str:
    found = events.list_recent(session, kind=ESCALATED, clip_id=clip_id, limit=1)
    return str(found[0].payload.get("note", "")) if found else ""
