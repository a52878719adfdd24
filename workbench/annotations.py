"""What people know about moments of the stream: a release, a new microphone, another customer."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qe_core.errors import ConfigError
from storage.repositories import events

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["Annotation", "add", "list_all", "remove"]

_ADDED = "annotation_added"
_REMOVED = "annotation_removed"
_MOST = 500
_MAX_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Annotation:
    """A moment that somebody named.

    Args:
        id: of the event that holds it
        at: the moment, UTC
        text: what happened
        actor: who wrote it down
    """

    id: str
    at: datetime
    text: str
    actor: str | None


def add(runtime: "Runtime", at: datetime, text: str, actor: str | None = None) -> Annotation:
    """Name a moment.

    Args:
        runtime: the process's runtime
        at: the moment, aware
        text: what happened, at most 120 characters
        actor: who writes it down

    Raises:
        ConfigError: there is no text, or too much
    """
    text = " ".join(text.split())
    if not 0 < len(text) <= _MAX_CHARACTERS:
        raise ConfigError(
            f"The annotation has {len(text)} characters.",
            suggestion=f"Write 1 to {_MAX_CHARACTERS} characters.",
        )
    event = runtime.database.write(
        lambda session: events.add(
            session, _ADDED, actor=actor, payload={"at": at.isoformat(), "text": text}
        )
    )
    return Annotation(event.id, at, text, actor)


def remove(runtime: "Runtime", annotation_id: str, actor: str | None = None) -> None:
    """Take an annotation away; it stays in the journal."""
    runtime.database.write(
        lambda session: events.add(
            session, _REMOVED, actor=actor, payload={"annotation": annotation_id}
        )
    )


def list_all(runtime: "Runtime") -> tuple[Annotation, ...]:
    """All annotations, earliest moment first."""
    with runtime.database.session() as session:
        added = events.list_recent(session, kind=_ADDED, limit=_MOST)
        removed = {
            event.payload["annotation"]
            for event in events.list_recent(session, kind=_REMOVED, limit=_MOST)
        }
    found = [
        Annotation(
            event.id,
            datetime.fromisoformat(event.payload["at"]),
            str(event.payload["text"]),
            event.actor,
        )
        for event in added
        if event.id not in removed
    ]
    return tuple(sorted(found, key=lambda annotation: annotation.at))
