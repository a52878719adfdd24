"""What the desk in the browser says, checked: everything that comes from there is foreign."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qe_core.types import Verdict

__all__ = ["Command", "DeskEvents", "DraftMessage", "VerdictMessage", "read_events"]

_LOGGER = logging.getLogger(__name__)
# A day of fast speech is some 250,000 words; more than this is not a transcript.
_MAX_TEXT = 4_000_000
_Identifier = Annotated[str, Field(min_length=1, max_length=200)]
_Text = Annotated[str, Field(max_length=_MAX_TEXT)]
_Seconds = Annotated[float, Field(ge=0.0, le=1e7, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=10_000_000)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: _Identifier


class DraftMessage(_Message):
    """Unsaved work: one line per row, the caret and the position in the sound.

    ``layout`` says where the rows begin and end when they are cut otherwise than the segments.
    """

    clip_id: _Identifier
    text: _Text
    layout: Annotated[tuple[tuple[_Seconds, _Seconds], ...], Field(max_length=100_000)] | None = (
        None
    )
    position_s: _Seconds = 0.0
    cursor: _Count = 0


class VerdictMessage(_Message):
    """A decision about a clip, with the evidence of listening."""

    clip_id: _Identifier
    verdict: Verdict
    text: _Text
    reject_reason: Annotated[str, Field(max_length=100)] | None = None
    reject_note: Annotated[str, Field(max_length=300)] = ""
    is_repeat: bool = False
    lead_time_s: _Seconds = 0.0
    listened_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    replays: _Count = 0


class Command(_Message):
    """A wish that carries no work: another clip, the same once more, the claim renewed.

    ``note`` tells the leads why a clip is handed to them.
    """

    name: Literal["skip", "reopen", "renew", "resend", "open", "next", "queue", "escalate"]
    clip_id: _Identifier | None = None
    note: Annotated[str, Field(max_length=300)] = ""


class DeskEvents(BaseModel):
    """Everything that arrived since the last run; usually one thing or nothing."""

    model_config = ConfigDict(frozen=True)

    draft: DraftMessage | None = None
    verdict: VerdictMessage | None = None
    command: Command | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the browser said nothing."""
        return self.draft is None and self.verdict is None and self.command is None


def read_events(values: Mapping[str, Any]) -> DeskEvents:
    """Check what the component sent.

    Args:
        values: trigger values by name; unknown names are ignored

    Returns:
        the events; one that is malformed is logged and dropped, the others are kept

    Examples:
        >>> read_events({"command": {"id": "1", "name": "skip"}}).command.name
        'skip'
        >>> read_events({"command": {"id": "1", "name": "format the disk"}}).is_empty
        True
    """
    kinds: Mapping[str, type[_Message]] = {
        "draft": DraftMessage,
        "verdict": VerdictMessage,
        "command": Command,
    }
    found: dict[str, _Message] = {}
    for name, kind in kinds.items():
        value = values.get(name)
        if value is None:
            continue
        try:
            found[name] = kind.model_validate(value)
        except ValidationError as error:
            _LOGGER.warning("The desk sent a malformed %s: %s", name, error.errors()[0]["msg"])
    return DeskEvents.model_validate(found)
