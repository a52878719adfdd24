"""Events: an append-only log of what happened."""

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Event
from storage.repositories.mapping import to_record, to_records
from storage.tables import Events

__all__ = ["add", "list_recent"]


def add(
    session: Session,
    kind: str,
    *,
    clip_id: str | None = None,
    actor: str | None = None,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    """Note that something happened; ``payload`` has to be JSON."""
    row = Events(
        id=new_id(),
        kind=kind,
        clip_id=clip_id,
        actor=actor,
        payload_json=json.dumps(dict(payload or {})),
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(Event, row)


def list_recent(
    session: Session, *, kind: str | None = None, clip_id: str | None = None, limit: int = 100
) -> list[Event]:
    """The newest events, newest first."""
    query = select(Events).order_by(col(Events.id).desc()).limit(limit)
    if kind is not None:
        query = query.where(Events.kind == kind)
    if clip_id is not None:
        query = query.where(Events.clip_id == clip_id)
    return to_records(Event, session.exec(query))
