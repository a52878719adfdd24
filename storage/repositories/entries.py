"""The queue's own table: what drawing needs to know of every assessed clip, and its stage.

It repeats what assessments and reviews say, so that drawing need not read them; it is written in
the same transaction as what it repeats.
"""

from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.types import Estimate
from storage.derived import QueueEntries
from storage.records import Hypothesis, QueueEntry, StoredAssessment
from storage.repositories.mapping import to_record, to_records
from storage.tables import Clips, Reviews

__all__ = ["Stage", "find", "list_stage", "move", "num_in_stage", "put"]

Stage = Literal["open", "second", "escalated", "disputed", "done"]
"""Where a clip stands: waits for its first review, for a second person, for a lead's word, for a
lead's choice between two reviews, or for nobody."""

_SEPARATOR = "\n"


def put(
    session: Session, assessment: StoredAssessment, hypothesis: Hypothesis, estimate: Estimate
) -> None:
    """Bring a clip's entry up to its newest assessment; its stage stays."""
    clip = session.get(Clips, assessment.clip_id)
    if clip is None:
        return
    row = session.get(QueueEntries, clip.id)
    if row is None:
        is_reviewed = session.exec(select(Reviews.id).where(Reviews.clip_id == clip.id)).first()
        row = QueueEntries(
            clip_id=clip.id,
            stage="open" if is_reviewed is None else "done",
            file_name=clip.file_name,
            source=clip.source,
            speaker=clip.speaker,
            came_at=clip.created_at,
            language=hypothesis.language,
            reasons="",
            duration_s=assessment.duration_s,
            predicted_wer=assessment.predicted_wer,
            low=assessment.low,
            high=assessment.high,
            expected_errors=assessment.expected_errors,
            must_review=assessment.must_review,
        )
    row.language = hypothesis.language
    row.reasons = _SEPARATOR.join(reason.text for reason in estimate.reasons)
    row.duration_s = assessment.duration_s
    row.predicted_wer, row.low, row.high = (
        assessment.predicted_wer,
        assessment.low,
        assessment.high,
    )
    row.expected_errors, row.must_review = assessment.expected_errors, assessment.must_review
    session.add(row)
    session.flush()


def find(session: Session, clip_id: str) -> QueueEntry | None:
    """The entry of a clip; ``None`` before it is assessed."""
    row = session.get(QueueEntries, clip_id)
    return None if row is None else to_record(QueueEntry, row)


def move(
    session: Session, clip_id: str, stage: Stage, *, first_reviewer: str | None = None
) -> None:
    """Put a clip into another stage.

    Args:
        session: the session
        clip_id: the clip
        stage: where it stands from now on
        first_reviewer: who must not be the second one, for the stage ``second``
    """
    session.exec(
        sa.update(QueueEntries)
        .where(col(QueueEntries.clip_id) == clip_id)
        .values(stage=stage, first_reviewer=first_reviewer)
    )


def list_stage(session: Session, stage: Stage, *, limit: int = 200) -> list[QueueEntry]:
    """Entries of a stage, those that came first first."""
    query = select(QueueEntries).where(QueueEntries.stage == stage)
    ordered = query.order_by(col(QueueEntries.came_at), col(QueueEntries.clip_id)).limit(limit)
    return to_records(QueueEntry, session.exec(ordered))


def num_in_stage(session: Session, stage: Stage) -> int:
    """How many clips stand there."""
    query = select(sa.func.count()).select_from(QueueEntries).where(QueueEntries.stage == stage)
    return int(session.exec(query).one())
