"""Who works here, and what their role allows.

A person is a name that is stored with what they do. Either an identity provider vouches for it
(then ``subject`` says how the provider knows them) or, on a machine that only its own user reaches,
somebody gave it. What a role allows is checked in the use cases; pages that are hidden are a
courtesy.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from qe_core.errors import ConflictError, ForbiddenError, ReviewError
from storage.database import Session
from storage.records import Person
from storage.repositories import events
from storage.repositories import people as stored

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "ROLES",
    "Role",
    "check",
    "everybody",
    "find_subject",
    "has",
    "is_anybody_known",
    "may",
    "require",
    "role_of",
    "set_role",
    "sign_in",
]

Role = Literal["none", "annotator", "lead", "admin"]
"""``none`` is somebody who is locked out. Each of the others may do what those before it may."""

ROLES: Mapping[Role, str] = MappingProxyType(
    {
        "annotator": "Annotator: takes audio in and reviews",
        "lead": "Lead: also sees quality and drift, settles disagreements, takes clips over",
        "admin": "Admin: also changes settings, models and people",
        "none": "Nobody: is locked out",
    }
)
"""Roles and what they mean, in the order in which they are offered."""

_RANKS: tuple[Role, ...] = get_args(Role)


def sign_in(
    runtime: "Runtime", name: str, *, subject: str | None = None, is_new_admin: bool = False
) -> Person:
    """Find the person who has come, or remember somebody new.

    Args:
        runtime: the runtime
        name: what they are called; an e-mail address where a provider vouches for it
        subject: how the identity provider knows them, never reused for somebody else
        is_new_admin: nobody is known yet and this is the machine's own user: the first person
            becomes admin

    Returns:
        the person, with the role that holds now

    Raises:
        ForbiddenError: the name belongs to another account
    """
    settings = runtime.settings.people

    def work(session: Session) -> Person:
        known = stored.find_subject(session, subject) if subject else stored.find(session, name)
        if known is None and subject is not None:
            known = _adopted(session, name, subject)
        if known is not None and known.subject not in (None, subject):
            raise _not_yours(name)
        if known is None:
            is_first = is_new_admin and not stored.is_anybody_known(session)
            first_role = _at_least(
                "admin" if is_first else settings.new_role, name, settings.admins
            )
            return _add(session, name, first_role, subject, None)
        role = _at_least(known.role, known.name, settings.admins)
        if role != known.role:
            return _add(session, known.name, role, known.subject, None)
        return known

    return runtime.database.write(work)


def role_of(session: Session, name: str | None) -> Role:
    """The role of a name.

    An installation in which nobody is known yet belongs to whoever has its files, and so does
    everything that happens without a person: the command line, the worker.
    """
    if name is None:
        return "admin"
    person = stored.find(session, name)
    if person is not None:
        return _as_role(person.role)
    return "annotator" if stored.is_anybody_known(session) else "admin"


def may(runtime: "Runtime", name: str | None, role: Role) -> bool:
    """Whether somebody has this role or a higher one."""
    with runtime.database.session() as session:
        return has(session, name, role)


def has(session: Session, name: str | None, role: Role) -> bool:
    """Whether somebody has this role or a higher one, within a transaction."""
    return _rank(role_of(session, name)) >= _rank(role)


def require(session: Session, name: str | None, role: Role) -> None:
    """Refuse what a person's role does not allow.

    Raises:
        ForbiddenError: the role is too low
    """
    if has(session, name, role):
        return
    what = "work here" if role == "annotator" else f"do this: it takes the role “{role}”"
    raise ForbiddenError(
        f"{name} may not {what}.",
        suggestion="Ask an admin; roles are given on the people page.",
    )


def check(runtime: "Runtime", name: str | None, role: Role) -> None:
    """:func:`require` outside of a transaction."""
    with runtime.database.session() as session:
        require(session, name, role)


def everybody(runtime: "Runtime", actor: str | None) -> list[Person]:
    """All people by name, locked out ones included.

    Raises:
        ForbiddenError: only admins see them
    """
    with runtime.database.session() as session:
        require(session, actor, "admin")
        return stored.list_current(session)


def find_subject(runtime: "Runtime", subject: str) -> Person | None:
    """The person whom the identity provider knows under this subject, if they ever came."""
    with runtime.database.session() as session:
        return stored.find_subject(session, subject)


def is_anybody_known(runtime: "Runtime") -> bool:
    """Whether anybody has ever given a name."""
    with runtime.database.session() as session:
        return stored.is_anybody_known(session)


def set_role(runtime: "Runtime", name: str, role: Role, *, actor: str | None) -> Person:
    """Give a person another role, or let somebody in before they come.

    Args:
        runtime: the runtime
        name: the person
        role: from now on; ``none`` locks them out
        actor: who decides

    Raises:
        ForbiddenError: the actor is no admin
        ConflictError: they are the last admin
        ReviewError: there is no such role, or no name
    """
    if role not in _RANKS:
        raise ReviewError(
            f"{role!r} is no role.", suggestion=f"Choose one of: {', '.join(_RANKS)}."
        )
    name = " ".join(name.split())
    if not name:
        raise ReviewError("A person needs a name.", suggestion="Type a name or e-mail address.")

    def work(session: Session) -> Person:
        require(session, actor, "admin")
        known = stored.find(session, name)
        if known is not None and known.role == role:
            return known
        admins = [person.name for person in stored.list_current(session) if person.role == "admin"]
        if role != "admin" and admins == [name]:
            raise ConflictError(
                f"{name} is the last admin.",
                suggestion="Make somebody else an admin first.",
                code="last_admin",
            )
        return _add(session, name, role, None if known is None else known.subject, actor)

    return runtime.database.write(work)


def _adopted(session: Session, name: str, subject: str) -> Person | None:
    """A person whom an admin let in by address comes for the first time."""
    known = stored.find(session, name)
    if known is None or known.subject is not None:
        return known
    return stored.add(session, name, known.role, subject=subject, actor=known.actor)


def _add(session: Session, name: str, role: str, subject: str | None, actor: str | None) -> Person:
    person = stored.add(session, name, role, subject=subject, actor=actor)
    events.add(session, "person.role", actor=actor, payload={"name": name, "role": role})
    return person


def _at_least(role: str, name: str, admins: tuple[str, ...]) -> str:
    return "admin" if name.casefold() in {known.casefold() for known in admins} else role


def _not_yours(name: str) -> ForbiddenError:
    return ForbiddenError(
        f"The name {name} belongs to another account.",
        suggestion="Log in with that account, or ask an admin.",
        code="name_taken",
    )


def _as_role(role: str) -> Role:
    return next((known for known in _RANKS if known == role), "none")


def _rank(role: Role) -> int:
    return _RANKS.index(role)
