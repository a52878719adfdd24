"""Reviews together with what an estimator would have seen: transcripts and features."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.types import Transcript
from storage.records import Hypothesis, Review, StoredAssessment
from storage.repositories.mapping import to_record
from storage.tables import Assessments, Clips, Hypotheses, Reviews

__all__ = ["Correction", "find_corrections", "list_corrections", "list_estimators"]


@dataclass(frozen=True, slots=True)
class Correction:
    """The review that counts for a clip, and the transcript that it judged.

    Args:
        review: the review
        hypothesis: what was judged
        assessment: newest assessment of that hypothesis; its features are what matters here
        source: how the clip came in
        recording: what the clip is a part of
        duration_s: its length
    """

    review: Review
    hypothesis: Hypothesis
    assessment: StoredAssessment
    source: str
    recording: str
    duration_s: float

    @property
    def transcript(self) -> Transcript:
        """What the engine wrote."""
        return self.hypothesis.transcript


def list_corrections(session: Session) -> list[Correction]:
    """One entry per reviewed clip, oldest review first."""
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    assessed = select(sa.func.max(Assessments.id)).group_by(col(Assessments.hypothesis_id))
    query = _everything().where(col(Reviews.id).in_(newest), col(Assessments.id).in_(assessed))
    return _read(session, query)


def find_corrections(
    session: Session, pairs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Correction]:
    """Reviews with the assessments that they were learnt from, whatever came since.

    Args:
        session: the session
        pairs: ids of a review and an assessment

    Returns:
        what is there, by these ids
    """
    query = _everything().where(
        col(Reviews.id).in_([review for review, _ in pairs]),
        col(Assessments.id).in_([assessment for _, assessment in pairs]),
    )
    return {(item.review.id, item.assessment.id): item for item in _read(session, query)}


def _everything() -> Any:
    columns = (
        Reviews,
        Hypotheses,
        Assessments,
        col(Clips.source),
        sa.func.coalesce(col(Clips.recording), col(Clips.id)),
        col(Clips.duration_s),
    )
    return (
        sa.select(*columns)
        .join(Clips, col(Clips.id) == col(Reviews.clip_id))
        .join(Hypotheses, col(Hypotheses.id) == col(Reviews.hypothesis_id))
        .join(Assessments, col(Assessments.hypothesis_id) == col(Hypotheses.id))
        .order_by(col(Reviews.id))
    )


def _read(session: Session, query: Any) -> list[Correction]:
    return [
        Correction(
            to_record(Review, review),
            to_record(Hypothesis, hypothesis),
            to_record(StoredAssessment, assessment),
            source,
            recording,
            duration_s,
        )
        for review, hypothesis, assessment, source, recording, duration_s in session.execute(query)
    ]


def list_estimators(session: Session, engine: str, model: str) -> dict[str, str]:
    """Which estimator made the current estimate of every clip that a recogniser transcribed."""
    newest = select(sa.func.max(Assessments.id)).group_by(col(Assessments.clip_id))
    query: Any = (
        sa.select(col(Assessments.clip_id), col(Assessments.estimator))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(
            col(Assessments.id).in_(newest),
            col(Hypotheses.engine) == engine,
            col(Hypotheses.model) == model,
        )
    )
    return {row.clip_id: row.estimator for row in session.connection().execute(query)}
