"""Tables that repeat what others say, in the shape in which it is read; see :mod:`storage.tables`.

They are written in the same transaction as what they repeat. Nothing outside ``storage`` sees them.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.columns import UtcDateTime

__all__ = ["AssessedClips", "Mistakes", "QueueEntries"]


class AssessedClips(SQLModel, table=True):
    """The current estimate of every clip in narrow columns: what charts over all clips read.

    Derived from clips, hypotheses and assessments, and replaced with every new assessment; its
    ``feature_schema`` is that under which the clip came in, see ``put_assessed_clip``.
    """

    __tablename__ = "assessed_clips"

    clip_id: str = Field(primary_key=True)
    assessment_id: str
    recording: str
    speaker: str | None = None
    source: str
    engine: str
    version: str
    language: str
    feature_schema: str
    estimator: str
    sample_rate_hz: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    expected_words: float
    must_review: bool
    speech_share: float | None = None
    level_dbfs: float | None = None
    noise_floor_dbfs: float | None = None
    wada_snr_db: float | None = None
    bandwidth_hz: float | None = None
    clipped_share: float | None = None
    decay_s: float | None = None
    pitch_hz: float | None = None
    confidence_p10: float | None = None
    low_confidence_share: float | None = None
    uncovered_speech_share: float | None = None
    words_per_speech_s: float | None = None


class Mistakes(SQLModel, table=True):
    """How often a review found one word written for another; empty on one side for a lone word."""

    __tablename__ = "mistakes"

    review_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    clip_id: str
    reference: str | None = None
    hypothesis: str | None = None
    num_times: int


class QueueEntries(SQLModel, table=True):
    """What drawing a clip needs to know of every assessed clip, kept beside the truth.

    Written in the same transaction as the assessment or review that changes it.
    """

    __tablename__ = "queue_entries"

    clip_id: str = Field(primary_key=True)
    stage: str
    first_reviewer: str | None = None
    file_name: str
    source: str
    language: str
    speaker: str | None = None
    reasons: str
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    must_review: bool
    came_at: datetime = Field(sa_type=UtcDateTime)
