"""What people do with clips."""

from dataclasses import dataclass
from datetime import datetime

from qe_core.wer import ErrorCounts

__all__ = [
    "Claim",
    "Draft",
    "Review",
]


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's verdict on a hypothesis.

    Args:
        id: ULID
        clip_id: the clip
        hypothesis_id: the hypothesis that was judged
        assessment_id: the assessment that was shown, if any
        reviewer: who judged
        verdict: ``accept``, ``correct`` or ``reject``
        text: the reference; empty on a reject
        reject_reason: why the clip is unusable
        normaliser: version of the normaliser behind the counts
        hits: words that were right; ``None`` on a reject, as the other counts
        substitutions: wrong words
        deletions: missing words
        insertions: words too many
        predicted_wer: what had been predicted
        lead_time_s: seconds from opening to saving
        listened_share: share of the clip that was played, in [0, 1]
        replays: how often a stretch was played again
        propensity: probability with which the queue drew the clip; ``None`` when it was opened
        policy: ``expected_errors``, ``uncertain``, ``audit`` or ``opened``
        created_at: when it was saved
    """

    id: str
    clip_id: str
    hypothesis_id: str
    assessment_id: str | None
    reviewer: str
    verdict: str
    text: str
    reject_reason: str | None
    normaliser: str
    hits: int | None
    substitutions: int | None
    deletions: int | None
    insertions: int | None
    predicted_wer: float | None
    lead_time_s: float
    listened_share: float
    replays: int
    propensity: float | None
    policy: str
    created_at: datetime

    @property
    def counts(self) -> ErrorCounts | None:
        """Word errors of the hypothesis; ``None`` on a reject."""
        if self.hits is None:
            return None
        return ErrorCounts(
            self.hits, self.substitutions or 0, self.deletions or 0, self.insertions or 0
        )

    @property
    def actual_wer(self) -> float | None:
        """WER of the hypothesis; ``None`` on a reject or for an empty reference."""
        return self.counts.wer if self.counts is not None else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A reviewer's lease on a clip.

    Args:
        clip_id: the clip
        reviewer: who holds it
        token: secret of the holder's page; changes with every claim
        policy: which part of the queue's mix drew it
        propensity: probability of the draw
        claimed_at: when it was claimed
        expires_at: when it comes back unless renewed
    """

    clip_id: str
    reviewer: str
    token: str
    policy: str
    propensity: float | None
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsaved work on a clip.

    Args:
        clip_id: the clip
        reviewer: whose draft it is
        text: the text as typed so far
        position_s: where playback stood
        cursor: where the caret stood, in characters
        updated_at: when it was last saved
    """

    clip_id: str
    reviewer: str
    text: str
    position_s: float
    cursor: int
    updated_at: datetime
