"""Every page survives being opened first and reloaded, empty and filled, without a traceback."""

import pytest

from tests.app.conftest import OpenPage
from tests.desk_clips import store_playable
from tests.stored_clips import store_review
from workbench.runtime import Runtime

PAGES = (
    "intake",
    "review",
    "adjudicate",
    "people",
    "library",
    "quality",
    "drift",
    "alerts",
    "settings",
)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_installation(open_page: OpenPage, page: str) -> None:
    app = open_page(page).run()
    assert not app.exception
    assert not app.error


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_a_filled_installation(
    installation: Runtime, open_page: OpenPage, page: str
) -> None:
    ids = [
        store_playable(installation, f"one two three {name}", file_name=f"{name}.wav")
        for name in ("four", "five", "six")
    ]
    store_review(installation, ids[0], "one two three for")
    store_review(installation, ids[1], "", verdict="reject")
    app = open_page(page).run()
    assert not app.exception
    assert not app.error
