"""The review queue: what waits, what was promised to the audit, and what a claim is about."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from storage.columns import utc_now
from storage.records import Claim, Review, StoredAssessment
from storage.repositories.mapping import to_record, to_records
from storage.tables import Assessments, Claims, Clips, Reviews

__all__ = [
    "OpenClip",
    "find_claim",
    "find_last_review",
    "list_open",
    "list_owed_audits",
    "num_open",
    "pinned_assessment",
    "spend_claim",
]


@dataclass(frozen=True, slots=True)
class OpenClip:
    """An assessed clip without a review, as far as the queue needs to know it.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        predicted_wer: predicted WER of its current hypothesis
        low: lower end of the interval
        high: upper end of the interval
        expected_errors: expected word errors
        must_review: a rule flags it whatever the predicted WER
    """

    clip_id: str
    file_name: str
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    must_review: bool

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.predicted_wer >= threshold


def list_open(session: Session) -> list[OpenClip]:
    """Every assessed clip that has no review yet, in the order of their ids."""
    newest = select(sa.func.max(Assessments.id)).group_by(col(Assessments.clip_id))
    query = (
        sa.select(
            col(Assessments.clip_id),
            col(Clips.file_name),
            col(Assessments.duration_s),
            col(Assessments.predicted_wer),
            col(Assessments.low),
            col(Assessments.high),
            col(Assessments.expected_errors),
            col(Assessments.must_review),
        )
        .join(Clips, col(Clips.id) == col(Assessments.clip_id))
        .where(col(Assessments.id).in_(newest), _is_unreviewed())
        .order_by(col(Assessments.clip_id))
    )
    return [OpenClip(*row) for row in session.connection().execute(query)]


def num_open(session: Session) -> int:
    """How many assessed clips have no review yet."""
    query = sa.select(sa.func.count(sa.distinct(col(Assessments.clip_id)))).where(_is_unreviewed())
    return int(session.connection().execute(query).scalar_one())


def list_owed_audits(session: Session) -> list[Claim]:
    """Audits that were drawn and given back without a review, oldest first.

    If they were forgotten, the audits would be a sample of the clips that reviewers like.
    """
    query = select(Claims).where(
        Claims.policy == "audit",
        Claims.expires_at <= utc_now(),
        col(Claims.clip_id).not_in(select(Reviews.clip_id)),
    )
    return to_records(Claim, session.exec(query.order_by(col(Claims.claimed_at))))


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
    query = (
        select(Assessments)
        .where(Assessments.clip_id == claim.clip_id, Assessments.created_at <= claim.claimed_at)
        .order_by(col(Assessments.id).desc())
        .limit(1)
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFoundError(
            "This clip has no transcript yet.",
            suggestion="Wait until it is ready; the intake page shows how far it is.",
            code="not_ready",
        )
    return to_record(StoredAssessment, row)


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


def _is_unreviewed() -> sa.ColumnElement[bool]:
    reviewed = sa.exists().where(col(Reviews.clip_id) == col(Assessments.clip_id))
    return ~reviewed
