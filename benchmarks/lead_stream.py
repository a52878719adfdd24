"""A stream of any size in the real schema, for benchmarks of the pages: made by SQL, in seconds."""

from datetime import datetime, timedelta

from storage.columns import utc_now
from storage.database import Session
from storage.repositories.narrow import FEATURES
from workbench.runtime import Runtime

__all__ = ["fill"]

_SEED = 0.42
_DAYS = 120

_CLIPS = """
CREATE TEMP TABLE made AS
SELECT i, sha256(i::VARCHAR) AS clip_id, 'r' || (i // 5) AS recording,
    ['upload', 'api', 'folder', 'microphone'][1 + (i // 5) % 4] AS source,
    ['en', 'en', 'en', 'de'][1 + (i // 7) % 4] AS language,
    2 + 20 * random() AS duration_s, random() AS a, random() AS b,
    ?::TIMESTAMP - to_microseconds(((? - i) * 1e6 * 86400 * ? / ?)::BIGINT) AS created_at
FROM range(?) t(i);
CREATE TEMP TABLE estimated AS
SELECT *, greatest(1, round(2.5 * duration_s)) AS words,
    least(1.2, 0.9 * a * a + 0.1 * b + 0.05 * (i // 5 % 3)) AS wer FROM made
"""

_INSERTS = """
INSERT INTO clips (id, file_name, source, size_bytes, container, codec, sample_rate_hz,
    num_channels, duration_s, created_at, recording)
SELECT clip_id, 'call-' || i || '.wav', source, 320000, 'wav', 'pcm_s16le', 16000, 1, duration_s,
    created_at, recording FROM estimated;
INSERT INTO hypotheses (id, clip_id, engine, model, version, language, text, transcript_json,
    speech_json, created_at)
SELECT 'h' || lpad(i::VARCHAR, 25, '0'), clip_id, 'pocketsphinx', 'en-us', '5', language,
    'the clip number ' || i, '{}', '[]', created_at FROM estimated;
INSERT INTO assessments (id, clip_id, hypothesis_id, estimator, engine, feature_schema,
    features_json, estimate_json, timings_json, predicted_wer, low, high, expected_errors,
    must_review, duration_s, created_at)
SELECT 'a' || lpad(i::VARCHAR, 25, '0'), clip_id, 'h' || lpad(i::VARCHAR, 25, '0'), 'builtin',
    'pocketsphinx', 'standard@1', '{}', '{"expected_words": ' || words || '}', '{}', wer,
    greatest(0, wer - 0.2), wer + 0.2, wer * words, false, duration_s, created_at FROM estimated
"""

_REVIEWS = """
CREATE TEMP TABLE judged AS
SELECT *, row_number() OVER (ORDER BY i) AS k, least(words, round(words * wer * 2 * random()))::INT
    AS wrong, CASE WHEN random() < 0.15 THEN 'audit' ELSE 'expected_errors' END AS policy
FROM estimated WHERE random() < ?;
INSERT INTO reviews (id, clip_id, hypothesis_id, assessment_id, reviewer, verdict, text, normaliser,
    hits, substitutions, deletions, insertions, predicted_wer, lead_time_s, listened_share, replays,
    propensity, policy, created_at)
SELECT 'v' || lpad(k::VARCHAR, 25, '0'), clip_id, 'h' || lpad(i::VARCHAR, 25, '0'),
    'a' || lpad(i::VARCHAR, 25, '0'), 'reviewer ' || (k % 5), 'correct', 'the clip', 'default@1',
    words - wrong, wrong, 0, 0, wer, 3 * duration_s, 0.9, 1, 0.1, policy,
    created_at + INTERVAL 1 HOUR FROM judged;
INSERT INTO mistakes
SELECT 'v' || lpad(k::VARCHAR, 25, '0'), p, clip_id, 'w' || (k * 7 + p * p) % 3000,
    'x' || (k + p) % 50, 1 FROM judged, range(3) t(p)
"""


def fill(
    runtime: Runtime, *, num_clips: int, num_reviews: int, until: datetime | None = None
) -> None:
    """Store clips of the last 120 days with estimates, and reviews of some of them.

    Args:
        runtime: an open, empty runtime
        num_clips: clips, five to a recording
        num_reviews: about as many reviews
        until: when the newest clip came in; now by default
    """
    moment = (until or utc_now() - timedelta(minutes=1)).replace(tzinfo=None)

    def work(session: Session) -> None:
        connection = session.connection()
        connection.exec_driver_sql(f"SELECT setseed({_SEED})")
        connection.exec_driver_sql(
            _CLIPS.split(";", maxsplit=1)[0], (moment, num_clips, _DAYS, num_clips, num_clips)
        )
        connection.exec_driver_sql(_CLIPS.split(";")[1])
        for statement in _INSERTS.split(";"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(_assessed_clips())
        first, *rest = _REVIEWS.split(";")
        connection.exec_driver_sql(first, (num_reviews / num_clips,))
        for statement in rest:
            connection.exec_driver_sql(statement)

    runtime.database.write(work)


def _assessed_clips() -> str:
    values = ", ".join("wer + random()" for _ in FEATURES)
    return f"""
    INSERT INTO assessed_clips (clip_id, assessment_id, recording, source, engine, version,
        language, feature_schema, estimator, sample_rate_hz, created_at, duration_s, predicted_wer,
        low, high, expected_errors, expected_words, must_review, {", ".join(FEATURES)})
    SELECT clip_id, 'a' || lpad(i::VARCHAR, 25, '0'), recording, source, 'pocketsphinx', '5',
        language, 'standard@1', 'builtin', 16000, created_at, duration_s, wer,
        greatest(0, wer - 0.2), wer + 0.2, wer * words, words, false, {values}
    FROM estimated ORDER BY i
    """  # noqa: S608 - the names are those of columns
