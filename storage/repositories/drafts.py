"""Drafts: what a reviewer typed and did not save; one per clip and reviewer."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.records import Draft
from storage.repositories.mapping import to_record, to_records
from storage.tables import Drafts

__all__ = ["discard", "find", "list_for_reviewer", "save"]


def save(
    session: Session,
    clip_id: str,
    reviewer: str,
    text: str,
    *,
    position_s: float = 0.0,
    cursor: int = 0,
    layout: Sequence[Sequence[float]] | None = None,
) -> Draft:
    """Keep the newest state of a reviewer's work on a clip."""
    row = session.get(Drafts, (clip_id, reviewer))
    if row is None:
        row = Drafts(clip_id=clip_id, reviewer=reviewer, text=text, updated_at=utc_now())
    row.text, row.position_s, row.cursor, row.updated_at = text, position_s, cursor, utc_now()
    row.layout_json = None if layout is None else json.dumps(layout)
    session.add(row)
    session.flush()
    return to_record(Draft, row)


def find(session: Session, clip_id: str, reviewer: str) -> Draft | None:
    """A reviewer's draft for a clip."""
    row = session.get(Drafts, (clip_id, reviewer))
    return None if row is None else to_record(Draft, row)


def list_for_reviewer(session: Session, reviewer: str) -> list[Draft]:
    """A reviewer's drafts, the newest first."""
    query = select(Drafts).where(Drafts.reviewer == reviewer)
    return to_records(Draft, session.exec(query.order_by(col(Drafts.updated_at).desc())))


def discard(session: Session, clip_id: str, reviewer: str) -> None:
    """Forget a draft, because it was saved as a review."""
    session.exec(
        sa.delete(Drafts).where(col(Drafts.clip_id) == clip_id, col(Drafts.reviewer) == reviewer)
    )
