"""Reviewing the same ten clips on the desk, and in a plain text area with an audio player.

    python -m benchmarks.desk_walkthrough [--manifest FILE] [--clips 10]

Drives Chromium through both with real keys and clicks, compares what each stored with the
reference, and prints keystrokes, clicks and seconds per clip. Clips and references are the samples,
or those of a manifest that you pass in (NeMo keys); PocketSphinx writes the transcripts.

The person is a model, the same on both sides, with the times of the keystroke-level model (Card,
Moran & Newell, 1980): 0.2 s for a key, 1.1 s to point, 0.2 s for a click, 0.4 s for a hand to move
between keyboard and mouse. They hear every clip once from its beginning to its end, correct words
only (not case or punctuation), go from error to error with Ctrl+Right, select with
Ctrl+Shift+Right, and hear two seconds around each error once more. What differs:

* On the desk the next clip plays by itself. A doubtful word is reached, selected and played by
  Alt+N wherever that takes fewer keys than walking; another error is heard again with Alt+J.
* The page takes a click to play a clip, and a click on the player and one into the text to hear an
  error again.

The time from saving to the next clip is measured on both sides. Thinking is left out on both.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from playwright.sync_api import Page, Route, expect, sync_playwright

from qe_core.config import load_settings
from qe_core.text import normalise
from tests.desk_page import Desk, Server
from tests.e2e.conftest import find_chromium
from ui.desk.rows import rows_of
from workbench import intake, review
from workbench.assess import assess_clip
from workbench.review import ReviewTask
from workbench.runtime import Runtime

_KEY_S, _POINT_S, _CLICK_S, _HOMING_S = 0.2, 1.1, 0.2, 0.4
_HEAR_AGAIN_S = 2.0
_DOUBTFUL = 0.5
_REVIEWER = "Ann"
_PLAIN = """<audio controls src="/sound"></audio><br>
<textarea rows="12" cols="80"></textarea><br>
<button onclick="fetch('/save', {
  method: 'POST', body: document.querySelector('textarea').value
}).then(() => location.reload())">Save</button>"""


@dataclass(frozen=True)
class _Clip:
    id: str
    path: Path
    duration_s: float
    rows: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    doubts: tuple[tuple[bool, ...], ...]

    @property
    def num_errors(self) -> int:
        return sum(
            len(_changes(row, target)) for row, target in zip(self.rows, self.targets, strict=True)
        )


@dataclass
class _Tally:
    """What one clip cost."""

    num_keys: int = 0
    num_clicks: int = 0
    seconds: float = 0.0


def main() -> int:
    """Review and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--clips", type=int, default=10)
    options = parser.parse_args()
    expect.set_options(timeout=60_000)
    with (
        tempfile.TemporaryDirectory(prefix="werkbench-walk-") as folder,
        sync_playwright() as driver,
    ):
        data_dir = Path(folder) / "data"
        clips = _fill(data_dir, _entries(options.manifest)[: options.clips])
        browser = driver.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--mute-audio"]
        )
        server = Server(data_dir)
        server.start(WERKBENCH_ENGINE__NAME="pocketsphinx")
        try:
            on_desk = _on_desk(browser.new_page(), server, clips)
        finally:
            server.kill()
        in_plain = [_in_plain(browser.new_page(), clip) for clip in clips]
        browser.close()
    _print(clips, on_desk, in_plain)
    return 0


def _entries(manifest: Path | None) -> list[tuple[Path, str]]:
    if manifest is None:
        return [(path, entry["text"]) for path, entry in intake.sample_manifest()]
    lines = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
    return [(manifest.parent / line["audio_filepath"], line["text"]) for line in lines]


def _fill(data_dir: Path, entries: list[tuple[Path, str]]) -> list[_Clip]:
    runtime = Runtime(load_settings(data_dir=data_dir, engine={"name": "pocketsphinx"}))
    try:
        return [_store(runtime, path, text) for path, text in entries]
    finally:
        runtime.close()


def _store(runtime: Runtime, path: Path, reference: str) -> _Clip:
    clip_id = intake.submit(runtime, path, file_name=path.name, source="sample").clip_id
    assess_clip(runtime, clip_id)
    task: ReviewTask = review.open_clip(runtime, clip_id, _REVIEWER)
    review.release(runtime, clip_id, task.claim_token)
    rows = tuple(tuple(row.split()) for row in rows_of(task.transcript))
    targets = rows_of(task.transcript, normalise(reference))
    probabilities = iter(task.estimate.word_error_probabilities)
    doubts = tuple(tuple(next(probabilities, 0.0) >= _DOUBTFUL for _ in row) for row in rows)
    words = tuple(tuple(target.split()) for target in targets)
    return _Clip(clip_id, path, task.clip.duration_s, rows, words, doubts)


class _OnDesk:
    """Keys only."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.tally = _Tally()

    def reach(self, doubts: Sequence[bool]) -> bool:
        """Go to a doubtful word, the last of those that lie ahead, if that is the shorter way."""
        if not doubts[-1] or sum(doubts) > len(doubts):
            return False
        for _ in range(sum(doubts)):
            _press(self, "Alt+n")
        return True

    def hear_again(self, *, is_played: bool) -> None:
        if not is_played:
            _press(self, "Alt+j")
        self.tally.seconds += _HEAR_AGAIN_S


class _InPlain:
    """Keys for the text, the mouse for the player."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.tally = _Tally()

    def reach(self, doubts: Sequence[bool]) -> bool:
        """It knows nothing of doubt."""
        del doubts
        return False

    def hear_again(self, *, is_played: bool) -> None:
        del is_played
        self.tally.num_clicks += 2
        self.tally.seconds += 2 * (_HOMING_S + _POINT_S + _CLICK_S) + _HEAR_AGAIN_S


def _on_desk(page: Page, server: Server, clips: list[_Clip]) -> list[_Tally]:
    page.set_default_timeout(60_000)
    by_id = {clip.id: clip for clip in clips}
    desk = Desk(page, server, _REVIEWER).open()
    page.locator(".wb-text").first.wait_for()
    tallies = {}
    for _ in clips:
        clip = by_id[page.url.partition("clip=")[2]]
        way = _OnDesk(page)
        way.tally.seconds += clip.duration_s
        for index, (row, target) in enumerate(zip(clip.rows, clip.targets, strict=True)):
            if index:
                _press(way, "Enter")
            _edit(way, row, target, clip.doubts[index])
        written = " ".join(area.input_value() for area in desk.rows.all())
        _check(clip, written)
        start, before = time.perf_counter(), page.url
        _press(way, "Control+Enter")
        page.wait_for_function("before => location.href !== before", arg=before)
        way.tally.seconds += time.perf_counter() - start
        tallies[clip.id] = way.tally
    return [tallies[clip.id] for clip in clips]


def _in_plain(page: Page, clip: _Clip) -> _Tally:
    saved: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url.endswith("/sound"):
            route.fulfill(path=clip.path)
        elif route.request.method == "POST":
            saved.append(route.request.post_data or "")
            route.fulfill(body="saved")
        else:
            route.fulfill(body=_PLAIN, content_type="text/html")

    page.route("**/*", answer)
    page.goto("http://plain.example/")
    way = _InPlain(page)
    area = page.locator("textarea")
    area.fill("\n".join(" ".join(row) for row in clip.rows))
    page.locator("audio").click()
    area.click()
    page.keyboard.press("Control+Home")
    way.tally.num_clicks += 2
    way.tally.seconds += 2 * (_HOMING_S + _POINT_S + _CLICK_S) + clip.duration_s + _KEY_S
    way.tally.num_keys += 1
    for index, (row, target) in enumerate(zip(clip.rows, clip.targets, strict=True)):
        if index:
            _press(way, "ArrowDown")
            _press(way, "Home")
        _edit(way, row, target, clip.doubts[index])
    _check(clip, area.input_value())
    start = time.perf_counter()
    page.get_by_role("button").click()
    page.wait_for_function("!document.querySelector('textarea').value")
    way.tally.num_clicks += 1
    way.tally.seconds += time.perf_counter() - start + _HOMING_S + _POINT_S + _CLICK_S
    _check(clip, saved[0])
    page.close()
    return way.tally


def _edit(
    way: _OnDesk | _InPlain, row: Sequence[str], target: Sequence[str], doubts: Sequence[bool]
) -> None:
    """Bring one row from what was heard to what was said; the caret is at its beginning."""
    at = 0  # words of the row before the caret, which is behind a word or at the beginning
    for first, last, wanted in _changes(row, target):
        is_reached = last > first and way.reach(doubts[at : first + 1])
        way.hear_again(is_played=is_reached)
        if is_reached:
            for _ in range(last - first - 1):
                _press(way, "Control+Shift+ArrowRight")
        else:
            for _ in range(first - at):
                _press(way, "Control+ArrowRight")
            for _ in range(last - first):
                _press(way, "Control+Shift+ArrowRight")
        text = " ".join(wanted)
        if not is_reached and text:
            text = f" {text}" if first else f"{text} " if first == last else text
        if text:
            way.page.keyboard.type(text)
            way.tally.num_keys += len(text)
            way.tally.seconds += len(text) * _KEY_S
        else:
            _press(way, "Delete")
        at = last


def _changes(row: Sequence[str], target: Sequence[str]) -> list[tuple[int, int, Sequence[str]]]:
    matcher = SequenceMatcher(None, row, target, autojunk=False)
    return [
        (first, last, target[start:end])
        for kind, first, last, start, end in matcher.get_opcodes()
        if kind != "equal"
    ]


def _press(way: _OnDesk | _InPlain, key: str) -> None:
    way.page.keyboard.press(key)
    way.tally.num_keys += 1
    way.tally.seconds += _KEY_S


def _check(clip: _Clip, written: str) -> None:
    wanted = [word for target in clip.targets for word in target]
    if written.split() != wanted:
        raise RuntimeError(f"{clip.path.name}: {written!r} instead of {' '.join(wanted)!r}")


def _print(clips: list[_Clip], on_desk: list[_Tally], in_plain: list[_Tally]) -> None:
    print("| clip | s | places to mend | desk: keys | s | plain: keys | clicks | s |")
    print("|---|---|---|---|---|---|---|---|")
    for clip, desk, plain in zip(clips, on_desk, in_plain, strict=True):
        print(
            f"| {clip.path.name} | {clip.duration_s:.1f} | {clip.num_errors} | {desk.num_keys} | "
            f"{desk.seconds:.1f} | {plain.num_keys} | {plain.num_clicks} | {plain.seconds:.1f} |"
        )
    num = len(clips)
    print(
        f"| **mean** | {sum(c.duration_s for c in clips) / num:.1f} | "
        f"{sum(c.num_errors for c in clips) / num:.1f} | "
        f"{sum(t.num_keys for t in on_desk) / num:.0f} | "
        f"{sum(t.seconds for t in on_desk) / num:.1f} | "
        f"{sum(t.num_keys for t in in_plain) / num:.0f} | "
        f"{sum(t.num_clicks for t in in_plain) / num:.1f} | "
        f"{sum(t.seconds for t in in_plain) / num:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
