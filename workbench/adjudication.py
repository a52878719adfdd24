"""What only a lead decides: disagreements between two reviewers, and clips handed over."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qe_core.errors import ConflictError
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import Verdict
from qe_core.wer import AlignedWord, align, count_errors
from storage.database import Session
from storage.records import Clip, Hypothesis, Review, SecondReview
from storage.repositories import (
    claims,
    clips,
    entries,
    events,
    hypotheses,
    reviews,
    seconds,
)
from workbench import people
from workbench.tasks import ESCALATED
from workbench.verdict import checked_reason

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "Dispute",
    "Escalation",
    "disputes",
    "escalations",
    "give_back",
    "num_undecided",
    "settle",
]

ADJUDICATION = "adjudication"
"""Origin of a review by which a lead chose between two others."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A clip whose two reviewers differ.

    Args:
        clip: the clip
        hypothesis: what the engine wrote
        first: the review that counts so far
        second: what the other person wrote without seeing it
        differences: first against second, word by word; empty when one of them rejected the clip
    """

    clip: Clip
    hypothesis: str
    first: Review
    second: SecondReview
    differences: tuple[AlignedWord, ...]

    @property
    def num_differences(self) -> int:
        """How many words differ."""
        return sum(word.operation != "hit" for word in self.differences)


@dataclass(frozen=True, slots=True)
class Escalation:
    """A clip that an annotator handed to the leads.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        reviewer: who handed it over
        note: why
        created_at: when
    """

    clip_id: str
    file_name: str
    duration_s: float
    reviewer: str
    note: str
    created_at: datetime


def num_undecided(runtime: "Runtime") -> tuple[int, int]:
    """How many clips wait for a lead: disputed ones, and those that were handed over."""
    with runtime.database.session() as session:
        return (
            entries.num_in_stage(session, "disputed"),
            entries.num_in_stage(session, "escalated"),
        )


def disputes(runtime: "Runtime", actor: str | None) -> list[Dispute]:
    """The clips whose two reviewers differ, oldest first.

    Raises:
        ForbiddenError: only leads see them
    """
    with runtime.database.session() as session:
        people.require(session, actor, "lead")
        ids = [entry.clip_id for entry in entries.list_stage(session, "disputed")]
        pairs = seconds.list_pairs(session, ids)
        return [
            _dispute(
                clips.get(session, pair.first.clip_id),
                hypotheses.get(session, pair.first.hypothesis_id),
                pair,
            )
            for pair in pairs
        ]


def escalations(runtime: "Runtime", actor: str | None) -> list[Escalation]:
    """The clips that were handed to the leads, oldest first.

    Raises:
        ForbiddenError: only leads see them
    """
    with runtime.database.session() as session:
        people.require(session, actor, "lead")
        found = []
        for entry in entries.list_stage(session, "escalated"):
            handed = events.list_recent(session, kind=ESCALATED, clip_id=entry.clip_id, limit=1)
            found += [
                Escalation(
                    entry.clip_id,
                    entry.file_name,
                    entry.duration_s,
                    event.actor or "",
                    str(event.payload.get("note", "")),
                    event.created_at,
                )
                for event in handed
            ]
    return sorted(found, key=lambda item: item.created_at)


def give_back(runtime: "Runtime", clip_id: str, actor: str | None) -> None:
    """Put a clip that was handed over back into the queue of the annotators.

    Raises:
        ForbiddenError: the actor is no lead
        ConflictError: it is not with the leads any more
    """

    def work(session: Session) -> None:
        people.require(session, actor, "lead")
        entry = entries.find(session, clip_id)
        if entry is None or entry.stage != "escalated":
            raise _decided()
        is_reviewed = reviews.find_latest(session, clip_id) is not None
        entries.move(session, clip_id, "done" if is_reviewed else "open")
        events.add(session, "review.given_back", clip_id=clip_id, actor=actor)

    runtime.database.write(work)


def settle(
    runtime: "Runtime",
    clip_id: str,
    actor: str,
    text: str,
    *,
    reject_reason: str | None = None,
    reject_note: str = "",
) -> Review:
    """Decide between two reviews: one of their texts, a third one, or that the clip is unusable.

    The decision is a review of its own; it counts from now on, for the WER of the stream and for
    training, in the place that the first review's draw gave it.

    Args:
        runtime: the runtime
        clip_id: the clip
        actor: a lead
        text: the reference from now on
        reject_reason: instead of a text, one of ``REJECT_REASONS``
        reject_note: what else there is to say about a reject

    Returns:
        the decision

    Raises:
        ForbiddenError: the actor is no lead
        ConflictError: somebody has decided already, or is reviewing the clip
        ReviewError: no valid reason for a reject
    """
    verdict: Verdict = "correct" if reject_reason is None else "reject"
    reason = checked_reason(verdict, reject_reason, reject_note)

    def work(session: Session) -> Review:
        people.require(session, actor, "lead")
        entry = entries.find(session, clip_id)
        first = reviews.find_latest(session, clip_id)
        if entry is None or first is None or entry.stage != "disputed":
            raise _decided()
        if claims.find_active(session, clip_id) is not None:
            raise _decided()
        hypothesis = hypotheses.get(session, first.hypothesis_id)
        return add_decision(
            session,
            first,
            hypothesis,
            actor=actor,
            verdict=verdict,
            text="" if verdict == "reject" else " ".join(text.split()),
            reject_reason=reason,
            origin=ADJUDICATION,
        )

    return runtime.database.write(work)


def add_decision(  # noqa: PLR0913 - one argument per part of a verdict
    session: Session,
    before: Review,
    hypothesis: Hypothesis,
    *,
    actor: str,
    verdict: Verdict,
    text: str,
    reject_reason: str | None,
    origin: str,
) -> Review:
    """Store a lead's word: a new review that replaces another one and keeps how it was drawn."""
    is_reject = verdict == "reject"
    review = reviews.add(
        session,
        clip_id=before.clip_id,
        hypothesis_id=hypothesis.id,
        assessment_id=before.assessment_id,
        reviewer=actor,
        verdict=verdict,
        text=text,
        reject_reason=reject_reason,
        normaliser=DEFAULT_NORMALISER,
        counts=None if is_reject else count_errors(text, hypothesis.text),
        predicted_wer=before.predicted_wer,
        lead_time_s=0.0,
        listened_share=0.0,
        policy=before.policy,
        propensity=before.propensity,
        origin=origin,
    )
    payload = {"review_id": review.id, "verdict": review.verdict, "origin": origin}
    events.add(session, "review.saved", clip_id=review.clip_id, actor=actor, payload=payload)
    return review


def _dispute(clip: Clip, hypothesis: Hypothesis, pair: seconds.Pair) -> Dispute:
    is_unusable = pair.first.counts is None or pair.second.counts is None
    return Dispute(
        clip=clip,
        hypothesis=hypothesis.text,
        first=pair.first,
        second=pair.second,
        differences=() if is_unusable else align(pair.first.text, pair.second.text),
    )


def _decided() -> ConflictError:
    return ConflictError(
        "Somebody has decided about this clip, or is at work on it.",
        suggestion="Look at its history before you decide again.",
        code="decided",
    )
