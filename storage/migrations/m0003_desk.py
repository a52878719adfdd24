"""People, speakers, the queue as a table of its own, second reviews.

The queue table holds what drawing needs, so that drawing takes as long with many clips as with few.
The new indexes are on columns of append-only tables, which never change.
"""

import sqlalchemy as sa

__all__ = ["upgrade"]

_SCHEMA = """
ALTER TABLE clips ADD COLUMN speaker VARCHAR;
ALTER TABLE reviews ADD COLUMN origin VARCHAR DEFAULT 'desk';
ALTER TABLE reviews ALTER COLUMN origin SET NOT NULL;
CREATE TABLE people (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    subject VARCHAR,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE skips (
    clip_id VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    skipped_at TIMESTAMP NOT NULL,
    PRIMARY KEY (clip_id, reviewer)
);
CREATE TABLE second_reviews (
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
    created_at TIMESTAMP NOT NULL,
    origin VARCHAR NOT NULL,
    first_review_id VARCHAR NOT NULL
);
CREATE TABLE queue_entries (
    clip_id VARCHAR PRIMARY KEY,
    stage VARCHAR NOT NULL,
    first_reviewer VARCHAR,
    file_name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    speaker VARCHAR,
    reasons VARCHAR NOT NULL,
    duration_s DOUBLE NOT NULL,
    predicted_wer DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    expected_errors DOUBLE NOT NULL,
    must_review BOOLEAN NOT NULL,
    came_at TIMESTAMP NOT NULL
);
INSERT INTO queue_entries
SELECT a.clip_id, CASE WHEN r.clip_id IS NULL THEN 'open' ELSE 'done' END, NULL, c.file_name,
    c.source, h.language, NULL,
    coalesce(
        array_to_string(json_extract_string(a.estimate_json, '$.reasons[*].text'), chr(10)), ''
    ),
    a.duration_s, a.predicted_wer, a.low, a.high, a.expected_errors, a.must_review, c.created_at
FROM assessments a
JOIN clips c ON c.id = a.clip_id
JOIN hypotheses h ON h.id = a.hypothesis_id
LEFT JOIN (SELECT DISTINCT clip_id FROM reviews) r ON r.clip_id = a.clip_id
WHERE a.id IN (SELECT max(id) FROM assessments GROUP BY clip_id);
CREATE INDEX assessments_of_clip ON assessments (clip_id);
CREATE INDEX hypotheses_of_clip ON hypotheses (clip_id);
CREATE INDEX reviews_of_clip ON reviews (clip_id);
CREATE INDEX events_of_clip ON events (clip_id);
"""


def upgrade(connection: sa.Connection) -> None:
    """Add the tables and columns, and fill the queue from what is there."""
    connection.exec_driver_sql(_SCHEMA)
