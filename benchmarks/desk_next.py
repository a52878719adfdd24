"""How long the desk makes somebody wait, in a real browser on a real server.

    python -m benchmarks.desk_next [--clips 100 10000 100000] [--saves 40] [--people 1]
    python -m benchmarks.desk_next --clips 1000 --people 20
    python -m benchmarks.desk_next --clips 1000 --saves 200
    python -m benchmarks.desk_next --long 60

The first three correct a word and press Ctrl+Enter until the next clip is there and plays, on a
data folder with so many clips. They also print the browser's memory at the beginning and at the
end. The other people type all the time and save a clip every ten seconds; they are
:mod:`benchmarks.desk_people`, which speaks to the server like their browsers, without browsers:
twenty people have twenty machines for those. The last opens a clip of so many minutes from the
queue and prints when waveform and text are painted, the frames per second while it is scrolled and
typed into, and the memory that it takes. Chromium is the one that the browser tests use.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.desk_stock import fill, fill_long
from tests.desk_page import Desk, Server
from tests.e2e.conftest import find_chromium

_DESK = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
_SETTLE_MS = 700
_WARM_UP_S = 25
_TIMEOUT_MS = 60_000
_FLAGS = ["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
# From the key to a new name on the desk, and until the sound of that clip runs.
_WATCH = f"""() => {{
  const desk = {_DESK};
  const audio = desk.querySelector("audio");
  const name = desk.querySelector(".wb-name");
  window.measured = new Promise((done) => {{
    let [start, shown] = [0, 0];
    document.addEventListener("keydown", (event) => {{
      if (event.key === "Enter" && event.ctrlKey) start ||= performance.now();
    }}, {{ capture: true }});
    const watch = new MutationObserver(() => {{ shown ||= performance.now(); }});
    watch.observe(name, {{ childList: true, characterData: true, subtree: true }});
    audio.addEventListener("playing", () => {{
      watch.disconnect();
      done([shown - start, performance.now() - start]);
    }}, {{ once: true }});
  }});
}}"""
_OPEN = f"""() => new Promise((done) => {{
  const desk = {_DESK};
  const rows = desk.querySelector(".wb-rows");
  const start = performance.now();
  const button = [...desk.querySelectorAll(".wb-queue li button")]
    .find((candidate) => candidate.textContent.includes("long.wav"));
  new MutationObserver((_, watch) => {{
    if (rows.children.length < 50) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
  }}).observe(rows, {{ childList: true }});
  button.click();
}})"""
_FRAMES = f"""(act) => new Promise((done) => {{
  const desk = {_DESK};
  const rows = desk.querySelector(".wb-rows");
  const area = desk.querySelectorAll(".wb-text")[3];
  const times = [];
  const frame = (now) => {{
    times.push(now);
    if (act === "scroll") rows.scrollTop += 60;
    if (act === "type") {{
      area.setRangeText("x", area.value.length, area.value.length, "end");
      area.dispatchEvent(new InputEvent("input", {{ inputType: "insertText", bubbles: true }}));
    }}
    if (times.length < 180) requestAnimationFrame(frame);
    else {{
      const gaps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
      const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
      done([1000 / mean, gaps[Math.floor(gaps.length * 0.95)]]);
    }}
  }};
  requestAnimationFrame(frame);
}})"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--long", type=float, metavar="MINUTES")
    options = parser.parse_args()
    expect.set_options(timeout=_TIMEOUT_MS)
    if options.long:
        _measure_long(options.long)
        return 0
    medians = {}
    for num_clips in options.clips:
        saves = min(options.saves, num_clips // 2)
        medians[num_clips] = _measure_next(num_clips, saves, options.people)
    if len(medians) > 1:
        least, most = min(medians), max(medians)
        print(f"{most} : {least} clips = {medians[most] / medians[least]:.2f} : 1 (medians)")
    return 0


def _measure_next(num_clips: int, num_saves: int, num_people: int) -> float:
    with _serving(lambda folder: fill(folder, num_clips)) as (server, browser):
        page = _page(browser, server, "the one who is timed")
        before_mb = _memory_mb(page)
        with _others(server, num_people - 1):
            times = [_save(page) for _ in range(num_saves)]
        shown, playing = zip(*times, strict=True)
        print(
            f"{num_clips:7} clips, {num_people:2} at work: next clip shown after "
            f"{_spread(shown)}, playing after {_spread(playing)}; "
            f"memory {before_mb:.1f} -> {_memory_mb(page):.1f} MB after {num_saves} clips",
            flush=True,
        )
        return float(statistics.median(playing))


@contextmanager
def _others(server: Server, num_people: int) -> Iterator[None]:
    """They begin before and are stopped after what is timed, and say how it went."""
    if not num_people:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.desk_people", server.url]
    others = subprocess.Popen([*command, "--people", str(num_people)])
    try:
        time.sleep(_WARM_UP_S)
        yield
    finally:
        others.terminate()
        others.wait()


def _save(page: Page) -> tuple[float, float]:
    page.locator(".wb-text").first.focus()
    page.keyboard.press("End")
    page.keyboard.type(" today")
    page.wait_for_timeout(_SETTLE_MS)
    page.evaluate(_WATCH)
    page.keyboard.press("Control+Enter")
    shown, playing = page.evaluate("window.measured")
    return shown, playing


def _measure_long(minutes: float) -> None:
    with _serving(lambda folder: fill_long(folder, minutes)) as (server, browser):
        page = _page(browser, server, "ann", wanted="short.wav")
        before_mb = _memory_mb(page)
        page.locator(".wb-left").click()
        page.locator(".wb-queue li").first.wait_for()
        print(f"{minutes:g} minutes, painted {page.evaluate(_OPEN):.0f} ms after the click")
        page.wait_for_timeout(3000)
        for act in ("scroll", "type"):
            rate, slow_ms = page.evaluate(_FRAMES, act)
            print(f"{act}: {rate:.0f} frames a second, 95 % of them within {slow_ms:.0f} ms")
        print(f"memory {before_mb:.1f} MB with the short clip, {_memory_mb(page):.1f} MB with this")


@contextmanager
def _serving(make: Callable[[Path], object]) -> Iterator[tuple[Server, Browser]]:
    with tempfile.TemporaryDirectory(prefix="werkbench-desk-") as folder:
        make(Path(folder) / "data")
        server = Server(Path(folder) / "data")
        server.start(WERKBENCH_ENGINE__NAME="pocketsphinx")
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=find_chromium(), args=_FLAGS)
                yield server, browser
                browser.close()
        finally:
            server.kill()


def _page(browser: Browser, server: Server, name: str, wanted: str | None = None) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    desk = Desk(page, server, name).open()
    page.locator(".wb-text").first.wait_for()
    while wanted is not None and desk.name.inner_text() != wanted:
        page.keyboard.press("Alt+s")
        page.wait_for_timeout(2000)
    page.wait_for_timeout(1000)
    return page


def _memory_mb(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(metrics["usedSize"]) / 1e6


def _spread(times_ms: tuple[float, ...]) -> str:
    ordered = sorted(times_ms)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.0f} ms (95 %: {p95:.0f} ms)"


if __name__ == "__main__":
    sys.exit(main())
