"""Makes ``docs/images``: every page with the sample clips, and the desk in its states.

Run it as ``script/screenshots``. It uses a data folder of its own and Chromium; the sample clips
are transcribed and corrected for real, so it takes some minutes.
"""

import logging
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from docs.desk_pictures import take_desk_pictures
from docs.lifelike_stream import fill_lifelike
from qe_core.config import load_settings
from tests.e2e.conftest import ROOT, find_chromium, serving
from workbench import intake, retrain, review
from workbench.assess import assess_clip
from workbench.runtime import Runtime

IMAGES = ROOT / "docs" / "images"
SIZE = ViewportSize(width=1280, height=960)
REVIEWER = "Ann"
NUM_OPEN = 3
# A dozen clips show the pages; a real stream needs the numbers of the configuration.
SMALL: dict[str, dict[str, float]] = {
    "retrain": {"min_new_reviews": 5},
    "drift": {"min_clips": 5, "min_recordings": 5},
}
VARIABLES = {
    f"WERKBENCH_{section}__{key}".upper(): str(value)
    for section, values in SMALL.items()
    for key, value in values.items()
}
PAGES = ("", "review", "library", "settings")
LEAD_PAGES = ("quality", "drift")
LEAD_SIZE = ViewportSize(width=1280, height=1600)
LEAD_SETTLE_MS = 15_000
PATIENCE_MS = 300_000
SETTLE_MS = 4_000


def main() -> None:
    """Fill an installation, start it, take the pictures."""
    logging.disable(logging.WARNING)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        _fill(data_dir)
        with serving(data_dir, **VARIABLES) as url, sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox", "--mute-audio"]
            )
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport=SIZE, color_scheme=scheme)
                context.add_cookies([{"name": "werkbench_reviewer", "value": REVIEWER, "url": url}])
                page = context.new_page()
                for name in PAGES if scheme == "light" else PAGES[:2]:
                    suffix = "" if scheme == "light" else "-dark"
                    _take(page, f"{url}/{name}", IMAGES / f"{name or 'intake'}{suffix}.png")
            take_desk_pictures(browser, IMAGES)
            browser.close()
        take_lead_pages(Path(folder) / "stream")


def take_lead_pages(data_dir: Path) -> None:
    """Quality and drift, with a stream that is made by SQL: a dozen clips would show nothing.

    Args:
        data_dir: does not exist yet
    """
    fill_lifelike(data_dir)
    with serving(data_dir) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport=LEAD_SIZE, color_scheme="light")
        context.add_cookies([{"name": "werkbench_reviewer", "value": REVIEWER, "url": url}])
        page = context.new_page()
        for name in LEAD_PAGES:
            _take(page, f"{url}/{name}", IMAGES / f"{name}.png", LEAD_SETTLE_MS)
        browser.close()


def _fill(data_dir: Path) -> None:
    settings = load_settings(data_dir=data_dir, engine={"name": "pocketsphinx"}, **SMALL)
    runtime = Runtime(settings)
    try:
        references = {}
        for path, entry in intake.sample_manifest():
            _say(f"Transcribing {path.name} …")
            clip = intake.submit(runtime, path, file_name=path.name, source="sample")
            assess_clip(runtime, clip.clip_id)
            references[clip.clip_id] = entry["text"]
        for _ in range(len(references) - NUM_OPEN):
            task = review.next_clip(runtime, REVIEWER)
            if task is None:
                break
            review.submit(
                runtime,
                task.clip.id,
                reviewer=REVIEWER,
                claim_token=task.claim_token,
                verdict="correct",
                text=references[task.clip.id],
                lead_time_s=20.0,
                listened_share=1.0,
            )
        _say("Training a quality model …")
        retrain.run(runtime, actor=REVIEWER)
        for clip_id in references:
            assess_clip(runtime, clip_id)
    finally:
        runtime.close()


def _take(page: Page, url: str, path: Path, settle_ms: int = SETTLE_MS) -> None:
    page.goto(url)
    page.get_by_text("Quality model:").wait_for()
    page.wait_for_timeout(settle_ms)
    page.screenshot(path=path, timeout=PATIENCE_MS)
    _say(f"{path.name}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
