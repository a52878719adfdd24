"""Settings chosen on the settings page: stored append-only, winning over the configuration."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from qe_core.config import ReviewSettings, Settings
from qe_core.errors import ConfigError
from storage.records import Preference
from storage.repositories import events
from storage.repositories import preferences as stored
from workbench import people

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["SECTIONS", "current", "get", "history", "review_settings", "set", "set_all"]

_log = logging.getLogger(__name__)

SECTIONS = ("engine", "quality", "review", "retrain", "drift")
"""Sections whose settings can be chosen while Werkbench runs; the others belong to the server."""


def get(runtime: "Runtime") -> Settings:
    """The settings that hold now: the configuration with the chosen values on top.

    A stored value that this version no longer allows is left out and logged. They are asked for
    several times in every run of a page, so they are kept until somebody chooses again.
    """
    num_changes = runtime.database.num_changes(stored.TABLE)
    kept = runtime.settings_in_force
    if kept is None or kept[0] != num_changes:
        kept = runtime.settings_in_force = (num_changes, _read(runtime))
    return kept[1]


def review_settings(runtime: "Runtime") -> ReviewSettings:
    """The review section of :func:`get`."""
    return get(runtime).review


def current(runtime: "Runtime") -> dict[str, Any]:
    """The chosen values by key, e.g. ``{"review.threshold": 0.4}``."""
    with runtime.database.session() as session:
        rows = stored.list_current(session)
    return {row.key: row.value for row in rows if row.value is not None}


def set(runtime: "Runtime", key: str, value: Any, actor: str | None = None) -> Settings:
    """Choose a value from now on, everywhere at once.

    Args:
        runtime: the runtime
        key: section and name, e.g. ``review.threshold``
        value: what the configuration file would allow there; ``None`` returns to the configuration
        actor: who chose it

    Returns:
        the settings that hold now

    Raises:
        ConfigError: there is no such key, it cannot be chosen, or the value is not allowed
        ForbiddenError: the actor is no admin
    """
    return set_all(runtime, {key: value}, actor)


def set_all(runtime: "Runtime", values: Mapping[str, Any], actor: str | None = None) -> Settings:
    """Choose several values, all or none of them; see :func:`set`."""
    before = get(runtime)
    changes = [
        (key, _value_of(before, key), _checked(runtime.settings, key, value))
        for key, value in values.items()
    ]

    def work(session: Any) -> None:
        people.require(session, actor, "admin")
        for key, former, value in changes:
            stored.add(session, key, value, actor=actor)
            events.add(
                session,
                "preference_changed",
                actor=actor,
                payload={"key": key, "before": former, "after": value},
            )

    runtime.database.write(work)
    return get(runtime)


def history(runtime: "Runtime", key: str) -> list[Preference]:
    """All choices for a key, oldest first."""
    with runtime.database.session() as session:
        return stored.list_history(session, key)


def _read(runtime: "Runtime") -> Settings:
    settings = runtime.settings
    for key, value in current(runtime).items():
        try:
            settings = _with_value(settings, key, value)
        except ConfigError as error:
            _log.warning("A stored preference is ignored: %s", error.message)
    return settings


def _checked(settings: Settings, key: str, value: Any) -> Any:
    """The value as the settings hold it, e.g. a whole number as a float."""
    return None if value is None else _value_of(_with_value(settings, key, value), key)


def _with_value(settings: Settings, key: str, value: Any) -> Settings:
    _value_of(settings, key)
    section_name, _, name = key.partition(".")
    section: BaseModel = getattr(settings, section_name)
    try:
        changed = type(section).model_validate({**section.model_dump(), name: value})
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise ConfigError(
            f"{key} = {value!r}: {message[0].lower()}{message[1:]}.",
            suggestion="Choose an allowed value; config/dev.yaml explains every key.",
        ) from error
    return settings.model_copy(update={section_name: changed})


def _value_of(settings: Settings, key: str) -> Any:
    section_name, _, name = key.partition(".")
    section = getattr(settings, section_name, None) if section_name in SECTIONS else None
    if section is None or name not in type(section).model_fields:
        raise ConfigError(
            f"{key}: there is no such setting, or it cannot be changed while Werkbench runs.",
            suggestion=f"Choose one in the sections {', '.join(SECTIONS)}; set others in the "
            "configuration file.",
        )
    return getattr(section, name)
