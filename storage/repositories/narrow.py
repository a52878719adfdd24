"""Narrow tables derived from wide ones, so that charts over all clips read columns, not JSON."""

import math
from collections.abc import Mapping

from sqlmodel import Session, col, select

from qe_core.features.base import covers
from qe_core.wer import count_mistakes
from storage.derived import AssessedClips
from storage.tables import Assessments, Clips, Hypotheses, Reviews

__all__ = ["FEATURES", "put_assessed_clip", "put_mistakes"]

FEATURES = (
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
"""Features that have a column of their own."""

_ADD_MISTAKES = """
INSERT INTO mistakes
SELECT ?, unnest(range(?)), ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[])
"""


def put_assessed_clip(
    session: Session,
    assessment: Assessments,
    *,
    features: Mapping[str, float],
    expected_words: float,
) -> None:
    """Make an assessment the current one of its clip.

    Where more is known of the same transcript than when it came in, the schema stays: clips that
    were looked at again were chosen, and do not stand for a time in which others were not.

    Args:
        session: the running transaction, in which the assessment was added
        assessment: the row
        features: by name; those of :data:`FEATURES` are kept
        expected_words: expected reference words
    """
    clip = session.get(Clips, assessment.clip_id)
    hypothesis = session.get(Hypotheses, assessment.hypothesis_id)
    if clip is None or hypothesis is None:  # an estimate of a clip that is no longer there
        return
    row = {
        "clip_id": clip.id,
        "assessment_id": assessment.id,
        "recording": clip.recording or clip.id,
        "speaker": clip.speaker,
        "source": clip.source,
        "engine": hypothesis.engine,
        "version": hypothesis.version,
        "language": hypothesis.language,
        "feature_schema": _schema_of(session, assessment),
        "estimator": assessment.estimator,
        "sample_rate_hz": clip.sample_rate_hz,
        "created_at": clip.created_at.replace(tzinfo=None),
        "duration_s": assessment.duration_s,
        "predicted_wer": assessment.predicted_wer,
        "low": assessment.low,
        "high": assessment.high,
        "expected_errors": assessment.expected_errors,
        "expected_words": expected_words,
        "must_review": assessment.must_review,
        **{name: _finite(features.get(name)) for name in FEATURES},
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    query = f"INSERT OR REPLACE INTO assessed_clips ({names}) VALUES ({marks})"  # noqa: S608 - the names stand above
    session.connection().exec_driver_sql(query, tuple(row.values()))


def put_mistakes(session: Session, review: Reviews) -> None:
    """Keep which words a review found wrong: aligning thousands of texts again would be slow."""
    hypothesis = session.get(Hypotheses, review.hypothesis_id)
    if review.hits is None or hypothesis is None:
        return
    mistakes = count_mistakes(review.text, hypothesis.text, normaliser=review.normaliser)
    if not mistakes:
        return
    said, written = zip(*mistakes, strict=True)
    session.connection().exec_driver_sql(
        _ADD_MISTAKES,
        (
            review.id,
            len(mistakes),
            review.clip_id,
            list(said),
            list(written),
            list(mistakes.values()),
        ),
    )


def _schema_of(session: Session, assessment: Assessments) -> str:
    query = (
        select(AssessedClips.feature_schema)
        .join(Assessments, col(Assessments.id) == col(AssessedClips.assessment_id))
        .where(
            AssessedClips.clip_id == assessment.clip_id,
            Assessments.hypothesis_id == assessment.hypothesis_id,
        )
    )
    former = session.exec(query).first()
    if former is None or not covers(assessment.feature_schema, former):
        return assessment.feature_schema
    return former


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
