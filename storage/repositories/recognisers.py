"""Recognisers that learnt from corrections: append-only, as are their promotions."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import RecogniserPromotion, RecogniserVersion, ReviewedClip
from storage.repositories.mapping import to_record, to_records
from storage.tables import (
    Assessments,
    Clips,
    Hypotheses,
    RecogniserPromotions,
    RecogniserVersions,
    Reviews,
)

__all__ = [
    "add_promotion",
    "add_version",
    "find_base",
    "get_version",
    "list_heirs",
    "list_promotions",
    "list_reviewed",
    "list_versions",
]


def add_version(  # noqa: PLR0913 - one argument per column
    session: Session,
    *,
    version_id: str,
    name: str,
    base: str,
    base_version: str,
    engine_version: str,
    folder: str | None,
    report: Mapping[str, Any],
    actor: str | None = None,
) -> RecogniserVersion:
    """Store a recogniser whose folder, if it is kept, is complete on disk."""
    row = RecogniserVersions(
        id=version_id,
        name=name,
        base=base,
        base_version=base_version,
        engine_version=engine_version,
        folder=folder,
        report_json=json.dumps(dict(report)),
        actor=actor,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(RecogniserVersion, row)


def get_version(session: Session, version_id: str) -> RecogniserVersion:
    """The version with this id.

    Raises:
        NotFoundError: there is none
    """
    row = session.get(RecogniserVersions, version_id)
    if row is None:
        raise NotFoundError(
            f"There is no recogniser version {version_id!r}.",
            suggestion="Choose one from the list on the settings page.",
        )
    return to_record(RecogniserVersion, row)


def find_base(session: Session, name: str) -> str | None:
    """Model that a fine-tuned recogniser was made from; ``None`` for one that was not made here.

    Args:
        session: the session
        name: what its transcripts carry as their model
    """
    query = select(RecogniserVersions.base).where(
        col(RecogniserVersions.name) == name, col(RecogniserVersions.folder).is_not(None)
    )
    return session.exec(query).first()


def list_heirs(session: Session, name: str) -> list[str]:
    """Models that were made from one, and from those in turn, the nearest first.

    Args:
        session: the session
        name: what the transcripts of the one carry as their model
    """
    query = select(RecogniserVersions.name, RecogniserVersions.base).where(
        col(RecogniserVersions.folder).is_not(None)
    )
    made_from = [(str(heir), str(base)) for heir, base in session.exec(query)]
    found: list[str] = []
    parents = {name}
    while parents:
        heirs = {heir for heir, base in made_from if base in parents} - {name, *found}
        found += sorted(heirs)
        parents = heirs
    return found


def list_versions(session: Session) -> list[RecogniserVersion]:
    """All versions, newest first."""
    query = select(RecogniserVersions).order_by(col(RecogniserVersions.id).desc())
    return to_records(RecogniserVersion, session.exec(query))


def add_promotion(
    session: Session,
    *,
    version_id: str | None,
    action: str,
    engine_before: str,
    engine_after: str,
    actor: str | None = None,
) -> RecogniserPromotion:
    """Note that a recogniser took over."""
    row = RecogniserPromotions(
        id=new_id(),
        version_id=version_id,
        action=action,
        engine_before=engine_before,
        engine_after=engine_after,
        actor=actor,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(RecogniserPromotion, row)


def list_promotions(session: Session) -> list[RecogniserPromotion]:
    """All promotions and rollbacks, oldest first."""
    query = select(RecogniserPromotions).order_by(col(RecogniserPromotions.id))
    return to_records(RecogniserPromotion, session.exec(query))


def list_reviewed(session: Session) -> list[ReviewedClip]:
    """Every reviewed clip with the review that counts, oldest review first."""
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    assessed = select(sa.func.max(Assessments.id)).group_by(col(Assessments.hypothesis_id))
    snr_db = sa.func.json_extract_string(col(Assessments.features_json), "$.wada_snr_db")
    query: Any = (
        sa.select(
            col(Reviews.clip_id),
            col(Reviews.verdict),
            col(Reviews.text),
            col(Clips.speaker),
            col(Hypotheses.language),
            col(Clips.duration_s),
            sa.cast(snr_db, sa.Float).label("snr_db"),
            col(Reviews.created_at).label("reviewed_at"),
        )
        .join(Clips, col(Clips.id) == col(Reviews.clip_id))
        .join(Hypotheses, col(Hypotheses.id) == col(Reviews.hypothesis_id))
        .outerjoin(
            Assessments,
            sa.and_(
                col(Assessments.hypothesis_id) == col(Hypotheses.id),
                col(Assessments.id).in_(assessed),
            ),
        )
        .where(col(Reviews.id).in_(newest))
        .order_by(col(Reviews.id))
    )
    return [ReviewedClip(**row) for row in session.connection().execute(query).mappings()]
