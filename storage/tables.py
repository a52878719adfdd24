"""The tables; nothing outside ``storage`` sees them.

Hypotheses, assessments, reviews, events, preferences, people, model versions and promotions are
append-only: the latest row counts. Keys are text (a SHA-256 or a ULID), there are no foreign keys
(in DuckDB they block updates of the parent), and columns that change carry no index. What only
repeats these tables lies in :mod:`storage.derived`.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.columns import UtcDateTime

__all__ = [
    "Alerts",
    "Assessments",
    "Claims",
    "Clips",
    "Drafts",
    "Events",
    "Hypotheses",
    "Jobs",
    "ModelVersions",
    "People",
    "Preferences",
    "Promotions",
    "RecogniserPromotions",
    "RecogniserVersions",
    "Reviews",
    "SecondReviews",
    "ShadowEstimates",
    "Skips",
]


class Alerts(SQLModel, table=True):
    """One episode of an alert rule."""

    __tablename__ = "alerts"

    id: str = Field(primary_key=True)
    rule: str
    signal: str
    severity: str
    summary: str
    advice: str
    bound: float
    state: str
    value: float
    worst: float
    started_at: datetime = Field(sa_type=UtcDateTime)
    measured_at: datetime = Field(sa_type=UtcDateTime)
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    clear_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = None
    note: str = ""
    delivered_state: str | None = None


class Clips(SQLModel, table=True):
    """One audio file; the key is the SHA-256 of its bytes."""

    __tablename__ = "clips"

    id: str = Field(primary_key=True)
    file_name: str
    source: str
    size_bytes: int
    container: str
    codec: str
    sample_rate_hz: int
    num_channels: int
    bandwidth_hz: float | None = None
    duration_s: float
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    recording: str | None = None
    speaker: str | None = None


class Jobs(SQLModel, table=True):
    """Work that the background worker does."""

    __tablename__ = "jobs"

    id: str = Field(primary_key=True)
    kind: str
    clip_id: str | None = None
    state: str = "queued"
    stage: str = ""
    progress: float = 0.0
    attempts: int = 0
    payload_json: str = "{}"
    error: str | None = None
    suggestion: str | None = None
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Hypotheses(SQLModel, table=True):
    """What an engine wrote for a clip."""

    __tablename__ = "hypotheses"

    id: str = Field(primary_key=True)
    clip_id: str
    engine: str
    model: str
    version: str
    language: str
    text: str
    transcript_json: str
    speech_json: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    is_second: bool = Field(default=False, nullable=True)


class Assessments(SQLModel, table=True):
    """An estimate for a hypothesis."""

    __tablename__ = "assessments"

    id: str = Field(primary_key=True)
    clip_id: str
    hypothesis_id: str
    estimator: str
    engine: str
    feature_schema: str
    features_json: str
    estimate_json: str
    timings_json: str
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    must_review: bool
    duration_s: float
    created_at: datetime = Field(sa_type=UtcDateTime)


class _Review(SQLModel):
    id: str = Field(primary_key=True)
    clip_id: str
    hypothesis_id: str
    assessment_id: str | None = None
    reviewer: str
    verdict: str
    text: str
    reject_reason: str | None = None
    normaliser: str
    hits: int | None = None
    substitutions: int | None = None
    deletions: int | None = None
    insertions: int | None = None
    predicted_wer: float | None = None
    lead_time_s: float
    listened_share: float
    replays: int = 0
    propensity: float | None = None
    policy: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    origin: str = "desk"


class Reviews(_Review, table=True):
    """A reviewer's verdict on a hypothesis; counts are empty on a reject."""

    __tablename__ = "reviews"


class SecondReviews(_Review, table=True):
    """What a second person found without seeing the first review; it never counts by itself."""

    __tablename__ = "second_reviews"

    first_review_id: str


class Events(SQLModel, table=True):
    """Something worth remembering that no other table holds."""

    __tablename__ = "events"

    id: str = Field(primary_key=True)
    kind: str
    clip_id: str | None = None
    actor: str | None = None
    payload_json: str = "{}"
    created_at: datetime = Field(sa_type=UtcDateTime)


class Preferences(SQLModel, table=True):
    """A setting chosen on the settings page; the latest per key wins over the configuration."""

    __tablename__ = "preferences"

    id: str = Field(primary_key=True)
    key: str
    value_json: str
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class Claims(SQLModel, table=True):
    """A reviewer's lease on a clip, with the draw that led to it."""

    __tablename__ = "claims"

    clip_id: str = Field(primary_key=True)
    reviewer: str
    token: str
    policy: str
    propensity: float | None = None
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Drafts(SQLModel, table=True):
    """Unsaved work, saved anyway; one per clip and reviewer."""

    __tablename__ = "drafts"

    clip_id: str = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    text: str
    position_s: float = 0.0
    cursor: int = 0
    updated_at: datetime = Field(sa_type=UtcDateTime)
    layout_json: str | None = None


class ModelVersions(SQLModel, table=True):
    """A trained estimator: where it lies and how it did."""

    __tablename__ = "model_versions"

    id: str = Field(primary_key=True)
    estimator: str
    kind: str
    engine: str
    model: str
    folder: str
    manifest_json: str
    report_json: str
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class Promotions(SQLModel, table=True):
    """Which version serves or is tried from when on; no version means the built-in one."""

    __tablename__ = "promotions"

    id: str = Field(primary_key=True)
    kind: str
    engine: str
    model: str
    version_id: str | None = None
    action: str
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class ShadowEstimates(SQLModel, table=True):
    """What a challenger said about a new clip, beside the assessment that people see."""

    __tablename__ = "shadow_estimates"

    id: str = Field(primary_key=True)
    version_id: str
    clip_id: str
    assessment_id: str
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    created_at: datetime = Field(sa_type=UtcDateTime)


class People(SQLModel, table=True):
    """Who may do what from when on; the latest row of a name counts."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    name: str
    role: str
    subject: str | None = None
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class Skips(SQLModel, table=True):
    """Clips that somebody wants to see later."""

    __tablename__ = "skips"

    clip_id: str = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    skipped_at: datetime = Field(sa_type=UtcDateTime)


class RecogniserVersions(SQLModel, table=True):
    """A recogniser that learnt from corrections: where it lies and how it did."""

    __tablename__ = "recogniser_versions"

    id: str = Field(primary_key=True)
    name: str
    base: str
    base_version: str
    engine_version: str
    folder: str | None = None
    report_json: str
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class RecogniserPromotions(SQLModel, table=True):
    """Which recogniser took over from which; engines as ``engine.name`` of the settings."""

    __tablename__ = "recogniser_promotions"

    id: str = Field(primary_key=True)
    version_id: str | None = None
    action: str
    engine_before: str
    engine_after: str
    actor: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
