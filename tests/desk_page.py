"""The review desk as its tests see it: a server that can be killed, and a browser at the desk."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import pytest
from playwright.sync_api import Locator, Page, expect

from qe_core.config import load_settings
from storage.records import Review
from storage.repositories import reviews
from tests.e2e.conftest import ROOT, free_port
from workbench.runtime import Runtime


@dataclass
class Server:
    """The app on one port; it can be killed and started again on the same data."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **variables: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WERKBENCH_")}
        log = self.data_dir.with_suffix(".log")
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jobs.cli",
                    "serve",
                    "--no-browser",
                    "--port",
                    str(self.port),
                ],
                cwd=ROOT,
                env=kept
                | {
                    "WERKBENCH_DATA_DIR": str(self.data_dir),
                    # Tests are in a hurry: they accept without listening.
                    "WERKBENCH_REVIEW__MIN_LISTENED_SHARE": "0",
                    **variables,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = monotonic() + 90
        while monotonic() < deadline and self.process.poll() is None:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2),  # noqa: S310 - our own
            ):
                return
            sleep(0.2)
        pytest.fail(f"The app did not start:\n{log.read_text(encoding='utf-8')}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stored_reviews(self, clip_id: str) -> list[Review]:
        """What is in the database; only while the server is down."""
        runtime = Runtime(load_settings(data_dir=self.data_dir))
        try:
            with runtime.database.session() as session:
                return [r for r in reviews.list_for_clip(session, clip_id) if r.clip_id == clip_id]
        finally:
            runtime.close()


@dataclass
class Desk:
    """The desk in one browser."""

    page: Page
    server: Server
    reviewer: str

    def open(self, clip_id: str | None = None) -> "Desk":
        self.page.context.add_cookies(
            [{"name": "werkbench_reviewer", "value": self.reviewer, "url": self.server.url}]
        )
        self.page.goto(f"{self.server.url}/review" + (f"?clip={clip_id}" if clip_id else ""))
        expect(self.name).to_be_visible()
        return self

    def find(self, name: str) -> Locator:
        return self.page.locator(f".wb {name}")

    @property
    def name(self) -> Locator:
        return self.find(".wb-name")

    @property
    def rows(self) -> Locator:
        return self.find(".wb-text")

    @property
    def state(self) -> Locator:
        return self.find(".wb-state")

    @property
    def result(self) -> Locator:
        return self.find(".wb-result")

    @property
    def time_s(self) -> float:
        minutes, seconds = self.find(".wb-clock").inner_text().split(" / ")[0].split(":")
        return int(minutes) * 60 + float(seconds)

    @property
    def is_playing(self) -> bool:
        return self.find(".wb-play").inner_text() == "Pause"

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str, *, row: int = 0, delay_ms: float = 0) -> None:
        """Put the caret behind a row's text without the click that plays, and type."""
        self.rows.nth(row).focus()
        self.press("End")
        self.page.keyboard.type(text, delay=delay_ms)

    def selected(self) -> str:
        selected: str = self.page.evaluate(
            """() => {
              const host = document.querySelector('[data-testid=stBidiComponentIsolated]');
              const area = host.shadowRoot.activeElement;
              return area.value.slice(area.selectionStart, area.selectionEnd);
            }"""
        )
        return selected

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = monotonic() + 20
        while not condition():
            if monotonic() > deadline:
                pytest.fail(f"not within 20 s: {what}")
            self.page.wait_for_timeout(50)
