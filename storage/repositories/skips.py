"""Skips: clips that somebody wants to see later; they stay in the queue for everybody else."""

import sqlalchemy as sa
from sqlmodel import Session, col

from storage.columns import utc_now
from storage.tables import Skips

__all__ = ["add", "forget"]


def add(session: Session, clip_id: str, reviewer: str) -> None:
    """Note that a reviewer put a clip off."""
    row = session.get(Skips, (clip_id, reviewer)) or Skips(
        clip_id=clip_id, reviewer=reviewer, skipped_at=utc_now()
    )
    row.skipped_at = utc_now()
    session.add(row)
    session.flush()


def forget(session: Session, reviewer: str) -> bool:
    """Let what a reviewer put off come round again; says whether there was anything."""
    gone = session.exec(
        sa.delete(Skips).where(col(Skips.reviewer) == reviewer).returning(col(Skips.clip_id))
    ).all()
    return bool(gone)
