"""What happened and what was chosen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.records.mapping import mapping

__all__ = [
    "Event",
    "Preference",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth remembering; see :attr:`payload`."""

    id: str
    kind: str
    clip_id: str | None
    actor: str | None
    payload_json: str
    created_at: datetime

    @property
    def payload(self) -> Mapping[str, Any]:
        """What there is to know about it."""
        return mapping(self.payload_json)


@dataclass(frozen=True, slots=True)
class Preference:
    """A setting that a person chose; see :attr:`value`."""

    id: str
    key: str
    value_json: str
    actor: str | None
    created_at: datetime

    @property
    def value(self) -> Any:
        """The chosen value."""
        return json.loads(self.value_json)
