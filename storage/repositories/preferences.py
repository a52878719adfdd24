"""Preferences: settings chosen by people; append-only, the latest per key counts."""

import json
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.database import note_change
from storage.ids import new_id
from storage.records import Preference
from storage.repositories.mapping import to_record, to_records
from storage.tables import Preferences

__all__ = ["TABLE", "add", "list_current", "list_history"]

TABLE = "preferences"
"""For :meth:`storage.database.Database.num_changes`."""


def add(session: Session, key: str, value: Any, *, actor: str | None = None) -> Preference:
    """Choose a value; ``None`` goes back to the configuration."""
    row = Preferences(
        id=new_id(), key=key, value_json=json.dumps(value), actor=actor, created_at=utc_now()
    )
    session.add(row)
    session.flush()
    note_change(session, TABLE)
    return to_record(Preference, row)


def list_current(session: Session) -> list[Preference]:
    """The latest choice per key."""
    newest = select(sa.func.max(Preferences.id)).group_by(col(Preferences.key))
    query = select(Preferences).where(col(Preferences.id).in_(newest))
    return to_records(Preference, session.exec(query.order_by(col(Preferences.key))))


def list_history(session: Session, key: str) -> list[Preference]:
    """All choices for a key, oldest first."""
    query = select(Preferences).where(Preferences.key == key).order_by(col(Preferences.id))
    return to_records(Preference, session.exec(query))
