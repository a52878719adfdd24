"""Saving a verdict: what was predicted, what is true, and nothing typed is lost."""

import hashlib
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from qe_core.config import ReviewSettings
from qe_core.errors import ReviewError
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import Verdict
from qe_core.wer import AlignedWord, ErrorCounts, align, count_errors
from storage.columns import utc_now
from storage.database import Session
from storage.records import Hypothesis, Review, SecondReview, StoredAssessment
from storage.repositories import (
    assessments,
    drafts,
    entries,
    events,
    hypotheses,
    reviews,
    seconds,
)
from storage.repositories import queue as queued
from workbench import metrics, people, preferences
from workbench.claiming import lost_claim
from workbench.tasks import SECOND

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "REJECT_REASONS",
    "ReviewResult",
    "checked_reason",
    "is_agreed",
    "is_chosen_for_second",
    "submit",
]

REJECT_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "wrong_language": "Wrong language",
        "no_speech": "No speech",
        "several_speakers": "Several speakers at once",
        "unintelligible": "Unintelligible",
        "personal_data": "Personal data",
        "other": "Other",
    }
)
"""Why a clip can be rejected: stored code and label. ``other`` needs a note."""


_HEARING_TOLERANCE = 0.02

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """What was predicted and what is true.

    Args:
        review: as it was stored
        predicted_wer: predicted before the review; ``None`` when there was no estimate
        low: lower end of its interval
        high: upper end of its interval
        actual_wer: ``None`` on a reject and when nothing is said in the clip
        counts: ``None`` on a reject
        alignment: reference against hypothesis, word by word; empty on a reject
    """

    review: Review
    predicted_wer: float | None
    low: float | None
    high: float | None
    actual_wer: float | None
    counts: ErrorCounts | None
    alignment: tuple[AlignedWord, ...]


_Saved = tuple[Review, Hypothesis, StoredAssessment | None]


@dataclass(frozen=True, slots=True)
class _Submission:
    clip_id: str
    reviewer: str
    claim_token: str
    verdict: Verdict
    text: str
    reject_reason: str | None
    lead_time_s: float
    listened_share: float
    replays: int


def submit(  # noqa: PLR0913 - what the desk reports, all by name
    runtime: "Runtime",
    clip_id: str,
    *,
    reviewer: str,
    claim_token: str,
    verdict: Verdict,
    text: str,
    reject_reason: str | None = None,
    reject_note: str = "",
    lead_time_s: float = 0.0,
    listened_share: float = 0.0,
    replays: int = 0,
) -> ReviewResult:
    """Save a verdict. Saving the same one twice is one review.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        reviewer: who judged
        claim_token: of the task
        verdict: ``accept`` takes the hypothesis as the reference, ``correct`` takes ``text``
        text: the corrected text; empty when nothing is said in the clip
        reject_reason: one of :data:`REJECT_REASONS`, for ``reject``
        reject_note: what else there is to say about a reject
        lead_time_s: seconds from opening to saving
        listened_share: share of the clip that was played, in [0, 1]
        replays: how often a stretch was played again

    Returns:
        prediction, truth and alignment

    Raises:
        ReviewError: no valid reason for a reject, or an accept of an edited text or of a clip of
            which less than ``review.min_listened_share`` was heard
        ConflictError: the claim is not held any more; the text is kept as a draft
        ForbiddenError: the reviewer is locked out
    """
    submission = _Submission(
        clip_id=clip_id,
        reviewer=reviewer,
        claim_token=claim_token,
        verdict=verdict,
        text=text if verdict == "correct" else "",
        reject_reason=checked_reason(verdict, reject_reason, reject_note),
        lead_time_s=_clamped(lead_time_s, math.inf),
        listened_share=_clamped(listened_share, 1.0),
        replays=max(0, int(replays)),
    )
    settings = preferences.get(runtime).review
    begun_at = utc_now()
    saved = runtime.database.write(lambda session: _save(session, submission, settings, typed=text))
    if saved is None:
        if verdict == "correct":
            runtime.database.write(lambda session: drafts.save(session, clip_id, reviewer, text))
        raise lost_claim(runtime, clip_id, claim_token)
    review = saved[0]
    if review.created_at >= begun_at:  # saving the same verdict again returns the first review
        metrics.count_review(review.verdict, review.lead_time_s)
    _log.info("review saved", extra={"clip_id": clip_id, "verdict": verdict})
    return _result(*saved)


def is_chosen_for_second(clip_id: str, share: float) -> bool:
    """Whether a second person reviews a clip: decided by its hash, the same for ever.

    Args:
        clip_id: the clip
        share: of all clips, in [0, 1]

    Examples:
        >>> is_chosen_for_second("a" * 64, 0.0), is_chosen_for_second("a" * 64, 1.0)
        (False, True)
    """
    digest = hashlib.sha256(f"second:{clip_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def checked_reason(verdict: Verdict, reason: str | None, note: str) -> str | None:
    """The reason of a reject as it is stored; ``None`` for another verdict.

    Raises:
        ReviewError: there is no such reason, or ``other`` comes without a note
    """
    if verdict != "reject":
        return None
    if reason not in REJECT_REASONS:
        raise ReviewError(
            f"{reason!r} is no reason to reject a clip.",
            suggestion=f"Choose one of: {', '.join(REJECT_REASONS.values())}.",
            code="reject_reason",
        )
    note = " ".join(note.split())
    if reason == "other" and not note:
        raise ReviewError(
            "A reject for another reason needs a note.",
            suggestion="Say in a few words why the clip cannot be used.",
            code="reject_note",
        )
    return f"{reason}: {note}" if note else reason


def is_agreed(first: Review, second: Review) -> bool:
    """Whether two people found the same: the same words, or that the clip is unusable."""
    if first.counts is None or second.counts is None:
        return first.counts is None and second.counts is None
    return count_errors(first.text, second.text).num_errors == 0


def _save(
    session: Session, submission: _Submission, settings: ReviewSettings, *, typed: str
) -> _Saved | None:
    """Store the verdict; ``None`` when the claim is gone and this is no repetition."""
    clip_id, reviewer = submission.clip_id, submission.reviewer
    people.require(session, reviewer, "annotator")
    claim = queued.find_claim(session, clip_id)
    is_second = claim is not None and claim.policy == SECOND
    entry = entries.find(session, clip_id)
    stage = "" if entry is None else entry.stage
    counting = reviews.find_latest(session, clip_id)
    last = seconds.find_latest(session, clip_id) if is_second else counting
    is_settled = claim is None or (last is not None and last.created_at >= claim.claimed_at)
    if claim is None or is_settled or claim.token != submission.claim_token:
        is_repeated = last is not None and _is_same(last, submission)
        return (last, *_judged(session, last)) if last is not None and is_repeated else None
    assessment = queued.pinned_assessment(session, claim)
    hypothesis = hypotheses.get(session, assessment.hypothesis_id)
    if submission.verdict == "accept":
        _check_accept(submission, hypothesis, typed, settings)
    # An expired claim that nobody took is as good as a held one; the update collides with whoever
    # takes it at this very moment.
    queued.spend_claim(session, clip_id, claim.token)
    is_reject = submission.verdict == "reject"
    reference = hypothesis.text if submission.verdict == "accept" else submission.text
    review = reviews.add(
        session,
        clip_id=clip_id,
        hypothesis_id=hypothesis.id,
        assessment_id=assessment.id,
        reviewer=reviewer,
        verdict=submission.verdict,
        text=reference,
        reject_reason=submission.reject_reason,
        normaliser=DEFAULT_NORMALISER,
        counts=None if is_reject else count_errors(reference, hypothesis.text),
        predicted_wer=assessment.predicted_wer,
        lead_time_s=submission.lead_time_s,
        listened_share=submission.listened_share,
        replays=submission.replays,
        policy=claim.policy,
        propensity=claim.propensity,
        first_review_id=counting.id if is_second and counting is not None else None,
    )
    _move_on(session, review, counting, stage, settings.double_share)
    drafts.discard(session, clip_id, reviewer)
    payload = {"review_id": review.id, "verdict": review.verdict, "policy": review.policy}
    events.add(session, "review.saved", clip_id=clip_id, actor=reviewer, payload=payload)
    return review, hypothesis, assessment


def _check_accept(
    submission: _Submission, hypothesis: Hypothesis, typed: str, settings: ReviewSettings
) -> None:
    if typed.split() not in ([], hypothesis.text.split()):
        raise ReviewError(
            "The text was edited; accepting the transcript would lose the edit.",
            suggestion="Save it as a correction, or undo the edit first.",
            code="edited",
        )
    # The browser rounds: who heard every sample of a clip may report a little less than all.
    if submission.listened_share + _HEARING_TOLERANCE < settings.min_listened_share:
        raise ReviewError(
            f"{submission.listened_share:.0%} of this clip was heard; accepting takes "
            f"{settings.min_listened_share:.0%}.",
            suggestion="Play the rest, then accept; a correction can be saved at any time.",
            code="not_heard",
        )


def _move_on(
    session: Session, review: Review, before: Review | None, stage: str, share: float
) -> None:
    """Decide who has to look at the clip next; without a word here, nobody."""
    clip_id, reviewer = review.clip_id, review.reviewer
    if isinstance(review, SecondReview):
        if before is not None:
            entries.move(session, clip_id, "done" if is_agreed(before, review) else "disputed")
        return
    # Who looks at their own review again does not spare it the second one.
    is_own = stage == "second" and before is not None and before.reviewer == reviewer
    is_first = before is None and is_chosen_for_second(clip_id, share)
    if review.verdict != "reject" and (is_own or is_first):
        entries.move(session, clip_id, "second", first_reviewer=reviewer)


def _is_same(review: Review, submission: _Submission) -> bool:
    is_same_text = submission.verdict == "accept" or review.text == submission.text
    return is_same_text and (review.reviewer, review.verdict, review.reject_reason) == (
        submission.reviewer,
        submission.verdict,
        submission.reject_reason,
    )


def _judged(session: Session, review: Review) -> tuple[Hypothesis, StoredAssessment | None]:
    hypothesis = hypotheses.get(session, review.hypothesis_id)
    if review.assessment_id is None:
        return hypothesis, None
    return hypothesis, assessments.get(session, review.assessment_id)


def _result(
    review: Review, hypothesis: Hypothesis, assessment: StoredAssessment | None
) -> ReviewResult:
    return ReviewResult(
        review=review,
        predicted_wer=review.predicted_wer,
        low=None if assessment is None else assessment.low,
        high=None if assessment is None else assessment.high,
        actual_wer=review.actual_wer,
        counts=review.counts,
        alignment=()
        if review.counts is None
        else align(review.text, hypothesis.text, normaliser=review.normaliser),
    )


def _clamped(value: float, highest: float) -> float:
    return min(max(0.0, float(value)), highest) if math.isfinite(value) else 0.0
