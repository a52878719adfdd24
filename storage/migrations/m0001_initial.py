"""The first schema."""

import sqlalchemy as sa

__all__ = ["upgrade"]

_SCHEMA = """
CREATE TABLE clips (
    id VARCHAR PRIMARY KEY,
    file_name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    container VARCHAR NOT NULL,
    codec VARCHAR NOT NULL,
    sample_rate_hz INTEGER NOT NULL,
    num_channels INTEGER NOT NULL,
    bandwidth_hz DOUBLE,
    duration_s DOUBLE NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE jobs (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    clip_id VARCHAR,
    state VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    progress DOUBLE NOT NULL,
    attempts INTEGER NOT NULL,
    payload_json VARCHAR NOT NULL,
    error VARCHAR,
    suggestion VARCHAR,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    heartbeat_at TIMESTAMP,
    finished_at TIMESTAMP
);
CREATE TABLE hypotheses (
    id VARCHAR PRIMARY KEY,
    clip_id VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    transcript_json VARCHAR NOT NULL,
    speech_json VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE assessments (
    id VARCHAR PRIMARY KEY,
    clip_id VARCHAR NOT NULL,
    hypothesis_id VARCHAR NOT NULL,
    estimator VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    feature_schema VARCHAR NOT NULL,
    features_json VARCHAR NOT NULL,
    estimate_json VARCHAR NOT NULL,
    timings_json VARCHAR NOT NULL,
    predicted_wer DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    expected_errors DOUBLE NOT NULL,
    must_review BOOLEAN NOT NULL,
    duration_s DOUBLE NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE reviews (
    id VARCHAR PRIMARY KEY,
    clip_id VARCHAR NOT NULL,
    hypothesis_id VARCHAR NOT NULL,
    assessment_id VARCHAR,
    reviewer VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    reject_reason VARCHAR,
    normaliser VARCHAR NOT NULL,
    hits INTEGER,
    substitutions INTEGER,
    deletions INTEGER,
    insertions INTEGER,
    predicted_wer DOUBLE,
    lead_time_s DOUBLE NOT NULL,
    listened_share DOUBLE NOT NULL,
    replays INTEGER NOT NULL,
    propensity DOUBLE,
    policy VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE events (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    clip_id VARCHAR,
    actor VARCHAR,
    payload_json VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE preferences (
    id VARCHAR PRIMARY KEY,
    key VARCHAR NOT NULL,
    value_json VARCHAR NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE claims (
    clip_id VARCHAR PRIMARY KEY,
    reviewer VARCHAR NOT NULL,
    token VARCHAR NOT NULL,
    policy VARCHAR NOT NULL,
    propensity DOUBLE,
    claimed_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE TABLE drafts (
    clip_id VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    position_s DOUBLE NOT NULL,
    cursor INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (clip_id, reviewer)
);
CREATE TABLE model_versions (
    id VARCHAR PRIMARY KEY,
    estimator VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    folder VARCHAR NOT NULL,
    manifest_json VARCHAR NOT NULL,
    report_json VARCHAR NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE promotions (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    version_id VARCHAR,
    action VARCHAR NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
"""


def upgrade(connection: sa.Connection) -> None:
    """Create all tables."""
    connection.exec_driver_sql(_SCHEMA)
