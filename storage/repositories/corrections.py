"""Reviews together with what an estimator would have seen: transcripts and features."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.types import Transcript
from storage.records import Hypothesis, Review, StoredAssessment
from storage.repositories.mapping import to_record
from storage.tables import Assessments, Clips, Hypotheses, Reviews

__all__ = ["Correction", "list_corrections", "list_estimators"]


@dataclass(frozen=True, slots=True)
class Correction:
    """The review that counts for a clip, and the transcript that it judged.

    Args:
        review: the review
        hypothesis: what was judged
        assessment: newest assessment of that hypothesis; its features are what matters here
        source: how the clip came in
        duration_s: its length
        recording: what it comes from; the clip itself when it is one of its own
    """

    review: Review
    hypothesis: Hypothesis
    assessment: StoredAssessment
    source: str
    duration_s: float
    recording: str

    @property
    def transcript(self) -> Transcript:
        """What the engine wrote."""
        return self.hypothesis.transcript


def list_corrections(session: Session) -> list[Correction]:
    """One entry per reviewed clip, oldest review first."""
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    assessed = select(sa.func.max(Assessments.id)).group_by(col(Assessments.hypothesis_id))
    query: Any = (
        sa.select(
            Reviews,
            Hypotheses,
            Assessments,
            col(Clips.source),
            col(Clips.duration_s),
            sa.func.coalesce(col(Clips.recording), col(Clips.id)),
        )
        .join(Clips, col(Clips.id) == col(Reviews.clip_id))
        .join(Hypotheses, col(Hypotheses.id) == col(Reviews.hypothesis_id))
        .join(Assessments, col(Assessments.hypothesis_id) == col(Hypotheses.id))
        .where(col(Reviews.id).in_(newest), col(Assessments.id).in_(assessed))
        .order_by(col(Reviews.id))
    )
    return [
        Correction(
            to_record(Review, review),
            to_record(Hypothesis, hypothesis),
            to_record(StoredAssessment, assessment),
            source,
            duration_s,
            recording,
        )
        for review, hypothesis, assessment, source, duration_s, recording in session.execute(query)
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
