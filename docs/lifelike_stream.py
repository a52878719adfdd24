"""A stream that a stranger understands, for the pictures of the quality and drift pages.

Four channels for half a year; twelve days ago the microphones were replaced, and since then their
noise floor is higher and their words are less certain.
"""

from datetime import timedelta
from pathlib import Path

from benchmarks.lead_stream import fill
from qe_core.config import load_settings
from storage.columns import utc_now
from storage.database import Session
from workbench import annotations
from workbench.runtime import Runtime

__all__ = ["fill_lifelike"]

_NUM_CLIPS, _NUM_REVIEWS = 6_000, 2_000
_CHANGED = timedelta(days=12)

# Transcripts of a usable recogniser: a third of the errors that the stream for benchmarks has.
# What is no audit was reviewed because errors were expected.
_STEPS = """
UPDATE assessments SET predicted_wer = 0.35 * predicted_wer,
    low = greatest(0, 0.35 * predicted_wer - 0.12), high = 0.35 * predicted_wer + 0.12,
    expected_errors = 0.35 * expected_errors;
UPDATE assessed_clips SET predicted_wer = 0.35 * predicted_wer,
    low = greatest(0, 0.35 * predicted_wer - 0.12), high = 0.35 * predicted_wer + 0.12,
    expected_errors = 0.35 * expected_errors, noise_floor_dbfs = -64 + 6 * random(),
    wada_snr_db = 16 + 8 * random(), level_dbfs = -30 + 8 * random(),
    bandwidth_hz = 6800 + 900 * random(), speech_share = 0.5 + 0.4 * random(),
    clipped_share = greatest(0, 0.02 * random() - 0.015), decay_s = 0.2 + 0.15 * random(),
    pitch_hz = 95 + 140 * random(), confidence_p10 = 0.35 + 0.3 * random(),
    low_confidence_share = 0.25 * random(), uncovered_speech_share = 0.08 * random(),
    words_per_speech_s = 2 + random();
UPDATE assessed_clips SET noise_floor_dbfs = noise_floor_dbfs + 7, wada_snr_db = wada_snr_db - 7,
    confidence_p10 = confidence_p10 - 0.15, low_confidence_share = low_confidence_share + 0.1,
    predicted_wer = predicted_wer + 0.09, low = low + 0.09, high = high + 0.09,
    expected_errors = expected_errors + 0.09 * expected_words
    WHERE source = 'microphone' AND created_at > ?;
UPDATE assessments SET predicted_wer = n.predicted_wer, low = n.low, high = n.high,
    expected_errors = n.expected_errors
    FROM assessed_clips n WHERE n.assessment_id = assessments.id;
UPDATE reviews SET predicted_wer = n.predicted_wer,
    substitutions = greatest(0, round(0.6 * w.wrong)), deletions = round(0.25 * w.wrong),
    insertions = round(0.15 * w.wrong),
    hits = w.words - greatest(0, round(0.6 * w.wrong)) - round(0.25 * w.wrong),
    lead_time_s = (2 + 2 * random()) * n.duration_s, listened_share = 0.85 + 0.15 * random()
    FROM assessed_clips n, (
        SELECT r.id, r.hits + r.substitutions AS words, least(
            r.hits + r.substitutions, 0.35 * r.substitutions + 0.5 * random()
            + CASE WHEN c.source = 'microphone' AND c.created_at > ? THEN 0.15 ELSE 0 END
            * (r.hits + r.substitutions)) AS wrong
        FROM reviews r JOIN clips c ON c.id = r.clip_id
    ) w WHERE n.clip_id = reviews.clip_id AND w.id = reviews.id;
DELETE FROM mistakes WHERE review_id IN
    (SELECT id FROM reviews WHERE policy <> 'audit' AND predicted_wer < 0.12);
DELETE FROM reviews WHERE policy <> 'audit' AND predicted_wer < 0.12;
UPDATE mistakes SET reference = m.said, hypothesis = m.written FROM (
    SELECT review_id, position, pairs[1 + k][1] AS said, pairs[1 + k][2] AS written FROM (
        SELECT review_id, position, floor(9 * pow(random(), 2))::INT AS k, [
            ['two', 'too'], ['fifty', 'fifteen'], ['account', 'a count'], ['their', 'there'],
            ['the', NULL], [NULL, 'uh'], ['invoice', 'in voice'], ['Tuesday', 'Thursday'],
            ['card', 'car']] AS pairs FROM mistakes)
    ) m WHERE m.review_id = mistakes.review_id AND m.position = mistakes.position
"""


def fill_lifelike(data_dir: Path) -> None:
    """Fill an empty data folder.

    Args:
        data_dir: of an app that does not run
    """
    runtime = Runtime(load_settings(data_dir=data_dir, engine={"name": "pocketsphinx"}))
    since = utc_now() - _CHANGED
    try:
        fill(runtime, num_clips=_NUM_CLIPS, num_reviews=_NUM_REVIEWS)

        def change(session: Session) -> None:
            connection = session.connection()
            connection.exec_driver_sql("SELECT setseed(0.42)")
            for step in _STEPS.split(";"):
                moment = (since.replace(tzinfo=None),) if "?" in step else ()
                connection.exec_driver_sql(step, moment)

        runtime.database.write(change)
        annotations.add(runtime, since, "New microphones", "Ann")
    finally:
        runtime.close()
