"""Assessments: estimates of hypotheses; the latest of a clip is the current one."""

import json
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.serialise import estimate_to_json
from qe_core.types import Estimate
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Hypothesis, StoredAssessment, features_to_json
from storage.repositories import entries
from storage.repositories.mapping import to_record, to_records
from storage.repositories.narrow import put_assessed_clip
from storage.tables import Assessments, Hypotheses

__all__ = ["add", "count_transcripts", "find_latest", "get", "list_first_features", "list_latest"]


def add(  # noqa: PLR0913 - one argument per part of an assessment
    session: Session,
    hypothesis: Hypothesis,
    *,
    estimate: Estimate,
    features: Mapping[str, float],
    feature_schema: str,
    must_review: bool,
    duration_s: float,
    timings_s: Mapping[str, float],
) -> StoredAssessment:
    """Store an estimate for a hypothesis; the queue draws by it from now on."""
    row = Assessments(
        id=new_id(),
        clip_id=hypothesis.clip_id,
        hypothesis_id=hypothesis.id,
        estimator=estimate.estimator,
        engine=hypothesis.engine,
        feature_schema=feature_schema,
        features_json=features_to_json(features),
        estimate_json=estimate_to_json(estimate),
        timings_json=json.dumps(dict(timings_s)),
        predicted_wer=estimate.predicted_wer,
        low=estimate.low,
        high=estimate.high,
        expected_errors=estimate.expected_errors,
        must_review=must_review,
        duration_s=duration_s,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    put_assessed_clip(session, row, features=features, expected_words=estimate.expected_words)
    stored = to_record(StoredAssessment, row)
    entries.put(session, stored, hypothesis, estimate)
    return stored


def get(session: Session, assessment_id: str) -> StoredAssessment | None:
    """The assessment with this id, if there is one."""
    row = session.get(Assessments, assessment_id)
    return None if row is None else to_record(StoredAssessment, row)


def find_latest(session: Session, clip_id: str) -> StoredAssessment | None:
    """The current assessment of a clip."""
    query = select(Assessments).where(Assessments.clip_id == clip_id)
    row = session.exec(query.order_by(col(Assessments.id).desc()).limit(1)).first()
    return None if row is None else to_record(StoredAssessment, row)


def list_latest(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> list[StoredAssessment]:
    """The current assessment of every clip, oldest first.

    Args:
        session: the session
        since: only assessments made at or after this time
        until: only assessments made before this time
    """
    newest = select(sa.func.max(Assessments.id)).group_by(col(Assessments.clip_id))
    query = select(Assessments).where(col(Assessments.id).in_(newest))
    if since is not None:
        query = query.where(Assessments.created_at >= since)
    if until is not None:
        query = query.where(Assessments.created_at < until)
    return to_records(StoredAssessment, session.exec(query.order_by(col(Assessments.id))))


def count_transcripts(session: Session, engine: str, model: str) -> int:
    """Number of transcripts by a recogniser that were ever assessed."""
    query = (
        select(sa.func.count(sa.distinct(col(Assessments.hypothesis_id))))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(Hypotheses.engine == engine, Hypotheses.model == model)
    )
    return session.exec(query).one()


def list_first_features(
    session: Session, engine: str, model: str, *, limit: int, until: str | None = None
) -> dict[str, Mapping[str, float]]:
    """Features of the first transcripts by a recogniser, each of its latest assessment.

    Args:
        session: the session
        engine: the recogniser
        model: model within it
        limit: transcripts at most
        until: id of the newest assessment that counts; any by default

    Returns:
        by id of the assessment, oldest transcript first
    """
    first = (
        select(sa.func.max(Assessments.id).label("id"))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(Hypotheses.engine == engine, Hypotheses.model == model)
        .group_by(col(Assessments.hypothesis_id))
        .order_by(col(Assessments.hypothesis_id))
        .limit(limit)
    )
    if until is not None:
        first = first.where(col(Assessments.id) <= until)
    query = (
        select(Assessments)
        .where(col(Assessments.id).in_(first))
        .order_by(col(Assessments.hypothesis_id))
    )
    return {item.id: item.features for item in to_records(StoredAssessment, session.exec(query))}
