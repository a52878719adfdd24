"""People and their roles; append-only, the latest row of a name counts."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Person
from storage.repositories.mapping import to_record, to_records
from storage.tables import People

__all__ = ["add", "find", "find_subject", "is_anybody_known", "list_current", "list_history"]


def add(
    session: Session, name: str, role: str, *, subject: str | None = None, actor: str | None = None
) -> Person:
    """Give a person a role from now on."""
    row = People(
        id=new_id(), name=name, role=role, subject=subject, actor=actor, created_at=utc_now()
    )
    session.add(row)
    session.flush()
    return to_record(Person, row)


def find(session: Session, name: str) -> Person | None:
    """The row that counts for a name."""
    query = select(People).where(People.name == name).order_by(col(People.id).desc()).limit(1)
    row = session.exec(query).first()
    return None if row is None else to_record(Person, row)


def find_subject(session: Session, subject: str) -> Person | None:
    """The person whom the identity provider knows under this subject."""
    query = select(People).where(People.subject == subject).order_by(col(People.id).desc()).limit(1)
    row = session.exec(query).first()
    return None if row is None else find(session, row.name)


def is_anybody_known(session: Session) -> bool:
    """Whether there is any person."""
    return session.exec(select(People.id).limit(1)).first() is not None


def list_current(session: Session) -> list[Person]:
    """Everybody with the role that counts, by name."""
    newest = select(sa.func.max(People.id)).group_by(col(People.name))
    query = select(People).where(col(People.id).in_(newest)).order_by(col(People.name))
    return to_records(Person, session.exec(query))


def list_history(session: Session, name: str) -> list[Person]:
    """All roles that a person had, oldest first."""
    query = select(People).where(People.name == name).order_by(col(People.id))
    return to_records(Person, session.exec(query))
