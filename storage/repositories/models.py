"""Model versions and promotions: append-only; the latest promotion says who serves."""

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import ModelVersion, Promotion
from storage.repositories.mapping import to_record, to_records
from storage.tables import ModelVersions, Promotions

__all__ = [
    "add_promotion",
    "add_version",
    "find_latest_promotion",
    "get_version",
    "list_promotions",
    "list_versions",
]


_SERVING = ("promote", "rollback")


def add_version(  # noqa: PLR0913 - one argument per column
    session: Session,
    *,
    estimator: str,
    kind: str,
    engine: str,
    model: str,
    folder: str,
    manifest: Mapping[str, Any],
    report: Mapping[str, Any],
    actor: str | None = None,
    version_id: str | None = None,
) -> ModelVersion:
    """Store a trained estimator whose folder is complete on disk.

    Its folder may already be named after ``version_id``; without one it gets a new one.
    """
    row = ModelVersions(
        id=version_id or new_id(),
        estimator=estimator,
        kind=kind,
        engine=engine,
        model=model,
        folder=folder,
        manifest_json=json.dumps(dict(manifest)),
        report_json=json.dumps(dict(report)),
        actor=actor,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(ModelVersion, row)


def get_version(session: Session, version_id: str) -> ModelVersion:
    """The version with this id.

    Raises:
        NotFoundError: there is none
    """
    row = session.get(ModelVersions, version_id)
    if row is None:
        raise NotFoundError(
            f"There is no model version {version_id!r}.",
            suggestion="Choose one from the list on the settings page.",
        )
    return to_record(ModelVersion, row)


def list_versions(session: Session, *, kind: str | None = None) -> list[ModelVersion]:
    """All versions, newest first."""
    query = select(ModelVersions).order_by(col(ModelVersions.id).desc())
    if kind is not None:
        query = query.where(ModelVersions.kind == kind)
    return to_records(ModelVersion, session.exec(query))


def add_promotion(
    session: Session,
    *,
    kind: str,
    engine: str,
    model: str,
    version_id: str | None,
    action: str,
    actor: str | None = None,
) -> Promotion:
    """Note what is decided about a version; ``None`` is the built-in one."""
    row = Promotions(
        id=new_id(),
        kind=kind,
        engine=engine,
        model=model,
        version_id=version_id,
        action=action,
        actor=actor,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(Promotion, row)


def find_latest_promotion(
    session: Session, *, kind: str, owner: tuple[str, str] | None = None
) -> Promotion | None:
    """Who was last made to serve, by promotion or rollback.

    Args:
        session: the session
        kind: of the estimator
        owner: engine and model whose transcripts it judges; any by default
    """
    query = select(Promotions).where(Promotions.kind == kind, col(Promotions.action).in_(_SERVING))
    if owner is not None:
        query = query.where(Promotions.engine == owner[0], Promotions.model == owner[1])
    row = session.exec(query.order_by(col(Promotions.id).desc()).limit(1)).first()
    return None if row is None else to_record(Promotion, row)


def list_promotions(session: Session) -> list[Promotion]:
    """All decisions, newest first."""
    return to_records(
        Promotion, session.exec(select(Promotions).order_by(col(Promotions.id).desc()))
    )
