"""What people do with clips."""

import json
from dataclasses import dataclass
from datetime import datetime

from qe_core.wer import ErrorCounts

__all__ = ["Claim", "Draft", "Person", "QueueEntry", "Review", "SecondReview"]


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
        origin: ``desk``, ``adjudication`` (a lead chose between two reviews) or ``restore`` (a
            lead went back to an earlier text)
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
    origin: str = "desk"

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
        layout_json: start and end of every row in seconds; empty when the segments are the rows
    """

    clip_id: str
    reviewer: str
    text: str
    position_s: float
    cursor: int
    updated_at: datetime
    layout_json: str | None = None

    @property
    def layout(self) -> list[list[float]] | None:
        """Start and end of every row in seconds; ``None`` when the segments are the rows."""
        if self.layout_json is None:
            return None
        loaded: list[list[float]] = json.loads(self.layout_json)
        return loaded


@dataclass(frozen=True, slots=True)
class SecondReview(Review):
    """What a second person found without seeing the first review; it never counts by itself.

    Args:
        first_review_id: the review that counted then
    """

    first_review_id: str = ""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """What drawing needs to know of an assessed clip.

    Args:
        clip_id: the clip
        stage: where it stands, see :data:`storage.repositories.entries.Stage`
        first_reviewer: who must not be the second one, in the stage ``second``
        file_name: its name
        source: how it came in
        language: of its current hypothesis
        speaker: who speaks, where that is known
        reasons: sentences that say why it is expected to be wrong, one per line
        duration_s: its length
        predicted_wer: predicted WER of its current hypothesis
        low: lower end of the interval
        high: upper end of the interval
        expected_errors: expected word errors
        must_review: a rule flags it whatever the predicted WER
        came_at: when the clip came in
    """

    clip_id: str
    stage: str
    first_reviewer: str | None
    file_name: str
    source: str
    language: str
    speaker: str | None
    reasons: str
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    must_review: bool
    came_at: datetime

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.predicted_wer >= threshold


@dataclass(frozen=True, slots=True)
class Person:
    """Who may do what.

    Args:
        id: ULID of the row that counts
        name: as it is stored with what they do
        role: ``annotator``, ``lead``, ``admin``, or ``none`` for somebody who is locked out
        subject: how the identity provider knows them; ``None`` for a name that was merely given
        actor: who gave them this role
        created_at: since when
    """

    id: str
    name: str
    role: str
    subject: str | None
    actor: str | None
    created_at: datetime
