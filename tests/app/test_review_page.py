"""The review page without a browser: what Python decides. The desk itself: tests/e2e."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.desk_clips import seed
from ui.identity import clean_name
from ui.state import CLIP, REVIEW_DESK, REVIEWER
from workbench.runtime import close_runtime

pytestmark = pytest.mark.slow
NAVIGATION = Path(__file__).resolve().parents[2] / "ui" / "navigation.py"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))
    st.cache_resource.clear()
    yield tmp_path / "data"
    close_runtime()
    st.cache_resource.clear()


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(str(NAVIGATION), default_timeout=30)
    page.switch_page("../pages/review.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def test_an_empty_installation_says_what_to_do(data_dir: Path) -> None:
    page = opened()
    assert not page.exception
    assert "Add audio" in page.info[0].value


def test_the_page_opens_first_with_a_clip_and_names_it_in_the_address(data_dir: Path) -> None:
    (clip_id,) = seed(data_dir, "one two three")
    page = opened()
    assert not page.exception
    assert page.query_params[CLIP] in (clip_id, [clip_id])


def test_a_link_opens_its_clip(data_dir: Path) -> None:
    ids = seed(data_dir, "one two three", "four five six")
    for clip_id in ids:
        assert opened(**{CLIP: clip_id}).session_state[REVIEW_DESK].clip_id == clip_id


def test_another_name_gives_the_clip_back(data_dir: Path) -> None:
    (clip_id,) = seed(data_dir, "one two three")
    page = opened()
    page.text_input(key=REVIEWER).set_value("  Ben\u202e ").run()
    assert not page.exception
    desk = page.session_state[REVIEW_DESK]
    assert (desk.reviewer, desk.clip_id) == ("Ben", clip_id)


@pytest.mark.parametrize(
    ("typed", "name"), [("", ""), (" Ann\n\tBee ", "Ann Bee"), ("x" * 99, "x" * 60)]
)
def test_names_are_short_and_visible(typed: str, name: str) -> None:
    assert clean_name(typed) == name
