"""Second reviews: what another person found without seeing the first review."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.records import Review, SecondReview
from storage.repositories.mapping import to_record, to_records
from storage.tables import Reviews, SecondReviews

__all__ = ["Pair", "find", "find_latest", "list_for_clip", "list_pairs"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reviews of one clip by two people, neither of whom saw the other's."""

    first: Review
    second: SecondReview


def list_for_clip(session: Session, clip_id: str) -> list[SecondReview]:
    """All second reviews of a clip, oldest first."""
    query = select(SecondReviews).where(SecondReviews.clip_id == clip_id)
    return to_records(SecondReview, session.exec(query.order_by(col(SecondReviews.id))))


def find(session: Session, review_id: str) -> SecondReview | None:
    """The second review with this id, if there is one."""
    row = session.get(SecondReviews, review_id)
    return None if row is None else to_record(SecondReview, row)


def find_latest(session: Session, clip_id: str) -> SecondReview | None:
    """The newest second review of a clip."""
    found = list_for_clip(session, clip_id)
    return found[-1] if found else None


def list_pairs(session: Session, clip_ids: list[str] | None = None) -> list[Pair]:
    """Every newest second review with the first review that it was compared with.

    Args:
        session: the session
        clip_ids: only of these clips
    """
    newest = select(sa.func.max(SecondReviews.id)).group_by(col(SecondReviews.clip_id))
    query = (
        sa.select(Reviews, SecondReviews)
        .join(SecondReviews, col(SecondReviews.first_review_id) == col(Reviews.id))
        .where(col(SecondReviews.id).in_(newest))
        .order_by(col(SecondReviews.id))
    )
    if clip_ids is not None:
        if not clip_ids:  # DuckDB cannot compare with an empty list
            return []
        query = query.where(col(SecondReviews.clip_id).in_(clip_ids))
    return [
        Pair(to_record(Review, first), to_record(SecondReview, second))
        for first, second in session.execute(query)
    ]
