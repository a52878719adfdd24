"""Narrow columns for charts over all clips, word mistakes, recordings."""

import sqlalchemy as sa

from qe_core.wer import count_mistakes

__all__ = ["upgrade"]

_SCHEMA = """
ALTER TABLE clips ADD COLUMN recording VARCHAR;
CREATE TABLE assessed_clips (
    clip_id VARCHAR PRIMARY KEY,
    assessment_id VARCHAR NOT NULL,
    recording VARCHAR NOT NULL,
    speaker VARCHAR,
    source VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    feature_schema VARCHAR NOT NULL,
    estimator VARCHAR NOT NULL,
    sample_rate_hz INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    duration_s DOUBLE NOT NULL,
    predicted_wer DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    expected_errors DOUBLE NOT NULL,
    expected_words DOUBLE NOT NULL,
    must_review BOOLEAN NOT NULL,
    speech_share DOUBLE,
    level_dbfs DOUBLE,
    noise_floor_dbfs DOUBLE,
    wada_snr_db DOUBLE,
    bandwidth_hz DOUBLE,
    clipped_share DOUBLE,
    decay_s DOUBLE,
    pitch_hz DOUBLE,
    confidence_p10 DOUBLE,
    low_confidence_share DOUBLE,
    uncovered_speech_share DOUBLE,
    words_per_speech_s DOUBLE
);
CREATE TABLE mistakes (
    review_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    clip_id VARCHAR NOT NULL,
    reference VARCHAR,
    hypothesis VARCHAR,
    num_times INTEGER NOT NULL,
    PRIMARY KEY (review_id, position)
);
"""

_FEATURES = (
    "speech_share",
    "level_dbfs",
    "noise_floor_dbfs",
    "wada_snr_db",
    "bandwidth_hz",
    "clipped_share",
    "decay_s",
    "pitch_hz",
    "confidence_p10",
    "low_confidence_share",
    "uncovered_speech_share",
    "words_per_speech_s",
)

_ADD_MISTAKES = """
INSERT INTO mistakes
SELECT ?, unnest(range(?)), ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[])
"""

_REVIEWS = """
SELECT r.id, r.clip_id, r.text, h.text, r.normaliser
FROM reviews r JOIN hypotheses h ON h.id = r.hypothesis_id
WHERE r.hits IS NOT NULL
"""


def upgrade(connection: sa.Connection) -> None:
    """Create the tables and fill them from what there is."""
    connection.exec_driver_sql(_SCHEMA)
    connection.exec_driver_sql(_backfill())
    reviews = connection.exec_driver_sql(_REVIEWS).all()
    for review_id, clip_id, reference, hypothesis, normaliser in reviews:
        mistakes = count_mistakes(reference, hypothesis, normaliser=normaliser)
        columns = ([*pair, times] for pair, times in mistakes.items())
        said, written, num_times = zip(*columns, strict=True) if mistakes else ((), (), ())
        connection.exec_driver_sql(
            _ADD_MISTAKES,
            (review_id, len(mistakes), clip_id, list(said), list(written), list(num_times)),
        )


def _backfill() -> str:
    features = ", ".join(
        f"try_cast(json_extract_string(a.features_json, '$.{name}') AS DOUBLE)"
        for name in _FEATURES
    )
    words = "try_cast(json_extract_string(a.estimate_json, '$.expected_words') AS DOUBLE)"
    return f"""
    INSERT INTO assessed_clips
    SELECT c.id, a.id, c.id, c.speaker, c.source, h.engine, h.version, h.language,
        a.feature_schema, a.estimator, c.sample_rate_hz, c.created_at, a.duration_s,
        a.predicted_wer, a.low, a.high, a.expected_errors, coalesce({words}, 0), a.must_review,
        {features}
    FROM assessments a
    JOIN clips c ON c.id = a.clip_id
    JOIN hypotheses h ON h.id = a.hypothesis_id
    WHERE a.id IN (SELECT max(id) FROM assessments GROUP BY clip_id)
    """  # noqa: S608 - the names stand above
