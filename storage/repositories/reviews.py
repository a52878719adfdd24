"""Reviews: verdicts and corrections; append-only, the latest of a clip counts."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.types import Verdict
from qe_core.wer import ErrorCounts
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Review, SecondReview
from storage.repositories import entries
from storage.repositories.mapping import to_record, to_records
from storage.repositories.narrow import put_mistakes
from storage.tables import Reviews, SecondReviews

__all__ = [
    "add",
    "count",
    "count_clips_since",
    "find",
    "find_latest",
    "list_for_clip",
    "list_latest",
]


def add(  # noqa: PLR0913 - one argument per column
    session: Session,
    *,
    clip_id: str,
    hypothesis_id: str,
    assessment_id: str | None,
    reviewer: str,
    verdict: Verdict,
    text: str,
    normaliser: str,
    counts: ErrorCounts | None,
    predicted_wer: float | None,
    lead_time_s: float,
    listened_share: float,
    policy: str,
    replays: int = 0,
    propensity: float | None = None,
    reject_reason: str | None = None,
    origin: str = "desk",
    first_review_id: str | None = None,
) -> Review:
    """Store a verdict; ``counts`` is ``None`` on a reject.

    From now on it counts, and the clip waits for nobody. With ``first_review_id`` it is a second
    opinion on that review: it does not count, and the clip stays where it stands.
    """
    values: dict[str, Any] = {
        "id": new_id(),
        "clip_id": clip_id,
        "hypothesis_id": hypothesis_id,
        "assessment_id": assessment_id,
        "reviewer": reviewer,
        "verdict": verdict,
        "text": text,
        "reject_reason": reject_reason,
        "normaliser": normaliser,
        "hits": None if counts is None else counts.hits,
        "substitutions": None if counts is None else counts.substitutions,
        "deletions": None if counts is None else counts.deletions,
        "insertions": None if counts is None else counts.insertions,
        "predicted_wer": predicted_wer,
        "lead_time_s": lead_time_s,
        "listened_share": listened_share,
        "replays": replays,
        "propensity": propensity,
        "policy": policy,
        "created_at": utc_now(),
        "origin": origin,
    }
    if first_review_id is not None:
        second = SecondReviews(**values, first_review_id=first_review_id)
        session.add(second)
        session.flush()
        return to_record(SecondReview, second)
    row = Reviews(**values)
    session.add(row)
    session.flush()
    entries.move(session, clip_id, "done")
    put_mistakes(session, row)
    return to_record(Review, row)


def find(session: Session, review_id: str) -> Review | None:
    """The review with this id, if there is one."""
    row = session.get(Reviews, review_id)
    return None if row is None else to_record(Review, row)


def find_latest(session: Session, clip_id: str) -> Review | None:
    """The review of a clip that counts."""
    reviews = list_for_clip(session, clip_id)
    return reviews[-1] if reviews else None


def list_for_clip(session: Session, clip_id: str) -> list[Review]:
    """All reviews of a clip, oldest first."""
    query = select(Reviews).where(Reviews.clip_id == clip_id).order_by(col(Reviews.id))
    return to_records(Review, session.exec(query))


def list_latest(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> list[Review]:
    """The review that counts of every reviewed clip, oldest first.

    Args:
        session: the session
        since: only reviews saved at or after this time
        until: only reviews saved before this time
    """
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    query = select(Reviews).where(col(Reviews.id).in_(newest))
    if since is not None:
        query = query.where(Reviews.created_at >= since)
    if until is not None:
        query = query.where(Reviews.created_at < until)
    return to_records(Review, session.exec(query.order_by(col(Reviews.id))))


def count_clips_since(session: Session, since: datetime | None) -> int:
    """How many clips were reviewed after a time, or ever."""
    query = select(sa.func.count(sa.distinct(col(Reviews.clip_id))))
    if since is not None:
        query = query.where(col(Reviews.created_at) > since)
    return int(session.exec(query).one())


def count(session: Session, *, after_id: str = "") -> int:
    """How many reviews were saved, or saved after the one with this id."""
    query = select(sa.func.count()).select_from(Reviews).where(col(Reviews.id) > after_id)
    return int(session.exec(query).one())
