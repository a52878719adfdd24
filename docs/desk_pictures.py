"""Pictures of the review desk in its states, for ``docs/images``; part of ``script/screenshots``.

The clips are tones with made-up transcripts, so that every state can be shown without a recogniser.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from qe_core.config import load_settings
from tests.desk_clips import store_playable
from tests.desk_page import Desk, Server
from workbench import people, preferences, review
from workbench.runtime import Runtime

__all__ = ["take_desk_pictures"]

_SIZE = ViewportSize(width=1280, height=720)
_SETTLE_MS = 2_500
# Long enough for a draft to go unanswered twice.
_SILENCE_MS = 8_000
_TEXT = "thank you for calling i can see that your parcel left the wear house this morning"
_ARABIC = "شكرا لاتصالك أرى أن الطرد غادر المستودع هذا الصباح وسيصل غدا قبل الظهر"
_LONG_WORDS = 9_000


def take_desk_pictures(browser: Browser, folder: Path) -> None:
    """Start a desk of its own, bring it into each state and take its picture.

    Args:
        browser: a running browser
        folder: where the pictures go
    """
    with tempfile.TemporaryDirectory() as place:
        ids = _fill(Path(place) / "data")
        server = Server(Path(place) / "data")
        server.start()
        try:
            _take_with_clips(browser, server, ids, folder)
        finally:
            server.kill()
        empty = Server(Path(place) / "empty")
        empty.start()
        try:
            page = _page(browser)
            page.goto(f"{empty.url}/review")
            page.get_by_text("Nothing waits").wait_for()
            _take(page, folder / "desk-empty.png")
        finally:
            empty.kill()


def _take_with_clips(browser: Browser, server: Server, ids: dict[str, str], folder: Path) -> None:
    for scheme, name in (("light", "desk"), ("dark", "desk-dark")):
        page = _page(browser, scheme)
        Desk(page, server, "Ann").open(ids["call.wav"])
        page.locator(".wb-text").first.wait_for()
        page.keyboard.press("Alt+n")
        page.wait_for_timeout(1_000)
        page.keyboard.press("Escape")
        _take(page, folder / f"{name}.png")
    page = _page(browser)
    desk = Desk(page, server, "Ann")
    for file_name, name in (("meeting.wav", "desk-long"), ("arabic.wav", "desk-rtl")):
        desk.open(ids[file_name])
        page.locator(".wb-text").first.wait_for()
        _take(page, folder / f"{name}.png")
    page.goto(f"{server.url}/review?clip={ids['held.wav']}")
    page.locator(".wb-banner").wait_for()
    _take(page, folder / "desk-conflict.png")
    page.goto(f"{server.url}/adjudicate")
    _take(page, folder / "desk-adjudicate.png")
    page.goto(f"{server.url}/library?clip={ids['disputed.wav']}")
    page.get_by_text("Second, blind").first.wait_for()
    page.get_by_text("Second, blind").first.scroll_into_view_if_needed()
    _take(page, folder / "desk-history.png")
    desk.open(ids["call.wav"])
    page.locator(".wb-text").first.wait_for()
    server.kill()
    desk.write(" at nine")
    page.wait_for_timeout(_SILENCE_MS)
    _take(page, folder / "desk-offline.png")


def _fill(data_dir: Path) -> dict[str, str]:
    runtime = Runtime(load_settings(data_dir=data_dir))
    long_text = " ".join(_TEXT.split()[index % 16] for index in range(_LONG_WORDS))
    try:
        people.sign_in(runtime, "Ann", is_new_admin=True)
        texts = {
            "call.wav": _TEXT,
            "arabic.wav": _ARABIC,
            "meeting.wav": long_text,
            "held.wav": _TEXT,
            "disputed.wav": _TEXT,
        }
        ids = {name: store_playable(runtime, text, file_name=name) for name, text in texts.items()}
        preferences.set(runtime, "review.double_share", 1.0)
        _correct(runtime, ids["disputed.wav"], "Cem", _TEXT.replace("wear house", "warehouse"))
        _correct(runtime, ids["disputed.wav"], "Bea", _TEXT.replace("wear house", "lair house"))
        preferences.set(runtime, "review.double_share", None)
        review.open_clip(runtime, ids["held.wav"], "Bea")
    finally:
        runtime.close()
    return ids


def _correct(runtime: Runtime, clip_id: str, reviewer: str, text: str) -> None:
    task = review.open_clip(runtime, clip_id, reviewer)
    review.submit(
        runtime,
        clip_id,
        reviewer=reviewer,
        claim_token=task.claim_token,
        verdict="correct",
        text=text,
        lead_time_s=31.0,
        listened_share=1.0,
    )


def _page(browser: Browser, scheme: str = "light") -> Page:
    dark = scheme == "dark"
    page = browser.new_context(viewport=_SIZE, color_scheme="dark" if dark else "light").new_page()
    page.set_default_timeout(120_000)
    return page


def _take(page: Page, path: Path) -> None:
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=path)
    too_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    note = " (it scrolls sideways)" if too_wide else ""
    sys.stderr.write(f"{path.name}{note}\n")
