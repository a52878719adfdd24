"""Finding and opening clips."""

import pytest

from tests.app.conftest import OpenPage
from tests.desk_clips import store_playable
from tests.stored_clips import store_review
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


def test_an_empty_library_points_to_the_intake(open_page: OpenPage) -> None:
    app = open_page("library")
    assert "No clips yet" in app.info[0].value
    app.text_input(key="library.text").set_value("whale").run()
    assert "No clip fits" in app.info[0].value


def test_search_and_filters_narrow_the_table(installation: Runtime, open_page: OpenPage) -> None:
    reviewed = store_playable(installation, "about the weather", file_name="weather.wav")
    store_playable(installation, "about the money", file_name="money.wav")
    store_review(installation, reviewed, "about the weather")
    app = open_page("library")
    assert set(app.dataframe[0].value["name"]) == {"weather.wav", "money.wav"}
    app.text_input(key="library.text").set_value("MONEY").run()
    assert list(app.dataframe[0].value["name"]) == ["money.wav"]
    app.text_input(key="library.text").set_value("").run()
    app.selectbox(key="library.review").select("Reviewed").run()
    assert list(app.dataframe[0].value["name"]) == ["weather.wav"]


def test_many_clips_are_paged(installation: Runtime, open_page: OpenPage) -> None:
    for index in range(17):
        store_playable(installation, f"number {index}", file_name=f"clip{index:02}.wav")
    app = open_page("library")
    app.selectbox(key="library.order").select("By name").run()
    assert list(app.dataframe[0].value["name"])[-1] == "clip14.wav"
    app.session_state["library.page"] = 2
    app.run()
    assert list(app.dataframe[0].value["name"]) == ["clip15.wav", "clip16.wav"]


def test_a_link_opens_a_clip_with_its_review_history(
    installation: Runtime, open_page: OpenPage
) -> None:
    clip_id = store_playable(installation, "one two three", file_name="call.wav")
    store_review(installation, clip_id, "one too three")
    app = open_page("library", clip=clip_id)
    texts = [text.value for text in app.text]
    assert {"one two three", "one too three"} <= set(texts)
    assert any("Corrected by ann" in caption.value for caption in app.caption)


def test_a_clip_that_does_not_exist_is_said_so(open_page: OpenPage) -> None:
    app = open_page("library", clip="f" * 64)
    assert len(app.error) == 1


def test_all_clips_are_one_click_away(installation: Runtime, open_page: OpenPage) -> None:
    clip_id = store_playable(installation, "one two three", file_name="call.wav")
    app = open_page("library", clip=clip_id)
    app.button(key="library.back").click().run()
    assert list(app.dataframe[0].value["name"]) == ["call.wav"]
