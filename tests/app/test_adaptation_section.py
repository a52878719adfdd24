"""A recogniser without a quality model of its own, as the settings page shows it."""

import pytest
from streamlit.testing.v1 import AppTest

from qe_core.estimation.adaptation import Accuracy
from storage.database import Session
from storage.repositories import jobs
from tests.app.conftest import OpenPage
from tests.retrain_fixtures import add_reviewed
from ui.settings.adaptation import progress_of, stage_row
from workbench import challengers, preferences
from workbench.cold_start import ColdStart, Stage
from workbench.lessons import LeftOut
from workbench.runtime import Runtime
from workbench.worker import Worker

pytestmark = pytest.mark.slow

NAME = "pocketsphinx:en-us-fast"
BEFORE, AFTER = Accuracy(0.31, 0.62, 0.5, 0.3, 1.1), Accuracy(0.22, 0.89, 0.32, 0.3, 0.7)


def text_of(app: AppTest) -> str:
    text = " ".join(item.value for item in (*app.markdown, *app.caption))
    return text.replace("\\", "").replace("\u2060", "")


def add_reviews(runtime: Runtime, numbers: range) -> None:
    version = runtime.engine().engine.version

    def work(session: Session) -> None:
        for number in numbers:
            add_reviewed(session, number, model="en-us-fast", version=version)

    runtime.database.write(work)


def test_one_button_says_what_is_missing_then_adapts_and_the_outcome_survives_a_reload(
    installation: Runtime, open_page: OpenPage
) -> None:
    preferences.set(installation, "engine.name", NAME)
    preferences.set(installation, "retrain.min_word_auc", 0.0)
    add_reviews(installation, range(3))

    app = open_page("settings")

    assert f"**{NAME} has no quality model of its own.**" in text_of(app)
    assert app.button(key="settings.adapt").label == f"Adapt to {NAME}"
    assert app.button(key="settings.adapt").disabled
    assert "27 more corrections before it can adapt." in text_of(app)
    assert "settings.retrain" not in {button.key for button in app.button}

    add_reviews(installation, range(3, 31))
    app = open_page("settings")
    app.button(key="settings.adapt").click().run()
    with installation.database.session() as session:
        assert jobs.has_active(session, challengers.ADAPT)
    assert app.button(key="settings.adapt").disabled
    assert Worker(installation).run_next()

    app = open_page("settings")
    assert "adapted to it with 31 corrections" in text_of(app)
    assert "**Latest adaptation:**" in text_of(app)
    assert "Judged by cross-validation on 31 clips" in text_of(app)
    compared = [table.value for table in app.table if "Without adaptation" in table.value.columns]
    assert "Mean width of the interval" in compared[0].iloc[:, 0].tolist()
    reached = next(table.value for table in app.table if "Adapted with" in table.value.columns)
    assert reached["Adapted with"].tolist() == ["31", "69 more are missing", "269 more are missing"]
    assert "→" in reached["True WERs inside their interval"].iloc[0]


def test_an_adaptation_that_fails_says_why(installation: Runtime, open_page: OpenPage) -> None:
    preferences.set(installation, "engine.name", NAME)
    installation.engine()
    challengers.start(installation, challengers.ADAPT)
    assert Worker(installation).run_next()

    app = open_page("settings")

    assert "0 corrections to adapt to; at least 30" in app.error[0].value.replace("\\", "")


def test_a_line_of_the_table_shows_figures_what_is_missing_or_that_nobody_tried() -> None:
    cold = ColdStart(NAME, 35, 0, 120, 4, 0, 100, 30, (), LeftOut())
    assert stage_row(Stage(30, 35, BEFORE, AFTER), cold) == (
        "30",
        "35",
        "31 % → 22 %",
        "62 % → 89 %",
        "110 % → 70 %",
    )
    assert stage_row(Stage(100), cold)[1] == "not tried"
    assert stage_row(Stage(300), cold)[1] == "180 more are missing"
    assert progress_of(0) < progress_of(35) < progress_of(120) < progress_of(300) == 1.0


def _page_with_enough() -> None:
    from ui.resources import open_runtime
    from ui.settings.adaptation import show_cold_start
    from workbench.cold_start import ColdStart
    from workbench.lessons import LeftOut

    cold = ColdStart("whisper:base", 300, 350, 800, 31, 0, 100, 30, (), LeftOut(num_rejected=2))
    show_cold_start(open_runtime(), cold, is_busy=False)


def test_with_enough_for_a_model_of_its_own_training_comes_first(installation: Runtime) -> None:
    app = AppTest.from_function(_page_with_enough, default_timeout=30).run()

    assert not app.exception
    assert app.button(key="settings.retrain").label == "Train a model for whisper:base"
    assert app.button(key="settings.adapt").label == "Adapt again"
    assert "An adaptation with 350 corrections is on trial" in text_of(app)
    assert "Not usable: 2 rejected." in text_of(app)
    app.button(key="settings.retrain").click().run()
    with installation.database.session() as session:
        assert jobs.has_active(session, challengers.RETRAIN)
