"""A real server process and a real browser, each test with its own data folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60
STEP_TIMEOUT_MS = 30_000


def find_chromium() -> str | None:
    """Chromium of the machine; None leaves the choice to Playwright."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(data_dir: Path, *, port: int | None = None, **variables: str) -> Iterator[str]:
    """The app as its users start it; yields its address, and stops it at the end."""
    port = port or free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("WERKBENCH_")
    }
    environment |= {
        "WERKBENCH_DATA_DIR": str(data_dir),
        "WERKBENCH_ENGINE__NAME": "pocketsphinx",
        **variables,
    }
    log = data_dir.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.cli", "serve", "--no-browser", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture
def launch(playwright: Playwright) -> Iterator[Callable[..., Page]]:
    """Opens a page in a new browser with the given command line flags."""
    browsers: list[Browser] = []

    def open_page(*flags: str) -> Page:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", *flags]
        )
        browsers.append(browser)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(STEP_TIMEOUT_MS)
        expect.set_options(timeout=STEP_TIMEOUT_MS)
        return context.new_page()

    yield open_page
    for browser in browsers:
        browser.close()
