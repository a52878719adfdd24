"""What a claim is about, and how it ends."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from storage.columns import utc_now
from storage.records import Claim, Review, StoredAssessment
from storage.repositories.mapping import to_record
from storage.tables import Assessments, Claims, Reviews

__all__ = [
    "find_claim",
    "find_last_review",
    "pinned_assessment",
    "spend_claim",
]


def find_claim(session: Session, clip_id: str) -> Claim | None:
    """The last claim on a clip, expired or not."""
    row = session.get(Claims, clip_id)
    return None if row is None else to_record(Claim, row)


def spend_claim(session: Session, clip_id: str, token: str) -> bool:
    """End the claim with this token, expired or not; says whether it was still the last one.

    The update makes a concurrent claim of the same clip collide, so that only one of them holds.
    """
    spent = session.exec(
        sa.update(Claims)
        .where(col(Claims.clip_id) == clip_id, col(Claims.token) == token)
        .values(expires_at=utc_now())
        .returning(col(Claims.clip_id))
    ).all()
    return bool(spent)


def pinned_assessment(session: Session, claim: Claim) -> StoredAssessment:
    """The assessment that was current when a clip was claimed: the one that its reviewer sees.

    Raises:
        NotFoundError: there was none
    """
    # Nothing but the clip in the condition and no limit: only so does DuckDB use the index.
    rows = session.exec(select(Assessments).where(Assessments.clip_id == claim.clip_id))
    shown = [row for row in rows if row.created_at <= claim.claimed_at]
    if not shown:
        raise NotFoundError(
            "This clip has no transcript yet.",
            suggestion="Wait until it is ready; the intake page shows how far it is.",
            code="not_ready",
        )
    return to_record(StoredAssessment, max(shown, key=lambda row: row.id))


def find_last_review(session: Session, reviewer: str) -> Review | None:
    """The newest review of a reviewer that still counts for its clip."""
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    query = (
        select(Reviews)
        .where(Reviews.reviewer == reviewer, col(Reviews.id).in_(newest))
        .order_by(col(Reviews.id).desc())
        .limit(1)
    )
    row = session.exec(query).first()
    return None if row is None else to_record(Review, row)
