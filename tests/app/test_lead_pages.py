"""The pages of the QA lead: quality, drift, settings."""

import pytest

from storage.repositories import jobs
from tests.app.conftest import OpenPage
from tests.desk_clips import store_playable
from tests.stored_clips import store_review
from workbench import preferences
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def figures(app: object) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}  # type: ignore[attr-defined]  # AppTest finds elements by name at run time


def test_quality_pools_errors_over_words(installation: Runtime, open_page: OpenPage) -> None:
    first = store_playable(installation, "one two three four", file_name="a.wav")
    second = store_playable(installation, "five six", file_name="b.wav")
    store_review(installation, first, "one two three four")
    store_review(installation, second, "nine ten")
    shown = figures(open_page("quality"))
    assert shown["Pooled WER"].split() == ["33", "%"]
    assert shown["Substitutions"] == "2"
    assert shown["Compared clips"] == "2"


def test_quality_says_that_audits_are_too_few(open_page: OpenPage) -> None:
    assert "Too few audits to tell" in open_page("quality").info[0].value


def test_drift_says_that_clips_are_too_few(installation: Runtime, open_page: OpenPage) -> None:
    store_playable(installation, "one two three four", file_name="a.wav")
    assert "Too few clips to tell" in open_page("drift").info[0].value


def test_a_threshold_shows_its_effect_before_it_is_chosen(
    installation: Runtime, open_page: OpenPage
) -> None:
    store_playable(installation, "one two three", file_name="a.wav", probabilities=(0.1, 0.1, 0.1))
    app = open_page("settings")
    app.slider(key="settings.threshold").set_value(5).run()
    assert any("1 of 1 clips flagged" in text.value for text in app.markdown)
    assert preferences.get(installation).review.threshold == 0.3
    app.button(key="settings.threshold.save").click().run()
    assert preferences.get(installation).review.threshold == 0.05


def test_an_engine_is_chosen(installation: Runtime, open_page: OpenPage) -> None:
    installation.engine()
    app = open_page("settings")
    app.selectbox(key="settings.engine.name").select("auto")
    app.text_input(key="settings.engine.whisper").set_value("no such model")
    app.button(key="settings.engine.save").click().run()
    assert preferences.get(installation).engine.name == "auto"
    assert preferences.get(installation).engine.whisper_model == "no such model"


def test_retrain_queues_one_training(installation: Runtime, open_page: OpenPage) -> None:
    installation.engine()
    app = open_page("settings")
    app.button(key="settings.retrain").click().run()
    with installation.database.session() as session:
        assert jobs.has_active(session, "retrain")
    assert app.button(key="settings.retrain").disabled


def test_a_failed_training_says_why(installation: Runtime, open_page: OpenPage) -> None:
    installation.engine()
    open_page("settings").button(key="settings.retrain").click().run()

    def fail(session: jobs.Session) -> None:
        job = jobs.take_next(session, ["retrain"])
        assert job is not None
        jobs.fail(session, job, error="There is no correction.", suggestion="Correct clips.")

    installation.database.write(fail)
    app = open_page("settings")
    assert "There is no correction" in app.error[0].value


def test_the_built_in_model_serves_and_cannot_be_rolled_back(open_page: OpenPage) -> None:
    app = open_page("settings")
    versions = next(item.value for item in app.dataframe if "State" in item.value.columns)
    assert list(versions["State"]) == ["Champion"]
    assert app.button(key="settings.rollback").disabled
