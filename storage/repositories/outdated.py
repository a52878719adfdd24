"""Clips whose estimate is by another estimator, or from fewer features, than it would be today.

Clips that wait for review count, and audits: the WER of the stream takes what the audits are off by
for what the others are off by, so that both have to be estimated alike. Other corrected clips count
where features are lacking: without these, no estimator can learn from their corrections.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.features.base import covers
from storage.derived import AssessedClips, QueueEntries
from storage.tables import Assessments, Hypotheses, Reviews

__all__ = ["Wanted", "is_outdated", "list_outdated", "measure", "num_estimated_since"]

_IS_AUDIT = col(Reviews.policy) == "audit"
# A rejected clip has no counts, and teaches nothing.
_CAN_TEACH = col(Reviews.hits).is_not(None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The estimates that a recogniser's transcripts should have.

    Args:
        engine: the recogniser
        model: model within it
        schema: features that they should be made of, or more
        estimator: who should make them
    """

    engine: str
    model: str
    schema: str
    estimator: str


def list_outdated(session: Session, wanted: Wanted, *, limit: int) -> list[str]:
    """Ids of these clips, those that repay a review most first."""
    return list(session.connection().execute(_outdated(session, wanted).limit(limit)).scalars())


def is_outdated(session: Session, wanted: Wanted, clip_id: str) -> bool:
    """Whether a clip is one of them."""
    query = _outdated(session, wanted).where(col(QueueEntries.clip_id) == clip_id)
    return session.connection().execute(query).first() is not None


def measure(session: Session, wanted: Wanted, *, limit: int | None = None) -> tuple[int, float]:
    """How many clips :func:`list_outdated` finds, and their length in seconds."""
    found = _outdated(session, wanted).limit(limit).subquery()
    query = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(found.c.duration_s), 0.0)
    ).select_from(found)
    num_clips, duration_s = session.connection().execute(query).one()
    return int(num_clips), float(duration_s)


def num_estimated_since(session: Session, moment: datetime) -> int:
    """How many clips that were transcribed before a moment have been estimated again since."""
    query = (
        sa.select(sa.func.count(sa.distinct(col(Assessments.clip_id))))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(col(Assessments.created_at) >= moment, col(Hypotheses.created_at) < moment)
    )
    return int(session.connection().execute(query).scalar_one())


def _outdated(session: Session, wanted: Wanted) -> Any:
    rate = col(QueueEntries.expected_errors) / sa.func.greatest(col(QueueEntries.duration_s), 1e-3)

    def is_reviewed(how: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        return col(QueueEntries.clip_id).in_(select(Reviews.clip_id).where(how))

    is_compared = sa.or_(col(QueueEntries.stage) == "open", is_reviewed(_IS_AUDIT))
    is_narrow = col(Assessments.feature_schema).in_(_too_narrow(session, wanted.schema))
    return (
        sa.select(col(QueueEntries.clip_id), col(QueueEntries.duration_s))
        .join(AssessedClips, col(AssessedClips.clip_id) == col(QueueEntries.clip_id))
        .join(Assessments, col(Assessments.id) == col(AssessedClips.assessment_id))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(
            col(Hypotheses.engine) == wanted.engine,
            col(Hypotheses.model) == wanted.model,
            sa.or_(
                sa.and_(
                    is_compared,
                    sa.or_(col(Assessments.estimator) != wanted.estimator, is_narrow),
                ),
                sa.and_(is_reviewed(_CAN_TEACH), is_narrow),
            ),
        )
        .order_by(rate.desc(), col(QueueEntries.clip_id))
    )


def _too_narrow(session: Session, schema: str) -> list[str]:
    """Schemas of stored features that lack some of another schema; never empty."""
    query = sa.select(col(Assessments.feature_schema)).distinct()
    stored = session.connection().execute(query).scalars()
    # DuckDB cannot compare with an empty list.
    return [name for name in stored if not covers(name, schema)] or [""]
