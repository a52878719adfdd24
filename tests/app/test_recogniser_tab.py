"""The tab of the settings page on which the recogniser learns from corrections."""

import pytest

from storage.repositories import jobs
from tests.app.conftest import OpenPage
from tests.finetune_fixtures import store_version
from workbench import finetune, preferences, recognisers
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def test_it_says_what_is_missing_and_starts_nothing(
    installation: Runtime, open_page: OpenPage
) -> None:
    installation.engine()
    app = open_page("settings")

    assert any("only a Whisper can be" in info.value for info in app.info)
    assert app.button(key="settings.finetune").disabled
    assert any("No recogniser has been fine-tuned yet" in text.value for text in app.caption)


def test_versions_are_promoted_and_rolled_back_with_one_click(
    installation: Runtime, open_page: OpenPage
) -> None:
    installation.engine()
    store_version(installation, "first")
    store_version(installation, "second", is_refused=True)
    app = open_page("settings")
    table = app.dataframe[-1].value
    assert list(table["State"]) == ["Refused", "Retired"]
    assert list(table["Improvement"]) == ["5.0 to 15.0", "5.0 to 15.0"]
    assert app.button(key="settings.recognisers.rollback").disabled

    app.button(key="settings.recognisers.promote").click().run()
    assert [version.state for version in recognisers.versions(installation)] == [
        "refused",
        "champion",
    ]

    app = open_page("settings")
    app.button(key="settings.recognisers.rollback").click().run()
    assert preferences.get(installation).engine.name == "pocketsphinx"


def test_a_fine_tuning_under_way_shows_its_progress_and_can_be_cancelled(
    installation: Runtime, open_page: OpenPage
) -> None:
    installation.engine()
    job_id = finetune.start(installation)
    app = open_page("settings")
    assert app.button(key="settings.finetune").disabled

    app.button(key="settings.finetune.cancel").click().run()
    assert installation.trainer.run_next()

    with installation.database.session() as session:
        assert jobs.get(session, job_id).state == "failed"
    assert any("was cancelled" in error.value for error in open_page("settings").error)
