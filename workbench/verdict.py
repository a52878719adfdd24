"""Saving a verdict: what was predicted, what is true, and nothing typed is lost."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from qe_core.errors import ConflictError, ReviewError
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import Verdict
from qe_core.wer import AlignedWord, ErrorCounts, align, count_errors
from storage.columns import utc_now
from storage.database import Session
from storage.records import Review
from storage.repositories import assessments, drafts, events, hypotheses, reviews
from storage.repositories import queue as queued
from workbench import metrics

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["REJECT_REASONS", "ReviewResult", "lost_claim", "submit"]

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
        ReviewError: no valid reason for a reject, or an accept whose text was edited
        ConflictError: the claim is not held any more; the text is kept as a draft
    """
    submission = _Submission(
        clip_id=clip_id,
        reviewer=reviewer,
        claim_token=claim_token,
        verdict=verdict,
        text=text if verdict == "correct" else "",
        reject_reason=_checked_reason(verdict, reject_reason, reject_note),
        lead_time_s=_clamped(lead_time_s, math.inf),
        listened_share=_clamped(listened_share, 1.0),
        replays=max(0, int(replays)),
    )
    begun_at = utc_now()
    review: Review | None = runtime.database.write(
        lambda session: _save(session, submission, typed=text)
    )
    if review is None:
        if verdict == "correct":
            runtime.database.write(lambda session: drafts.save(session, clip_id, reviewer, text))
        raise lost_claim()
    if review.created_at >= begun_at:  # saving the same verdict again returns the first review
        metrics.count_review(review.verdict, review.lead_time_s)
    _log.info("review saved", extra={"clip_id": clip_id, "verdict": verdict})
    return _result(runtime, review)


def lost_claim() -> ConflictError:
    """What to say when a token no longer holds its clip."""
    return ConflictError(
        "This clip is no longer yours: the claim ran out, or it was saved in another tab.",
        suggestion="Your text is kept as a draft. Open the clip again to go on.",
        code="claim_lost",
    )


def _save(session: Session, submission: _Submission, *, typed: str) -> Review | None:
    """Store the verdict; ``None`` when the claim is gone and this is no repetition."""
    clip_id, reviewer = submission.clip_id, submission.reviewer
    claim = queued.find_claim(session, clip_id)
    last = reviews.find_latest(session, clip_id)
    is_settled = claim is None or (last is not None and last.created_at >= claim.claimed_at)
    if claim is None or is_settled or claim.token != submission.claim_token:
        return last if last is not None and _is_same(last, submission) else None
    assessment = queued.pinned_assessment(session, claim)
    hypothesis = hypotheses.get(session, assessment.hypothesis_id)
    if submission.verdict == "accept" and typed.split() not in ([], hypothesis.text.split()):
        raise ReviewError(
            "The text was edited; accepting the transcript would lose the edit.",
            suggestion="Save it as a correction, or undo the edit first.",
            code="edited",
        )
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
    )
    drafts.discard(session, clip_id, reviewer)
    payload = {"review_id": review.id, "verdict": review.verdict, "policy": review.policy}
    events.add(session, "review.saved", clip_id=clip_id, actor=reviewer, payload=payload)
    return review


def _is_same(review: Review, submission: _Submission) -> bool:
    is_same_text = submission.verdict == "accept" or review.text == submission.text
    return is_same_text and (review.reviewer, review.verdict, review.reject_reason) == (
        submission.reviewer,
        submission.verdict,
        submission.reject_reason,
    )


def _result(runtime: "Runtime", review: Review) -> ReviewResult:
    with runtime.database.session() as session:
        hypothesis = hypotheses.get(session, review.hypothesis_id)
        assessment = (
            None if review.assessment_id is None else assessments.get(session, review.assessment_id)
        )
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


def _checked_reason(verdict: Verdict, reason: str | None, note: str) -> str | None:
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


def _clamped(value: float, highest: float) -> float:
    return min(max(0.0, float(value)), highest) if math.isfinite(value) else 0.0
