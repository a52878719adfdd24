"""Settings chosen on the page win over the configuration."""

from typing import Any

import pytest

from qe_core.errors import ConfigError
from storage.repositories import events
from storage.repositories import preferences as stored
from workbench import preferences
from workbench.runtime import Runtime


def test_without_a_choice_the_configuration_holds(runtime: Runtime) -> None:
    assert preferences.get(runtime) == runtime.settings
    assert preferences.current(runtime) == {}


def test_a_choice_wins_and_changes_nothing_else(runtime: Runtime) -> None:
    chosen = preferences.set(runtime, "review.threshold", 0.45, "ann")
    assert chosen.review.threshold == 0.45
    assert preferences.review_settings(runtime).threshold == 0.45
    assert chosen.review.claim_s == runtime.settings.review.claim_s
    assert chosen.engine == runtime.settings.engine
    assert preferences.current(runtime) == {"review.threshold": 0.45}


def test_choosing_nothing_goes_back_to_the_configuration(runtime: Runtime) -> None:
    preferences.set(runtime, "review.threshold", 0.45)
    assert preferences.set(runtime, "review.threshold", None) == runtime.settings


def test_a_choice_holds_at_once_though_settings_are_kept_between_choices(runtime: Runtime) -> None:
    first = preferences.get(runtime)
    assert preferences.get(runtime) is first
    with runtime.database.session() as session:
        stored.add(session, "review.threshold", 0.7)
    assert preferences.get(runtime).review.threshold == 0.7


def test_every_choice_is_kept_and_noted(runtime: Runtime) -> None:
    before = runtime.settings.review.threshold
    preferences.set(runtime, "review.threshold", 0.4, "ann")
    preferences.set(runtime, "review.threshold", 0.5, "bob")
    history = preferences.history(runtime, "review.threshold")
    assert [(row.value, row.actor) for row in history] == [(0.4, "ann"), (0.5, "bob")]
    with runtime.database.session() as session:
        noted = events.list_recent(session, kind="preference_changed")
    assert [event.payload for event in noted] == [
        {"key": "review.threshold", "before": 0.4, "after": 0.5},
        {"key": "review.threshold", "before": before, "after": 0.4},
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("review.threshold", 7, "review.threshold = 7: input should be less than or equal to 2"),
        ("review.threshold", "many", "review.threshold = 'many': input should be a valid number"),
        ("review.nothing", 1, "review.nothing: there is no such setting"),
        ("server.port", 1, "server.port: there is no such setting, or it cannot be changed"),
        ("data_dir", "x", "data_dir: there is no such setting, or it cannot be changed"),
    ],
)
def test_a_choice_that_is_not_allowed_is_refused(
    runtime: Runtime, key: str, value: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        preferences.set(runtime, key, value)
    assert caught.value.suggestion
    assert preferences.current(runtime) == {}


def test_a_stored_choice_that_is_no_longer_allowed_is_ignored(runtime: Runtime) -> None:
    with runtime.database.session() as session:
        stored.add(session, "review.threshold", 99)
        stored.add(session, "review.removed", 1)
        stored.add(session, "review.claim_s", 60.0)
    settings = preferences.get(runtime)
    assert settings.review.threshold == runtime.settings.review.threshold
    assert settings.review.claim_s == 60.0
