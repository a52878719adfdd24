-- A data file as schema 1 left it, with one row in every table. Never edit it: it stands for files
-- that people have. A new migration is tested by opening this file and finding every row again.
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
);
INSERT INTO migrations VALUES (1, 'initial', TIMESTAMP '2026-01-02 03:04:05');
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

INSERT INTO clips VALUES ('c1', 'a.wav', 'upload', 32044, 'wav', 'pcm_s16le', 16000, 1, 8000.0, 1.0,
    'ann', TIMESTAMP '2026-01-02 03:04:05');
INSERT INTO jobs VALUES ('j1', 'assess', 'c1', 'done', '', 1.0, 1, '{"force": true}', NULL, NULL,
    'ann', TIMESTAMP '2026-01-02 03:04:05', TIMESTAMP '2026-01-02 03:04:06',
    TIMESTAMP '2026-01-02 03:04:07', TIMESTAMP '2026-01-02 03:04:08');
INSERT INTO hypotheses VALUES ('h1', 'c1', 'pocketsphinx', 'en-us', '5.0-1', 'en', 'one two',
    '{"segments": [{"start_s": 0, "end_s": 1, "text": "one two"}], "language": "en", "engine": "pocketsphinx", "model": "en-us", "version": "5.0-1"}',
    '[{"start_s": 0.1, "end_s": 0.9}]', TIMESTAMP '2026-01-02 03:04:08');
INSERT INTO assessments VALUES ('a1', 'c1', 'h1', 'built-in', 'pocketsphinx', 'acoustic@1:2',
    '{"snr_db": 20.5, "f0_hz": null}',
    '{"expected_errors": 0.5, "expected_words": 2.0, "predicted_wer": 0.25, "low": 0.1, "high": 0.4, "interval_level": 0.9, "estimator": "built-in"}',
    '{"transcription": 0.3}', 0.25, 0.1, 0.4, 0.5, false, 1.0, TIMESTAMP '2026-01-02 03:04:08');
INSERT INTO reviews VALUES ('r1', 'c1', 'h1', 'a1', 'ann', 'correct', 'one too', NULL, 'basic-1',
    1, 1, 0, 0, 0.25, 12.5, 1.0, 2, 0.15, 'audit', TIMESTAMP '2026-01-02 03:05:05');
INSERT INTO events VALUES ('e1', 'noted', 'c1', 'ann', '{"n": 1}', TIMESTAMP '2026-01-02 03:05:05');
INSERT INTO preferences VALUES ('p1', 'review.threshold', '0.4', 'ann',
    TIMESTAMP '2026-01-02 03:05:05');
INSERT INTO claims VALUES ('c1', 'ann', 'token', 'audit', 0.15, TIMESTAMP '2026-01-02 03:04:30',
    TIMESTAMP '2026-01-02 03:19:30');
INSERT INTO drafts VALUES ('c1', 'ann', 'one to', 0.5, 6, TIMESTAMP '2026-01-02 03:04:50');
INSERT INTO model_versions VALUES ('v1', 'quality-7', 'transcript', 'pocketsphinx', 'v1',
    '{"id": "quality-7"}', '{"passed": true}', 'ann', TIMESTAMP '2026-01-02 04:00:00');
INSERT INTO promotions VALUES ('m1', 'transcript', 'pocketsphinx', 'v1', 'promote', 'ann',
    TIMESTAMP '2026-01-02 04:00:01');
