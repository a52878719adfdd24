"""The whole story in a browser, on real recognisers: upload, correct, retrain, roll back."""

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from qe_core.asr.whisper import DEMO_MODEL
from tests.e2e.conftest import ROOT, serving

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket, pytest.mark.timeout(1200)]

SAMPLE = ROOT / "sample_audio" / "order_number.mp3"
REFERENCE = "the order number is seven four nine two and the total comes to sixty three dollars"
WORK_MS = 600_000
# One correction has to be enough here, and it cannot make a model of a thousand clips better.
LENIENT_GATE = {
    "WERKBENCH_RETRAIN__MIN_NEW_REVIEWS": "1",
    "WERKBENCH_RETRAIN__MIN_WORD_AUC": "0",
    "WERKBENCH_RETRAIN__MIN_GAIN": "-1.0",
    "WERKBENCH_RETRAIN__MAX_RECALL_LOSS": "1.0",
    "WERKBENCH_RETRAIN__MAX_MAE_INCREASE": "1.0",
    "WERKBENCH_RETRAIN__MAX_COVERAGE_GAP": "1.0",
    "WERKBENCH_RETRAIN__MAX_SLICE_LOSS": "1.0",
}
HOSTILE_NAME = "<img src=x onerror=pwned=1> [x](javascript:1) **b** $x$ :red[y].mp3"


def clips(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v1/clips", timeout=10) as answer:  # noqa: S310 - our own
        found: list[dict[str, Any]] = json.load(answer)["clips"]
    return found


def champion(page: Page) -> str:
    return page.get_by_text("Quality model:").inner_text()


@pytest.mark.parametrize("engine", ["pocketsphinx", f"whisper:{DEMO_MODEL}"])
def test_an_upload_is_corrected_and_teaches_a_new_quality_model(
    tmp_path: Path, launch: Callable[..., Page], engine: str
) -> None:
    page = launch()
    with serving(tmp_path / "data", **LENIENT_GATE, WERKBENCH_ENGINE__NAME=engine) as url:
        page.goto(url)
        expect(page.get_by_text("No clips yet.")).to_be_visible()
        page.locator("input[type=file]").set_input_files(SAMPLE)
        expect(page.get_by_text("Predicted WER")).to_be_visible(timeout=WORK_MS)
        expect(page.get_by_test_id("stText").first).to_contain_text(
            re.compile("order number", re.I)
        )
        expect(page.get_by_text("lagged").first).to_be_visible()
        expect(page.locator(".js-plotly-plot")).to_be_visible()

        page.get_by_role("link", name="Review").click()
        row = page.locator(".wb .wb-text").first
        expect(row).to_have_value(re.compile("order number", re.I))
        row.fill(REFERENCE)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".wb .wb-result")).to_contain_text("actual")

        clip_id = clips(url)[0]["id"]
        page.goto(f"{url}/library?clip={clip_id}")
        expect(page.get_by_text("Corrected by")).to_be_visible()
        expect(page.get_by_text(REFERENCE, exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_text(REFERENCE, exact=True)).to_be_visible()

        page.goto(f"{url}/settings")
        page.get_by_role("tab", name="Quality model").click()
        corrections = page.get_by_text("New corrections since the champion was trained")
        expect(corrections).to_contain_text(": 1;", timeout=WORK_MS)
        before = champion(page)
        page.get_by_role("button", name="Retrain").click()
        expect(page.get_by_text("Latest training:")).to_be_visible(timeout=WORK_MS)
        expect(page.get_by_text(re.compile("^Latest training.*passed the gate"))).to_be_visible()
        page.reload()
        expect(page.get_by_text("Quality model:")).not_to_have_text(before)

        page.get_by_role("tab", name="Quality model").click()
        page.get_by_role("button", name="Roll back").click()
        page.get_by_role("button", name="Roll back now").click()
        expect(page.get_by_text("Quality model:")).to_have_text(before)


def test_foreign_text_shows_as_it_is_and_does_nothing(
    tmp_path: Path, launch: Callable[..., Page]
) -> None:
    page = launch()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    with serving(tmp_path / "data") as url:
        page.goto(url)
        page.locator("input[type=file]").set_input_files(
            {"name": HOSTILE_NAME, "mimeType": "audio/mpeg", "buffer": SAMPLE.read_bytes()}
        )
        shown = page.get_by_test_id("stMarkdown").filter(has_text="onerror")
        expect(shown.first).to_contain_text(HOSTILE_NAME.replace("/", "")[:20])
        assert not shown.locator("img, a, .katex").count()
        assert page.evaluate("window.pwned") is None
        assert not dialogs
