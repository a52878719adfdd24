"""Depth, schedule and trial on the settings page."""

from datetime import time

import pytest

from storage.repositories import events
from tests.app.conftest import OpenPage
from tests.stored_clips import store_clip
from workbench import look_again, people, preferences
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def text_of(app: object) -> str:
    return " ".join(item.value for item in (*app.markdown, *app.caption))  # type: ignore[attr-defined]  # AppTest


def test_the_depth_is_chosen_and_the_page_says_who_makes_use_of_it(
    installation: Runtime, open_page: OpenPage
) -> None:
    app = open_page("settings")
    assert app.radio(key="settings.depth").value == "standard"
    assert "looks at all of depth standard" in text_of(app)
    assert app.button(key="settings.depth.save").disabled

    app.radio(key="settings.depth").set_value("thorough").run()
    assert "It holds from the next clip on" in text_of(app)
    app.button(key="settings.depth.save").click().run()

    assert not app.exception
    assert preferences.get(installation).quality.depth == "thorough"
    # What ships knows of no second opinion yet, or all of it.
    serving = look_again.depths(installation).serving
    expected = {"standard": "is kept with every clip and shown on the desk", "thorough": "all of"}
    assert expected[serving] in text_of(app)


def test_clips_in_the_queue_are_looked_at_again_up_to_a_number(
    installation: Runtime, open_page: OpenPage
) -> None:
    for name in "abc":
        store_clip(installation, name)
    app = open_page("settings")
    assert "**3 clips**, waiting for review or audited" in text_of(app)
    assert app.button(key="settings.again").label.startswith("Look again at 3 clips")
    assert "30.0 s of audio, about 1.0 s of computing" in text_of(app)

    app.number_input(key="settings.again.limit").set_value(2).run()
    assert app.button(key="settings.again").label.startswith("Look again at 2 clips")
    app.button(key="settings.again").click().run()
    assert not app.exception
    assert app.button(key="settings.again.stop")
    app.button(key="settings.again.stop").click().run()
    assert installation.trainer.run_next()

    app = open_page("settings")
    assert "Last: 0 clips at depth standard" in text_of(app)


def test_schedule_and_trial_are_saved_together_or_not_at_all(
    installation: Runtime, open_page: OpenPage
) -> None:
    app = open_page("settings")
    app.time_input(key="settings.schedule.at").set_value(time(3, 30))
    app.checkbox(key="settings.schedule.daily").check()
    app.number_input(key="settings.schedule.reviews").set_value(200)
    app.button(key="settings.schedule.save").click().run()
    app.number_input(key="settings.rules.hours").set_value(48.0)
    app.number_input(key="settings.rules.audits").set_value(25)
    app.button(key="settings.rules.save").click().run()

    assert not app.exception
    settings = preferences.get(installation)
    assert (settings.retrain.schedule, settings.retrain.every_reviews) == ("03:30", 200)
    assert (settings.quality.shadow_hours, settings.quality.shadow_audits) == (48.0, 25)
    with installation.database.session() as session:
        noted = events.list_recent(session, kind="preference_changed")
    assert {event.payload["key"] for event in noted} == {
        "retrain.schedule",
        "retrain.every_reviews",
        "quality.shadow_hours",
        "quality.shadow_audits",
    }

    app.checkbox(key="settings.schedule.daily").uncheck()
    app.button(key="settings.schedule.save").click().run()
    assert preferences.get(installation).retrain.schedule == ""


def test_only_an_admin_sees_them(installation: Runtime, open_page: OpenPage) -> None:
    people.sign_in(installation, "ann", is_new_admin=True)
    people.sign_in(installation, "annotator")
    app = open_page("settings")
    assert not [item for item in app.radio if item.key == "settings.depth"]
