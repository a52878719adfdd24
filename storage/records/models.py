"""Estimators and which of them serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.records.mapping import mapping

__all__ = [
    "ModelVersion",
    "Promotion",
]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained estimator.

    Args:
        id: ULID
        estimator: id of the estimator, as its manifest and its estimates name it
        kind: ``transcript`` or ``audio``
        engine: engine whose transcripts it judges
        model: of that engine
        folder: where it lies, relative to the models folder
        manifest_json: see :attr:`manifest`
        report_json: see :attr:`report`
        actor: who had it trained
        created_at: when it was stored
    """

    id: str
    estimator: str
    kind: str
    engine: str
    model: str
    folder: str
    manifest_json: str
    report_json: str
    actor: str | None
    created_at: datetime

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Its manifest."""
        return mapping(self.manifest_json)

    @property
    def report(self) -> Mapping[str, Any]:
        """How it did against the champion, and what the gate said."""
        return mapping(self.report_json)


@dataclass(frozen=True, slots=True)
class Promotion:
    """From when on a version serves.

    Args:
        id: ULID
        kind: ``transcript`` or ``audio``
        engine: engine whose transcripts it judges
        model: of that engine
        version_id: the model version; ``None`` for the built-in one
        action: ``promote`` or ``rollback``; ``shadow`` and ``drop`` begin and end a trial, and
            leave what serves as it is
        actor: who decided
        created_at: when
    """

    id: str
    kind: str
    engine: str
    model: str
    version_id: str | None
    action: str
    actor: str | None
    created_at: datetime
