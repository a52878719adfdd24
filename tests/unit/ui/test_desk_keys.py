"""Keys of the desk: what a person may choose, and what is refused."""

import pytest

from qe_core.errors import ConfigError
from ui.desk.keymap import actions, choose, in_force, parse_key, shown
from ui.desk_script import desk_script, loader
from workbench import preferences
from workbench.runtime import Runtime


def test_no_two_actions_come_with_one_key() -> None:
    keys = [key for action in actions() for key in action.keys]
    assert len(keys) == len(set(keys))
    assert [key for key in keys if parse_key(key) != key] == []


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("alt+G", "Alt+g"),
        (" Shift + Ctrl + p", "Control+Shift+p"),
        ("option+↑", "Alt+ArrowUp"),
        ("f2", "F2"),
        ("esc", "Escape"),
    ],
)
def test_keys_are_understood_as_people_write_them(typed: str, key: str) -> None:
    assert parse_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("g", "needed for typing"),
        ("Shift+Enter", "needed for typing"),
        ("Ctrl+T", "belongs to the browser"),
        ("Ctrl+Alt+q", "AltGr"),
        ("Alt+Banana", "not a key"),
        ("Hyper+g", "not a key"),
    ],
)
def test_keys_that_would_get_in_the_way_are_refused(typed: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        parse_key(typed)
    assert caught.value.suggestion


def test_a_chosen_key_is_in_force_until_it_is_given_back(runtime: Runtime) -> None:
    assert choose(runtime, "loop", "F2, Alt+Q", "ann") == ("F2", "Alt+q")
    chosen = preferences.get(runtime).review.keys
    assert {a.name: a.keys for a in in_force(chosen)}["loop"] == ("F2", "Alt+q")
    assert choose(runtime, "loop", "") == ("Alt+r",)
    assert preferences.get(runtime).review.keys == {}


def test_a_key_that_does_something_else_is_refused_by_name(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match=r"Alt\+J is taken: it does “Back 2 seconds”"):
        choose(runtime, "loop", "alt+j")
    choose(runtime, "back", "F3")
    choose(runtime, "loop", "alt+j")
    # Going back to the usual key finds it taken now.
    with pytest.raises(ConfigError, match="is taken"):
        choose(runtime, "back", "")


def test_keys_are_shown_as_they_are_printed() -> None:
    assert shown("Control+Shift+z") == "Ctrl+Shift+Z"
    assert shown("Alt+ArrowUp") == "Alt+↑"


def test_every_run_of_the_page_carries_only_the_address_of_the_script() -> None:
    path, text = desk_script()
    assert path in loader()
    assert len(loader()) < 1000
    assert "class Desk" in text
    assert "wb-rows" in text
