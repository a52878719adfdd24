"""The keys of the desk: what it comes with, what a person chose instead, and what is refused."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from qe_core.errors import ConfigError
from ui.desk_script import asset
from workbench import preferences
from workbench.runtime import Runtime

__all__ = ["Action", "actions", "choose", "in_force", "keys_data", "parse_key", "shown"]

_KEY = "review.keys"
_MODIFIERS = ("Control", "Alt", "Shift")
_NAMES = {
    "ctrl": "Control",
    "cmd": "Control",
    "option": "Alt",
    "esc": "Escape",
    "return": "Enter",
    "↵": "Enter",
    "space": " ",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "↑": "ArrowUp",
    "↓": "ArrowDown",
    "←": "ArrowLeft",
    "→": "ArrowRight",
}
_WHOLE = (
    *_MODIFIERS,
    "Escape",
    "Enter",
    "Tab",
    "Backspace",
    "Delete",
    "Insert",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    *(f"F{number}" for number in range(1, 13)),
)
_BY_NAME = {name.lower(): name for name in _WHOLE} | _NAMES
# Alone they type nothing, so they may be keys without Ctrl or Alt.
_ALONE = re.compile(r"^(Shift\+)?(Escape|Insert|F\d+)$")
# The browser keeps these for itself, or they are how text is copied and pasted.
_RESERVED = frozenset(
    {f"Control+{key}" for key in "tnwcvxa"} | {"Control+Shift+t", "Control+Shift+n", "F11"}
)
_PRETTY = {"Control": "Ctrl", "Escape": "Esc", "ArrowUp": "↑", "ArrowDown": "↓"}


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a key does.

    Args:
        name: its name in the script
        keys: e.g. ``("Alt+Shift+n",)``
        label: what it does
        is_text: works only while the caret is in the text
    """

    name: str
    keys: tuple[str, ...]
    label: str
    is_text: bool = False


@lru_cache(maxsize=1)
def actions() -> tuple[Action, ...]:
    """Everything that has a key, with the key that it comes with."""
    return tuple(
        Action(entry["name"], tuple(entry["keys"]), entry["label"], entry.get("is_text", False))
        for entry in json.loads(asset("keys.json"))
    )


def in_force(chosen: Mapping[str, Sequence[str]]) -> tuple[Action, ...]:
    """All actions with the keys that hold now; names that no action has are left out."""
    return tuple(
        Action(
            action.name,
            tuple(chosen.get(action.name, action.keys)),
            action.label,
            action.is_text,
        )
        for action in actions()
    )


def keys_data(runtime: Runtime) -> list[dict[str, Any]]:
    """The keys that hold now, for the desk."""
    return [asdict(action) for action in in_force(preferences.get(runtime).review.keys)]


def choose(runtime: Runtime, name: str, typed: str, actor: str | None = None) -> tuple[str, ...]:
    """Give an action other keys.

    Args:
        runtime: the runtime
        name: the action
        typed: keys as a person writes them, e.g. ``"Ctrl+Shift+P, F2"``; empty returns to the keys
            that it comes with
        actor: who chose them

    Returns:
        the keys of the action from now on

    Raises:
        ConfigError: no such key, a key that types text or belongs to the browser, or one that does
            something else already
    """
    chosen = dict(preferences.get(runtime).review.keys)
    default = next(action.keys for action in actions() if action.name == name)
    wanted = tuple(dict.fromkeys(parse_key(part) for part in typed.split(",") if part.strip()))
    chosen.pop(name, None)
    for action in in_force(chosen):
        taken = set(action.keys) & set(wanted or default)
        if action.name != name and taken:
            raise ConfigError(
                f"{shown(min(taken))} is taken: it does “{action.label}”.",
                suggestion="Choose another key, or give that one another key first.",
            )
    if wanted and wanted != default:
        chosen[name] = wanted
    value = {key: list(keys) for key, keys in chosen.items()}
    preferences.set(runtime, _KEY, value or None, actor)
    return wanted or default


def parse_key(typed: str) -> str:
    """A key in the form in which the desk compares it.

    Raises:
        ConfigError: there is no such key, or it cannot be used

    Examples:
        >>> parse_key("shift + alt + N"), parse_key("ctrl+↵"), parse_key("f2")
        ('Alt+Shift+n', 'Control+Enter', 'F2')
    """
    parts = [_BY_NAME.get(part.strip().lower(), part.strip()) for part in typed.split("+")]
    held, key = parts[:-1], parts[-1]
    is_key = (len(key) == 1 and key.isprintable()) or key in _WHOLE[len(_MODIFIERS) :]
    if not is_key or not set(held) <= set(_MODIFIERS):
        raise ConfigError(
            f"{typed.strip()!r} is not a key.",
            suggestion="Write it like Alt+G, Ctrl+Shift+P or F2; separate several with commas.",
        )
    name = "+".join(
        [*(part for part in _MODIFIERS if part in held), key.lower() if len(key) == 1 else key]
    )
    if name in _RESERVED:
        raise ConfigError(
            f"{shown(name)} belongs to the browser.", suggestion="Choose a key with Alt."
        )
    if not _ALONE.match(name) and not {"Control", "Alt"} & set(held):
        raise ConfigError(
            f"{shown(name)} alone is needed for typing.",
            suggestion=f"Hold Alt or Ctrl with it, e.g. Alt+{shown(name)}, or use F2 to F10.",
        )
    if {"Control", "Alt"} <= set(held):
        raise ConfigError(
            f"{shown(name)} types letters on many keyboards (Ctrl+Alt is AltGr).",
            suggestion="Use Alt alone, or Ctrl with Shift.",
        )
    return name


def shown(key: str) -> str:
    """A key as it is printed on screens, e.g. ``Ctrl+Enter``."""
    parts = key.split("+") if key != "+" else [key]
    return "+".join(_PRETTY.get(part, part.upper() if len(part) == 1 else part) for part in parts)
