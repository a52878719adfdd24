"""The page on which leads decide, and the history from which they restore."""

import pytest
from streamlit.testing.v1 import AppTest

from storage.repositories import reviews
from tests.app.test_identity import NAVIGATION
from tests.desk_clips import store_playable
from tests.desk_work import drawn, save, team
from ui.state import CLIP, REVIEWER
from workbench import adjudication, preferences, review
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def opened(page: str, name: str, **query: str) -> AppTest:
    app = AppTest.from_file(NAVIGATION, default_timeout=30)
    app.session_state[REVIEWER] = name
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    return app


@pytest.fixture
def disputed(installation: Runtime) -> str:
    team(installation)
    preferences.set(installation, "review.double_share", 1.0)
    clip_id = store_playable(installation, "one two three", file_name="a.wav")
    save(installation, drawn(installation, "ann"), "one too three", "ann")
    save(installation, drawn(installation, "bob"), "one two tree", "bob")
    return clip_id


def test_a_lead_takes_one_text_edits_it_and_saves(installation: Runtime, disputed: str) -> None:
    app = opened("adjudicate", "lea")
    key = f"adjudicate.{disputed}"
    app.button(key=f"{key}.take.B").click().run()
    assert app.text_area(key=f"{key}.text").value == "one two tree"
    app.text_area(key=f"{key}.text").set_value("one two three")
    app.button(key=f"{key}.save").click().run()
    assert "No two reviewers differ" in app.info[0].value
    with installation.database.session() as session:
        decided = reviews.find_latest(session, disputed)
    assert decided is not None
    assert (decided.text, decided.origin) == ("one two three", "adjudication")


def test_a_lead_rejects_a_disputed_clip(installation: Runtime, disputed: str) -> None:
    app = opened("adjudicate", "lea")
    app.selectbox(key=f"adjudicate.{disputed}.reason").select("unintelligible").run()
    app.button(key=f"adjudicate.{disputed}.reject").click().run()
    assert adjudication.num_undecided(installation) == (0, 0)


def test_quality_shows_how_far_two_people_agree(installation: Runtime, disputed: str) -> None:
    figures = {metric.label: metric.value for metric in opened("quality", "lea").metric}
    assert figures["WER between reviewers"].split() == ["67", "%"]
    assert figures["Wait for a lead"] == "1"


def test_a_clip_that_was_handed_over_is_given_back(installation: Runtime) -> None:
    team(installation)
    clip_id = store_playable(installation, "one two three", file_name="a.wav")
    task = drawn(installation, "ann")
    review.escalate(installation, clip_id, "ann", task.claim_token, "Who is it?")
    app = opened("adjudicate", "lea")
    assert any("Who is it" in caption.value for caption in app.caption)
    app.button(key=f"adjudicate.back.{clip_id}").click().run()
    assert drawn(installation, "bob").clip.id == clip_id


def test_a_lead_takes_a_held_clip_over_from_its_link(installation: Runtime) -> None:
    team(installation)
    clip_id = store_playable(installation, "one two three", file_name="a.wav")
    drawn(installation, "ann")
    app = opened("review", "lea", **{CLIP: clip_id})
    app.text_input(key=f"adjudicate.over.note.{clip_id}").set_value("You are on leave.")
    app.button(key=f"adjudicate.over.save.{clip_id}").click().run()
    assert review.queue(installation)[0].claimed_by == "lea"


def test_an_annotator_is_not_offered_to_take_over(installation: Runtime) -> None:
    team(installation)
    clip_id = store_playable(installation, "one two three", file_name="a.wav")
    drawn(installation, "ann")
    assert not opened("review", "bob", **{CLIP: clip_id}).button


def test_an_earlier_text_is_restored_from_the_history(installation: Runtime) -> None:
    team(installation)
    clip_id = store_playable(installation, "one two three", file_name="a.wav")
    first = save(installation, drawn(installation, "ann"), "one too", "ann").review
    save(installation, review.open_clip(installation, clip_id, "lea"), "one", "lea")
    app = opened("library", "lea", **{CLIP: clip_id})
    app.button(key=f"library.history.restore.{first.id}").click().run()
    assert any("Restored by lea" in caption.value for caption in app.caption)
    with installation.database.session() as session:
        assert len(reviews.list_for_clip(session, clip_id)) == 3
    annotator = opened("library", "ann", **{CLIP: clip_id})
    assert not [button for button in annotator.button if "restore" in str(button.key)]
