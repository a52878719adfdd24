"""The desk's tools in a real browser: split, merge, find, glossary, other recognisers' words."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from qe_core.config import load_settings
from qe_core.types import Segment, Transcript, Word
from storage.repositories import hypotheses
from tests.desk_clips import SEGMENT_WORDS, WORD_S, seed
from tests.desk_page import Desk, Server
from ui.desk.keymap import choose
from workbench import glossary
from workbench.runtime import Runtime

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

TEXT = "the quick brown fox jumps over the lazy dog and runs away"
FIRST = "the quick brown fox jumps over"
HEBREW = "שלום לכולם וברוכים הבאים אל המפגש הראשון"
JAPANESE = "今日は 天気が いいですね"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    """A server with a glossary, one changed key, and a second engine's words for one clip."""
    data_dir: Path = tmp_path_factory.mktemp("tools") / "data"
    ids = seed(
        data_dir,
        *(f"{TEXT} {number}" for number in range(4)),
        HEBREW,
        JAPANESE,
        TEXT,
        f"{TEXT} too",
    )
    runtime = Runtime(load_settings(data_dir=data_dir))
    try:
        glossary.change(runtime, ["Reynard the Fox", "Kubernetes", "quick-step"])
        choose(runtime, "doubtful", "F4")
        words = tuple(
            Word(word, index * WORD_S, (index + 1) * WORD_S - 0.05, 0.9)
            for index, word in enumerate(f"{TEXT.replace('brown', 'round')} 1".split())
        )
        other = Transcript(
            (Segment(0.0, words[-1].end_s, " ".join(w.word for w in words), words),),
            *("en", "whisper", "base", "1"),
        )
        runtime.database.write(lambda session: hypotheses.add(session, ids[1], other, ()))
    finally:
        runtime.close()
    server = Server(data_dir)
    server.start()
    yield server, ids
    server.kill()


@pytest.fixture
def open_desk(
    stocked: tuple[Server, list[str]], launch: Callable[..., Page]
) -> Callable[[int], Desk]:
    server, ids = stocked

    def open_clip(index: int) -> Desk:
        desk = Desk(launch(), server, f"reviewer {index}").open(ids[index])
        expect(desk.rows.first).not_to_be_empty()
        return desk

    return open_clip


def caret(desk: Desk, row: int, offset: int) -> None:
    desk.rows.nth(row).evaluate(
        "(area, offset) => { area.focus(); area.setSelectionRange(offset, offset); }", offset
    )


def values(desk: Desk) -> list[str]:
    found: list[str] = desk.rows.evaluate_all("areas => areas.map((area) => area.value)")
    return found


def test_segments_are_split_merged_and_found_again(open_desk: Callable[[int], Desk]) -> None:
    desk = open_desk(0)
    before = values(desk)
    caret(desk, 0, len("the quick"))
    desk.press("Alt+Enter")
    assert values(desk) == ["the quick", "brown fox jumps over", *before[1:]]
    expect(desk.find(".wb-row >> nth=1 >> span[data-doubt]")).to_have_text(["brown", "over"])
    desk.page.keyboard.type("dark ")
    expect(desk.rows.nth(1)).to_have_value("dark brown fox jumps over")
    expect(desk.state).to_have_text(re.compile("^Saved"))
    desk.page.evaluate("localStorage.clear()")
    desk.page.reload()
    expect(desk.rows.nth(1)).to_have_value("dark brown fox jumps over")
    # "brown" still sounds where the recogniser heard it: at 0.8 s, played from 0.4 s before.
    caret(desk, 1, 0)
    desk.press("F4")
    assert desk.selected() == "brown"
    desk.until(lambda: desk.time_s >= 0.4, "plays shortly before it")
    caret(desk, 0, 0)
    desk.press("Alt+m")
    assert values(desk) == ["the quick dark brown fox jumps over", *before[1:]]
    desk.press("Control+z")
    assert values(desk)[:2] == ["the quick", "dark brown fox jumps over"]
    desk.press("Control+y", "Home", "End", "Delete")
    assert len(values(desk)) == len(before) - 1
    desk.press("Control+z", "Control+z")
    caret(desk, 1, 0)
    desk.press("Backspace")
    assert values(desk) == ["the quick dark brown fox jumps over", *before[1:]]


def test_found_text_is_counted_replaced_and_brought_back_by_one_undo(
    open_desk: Callable[[int], Desk],
) -> None:
    desk = open_desk(2)
    before = values(desk)
    caret(desk, 0, 0)
    desk.press("Alt+f")
    desk.page.keyboard.type("THE")
    count = desk.find(".wb-count")
    expect(count).to_have_text("2 found")
    desk.find(".wb-bar label >> nth=0").click()
    expect(count).to_have_text("0 found")
    desk.find(".wb-bar label >> nth=0").click()
    desk.find('[aria-label="Replace with"]').focus()
    desk.page.keyboard.type("a")
    desk.press("Enter")
    expect(count).to_have_text("2 replaced")
    assert values(desk)[:2] == ["a quick brown fox jumps over", "a lazy dog and runs away"]
    desk.press("Escape")
    caret(desk, 0, 0)
    desk.press("Control+z")
    assert values(desk) == before


def test_glossary_marks_keys_and_spectrogram_are_one_key_each(
    open_desk: Callable[[int], Desk],
) -> None:
    desk = open_desk(3)
    caret(desk, 0, len("the qui"))
    desk.press("Alt+g")
    expect(desk.rows.first).to_have_value("the quick-step brown fox jumps over")
    desk.press("Alt+g")
    expect(desk.rows.first).not_to_have_value(re.compile("quick"))
    desk.press("Control+z", "Control+z")
    expect(desk.rows.first).to_have_value(FIRST)
    choice = desk.find(".wb-threshold")
    expect(choice).to_have_value("0.5")
    desk.press("Alt+u", "Alt+u")
    expect(choice).to_have_value("2")
    expect(desk.find("span[data-doubt]")).to_have_count(0)
    with desk.page.expect_response(re.compile("spectrogram\\?tile=0")) as fetched:
        desk.press("Alt+p")
    assert fetched.value.headers["content-type"] == "image/png"
    desk.press("Alt+h")
    expect(desk.find(".wb-help dl")).to_contain_text("F4")
    expect(desk.find(".wb-help dl")).not_to_contain_text("Alt+N")
    desk.press("Escape")
    desk.page.reload()
    expect(choice).to_have_value("2")
    expect(desk.find("[data-do=spectrogram]")).to_have_attribute("aria-pressed", "true")


def test_another_recognisers_words_are_shown_taken_and_asked_for(
    open_desk: Callable[[int], Desk],
) -> None:
    desk = open_desk(1)
    different = desk.find("span[data-other]")
    expect(different).to_have_text(["brown"])
    box = different.bounding_box()
    assert box is not None
    desk.page.mouse.move(box["x"] + 5, box["y"] + 5)
    expect(desk.find(".wb-tip")).to_contain_text("whisper: round")
    legend = desk.find(".wb-legend")
    expect(legend).to_have_text("whisper heard otherwise")
    desk.press("Alt+Shift+u")
    expect(legend).to_have_attribute("aria-pressed", "false")
    desk.press("Alt+Shift+u")
    expect(legend).to_have_attribute("aria-pressed", "true")
    desk.page.mouse.move(0, 0)
    expect(desk.find(".wb-tip")).to_be_hidden()
    caret(desk, 0, 0)
    desk.press("Alt+Shift+o")
    assert desk.selected() == "brown"
    expect(desk.find(".wb-tip")).to_contain_text("whisper: round")
    desk.press("Alt+o")
    expect(desk.rows.first).to_have_value("the quick round fox jumps over")
    expect(different).to_have_count(0)
    desk.press("Control+z")
    expect(desk.rows.first).to_have_value(FIRST)
    # What becomes of the question stays on screen, whatever is saved meanwhile.
    bar = desk.find(".wb-bar")
    desk.press("Alt+t")
    bar.locator("select").select_option("pocketsphinx")
    with desk.page.expect_response(re.compile("/transcribe$"), timeout=120_000) as asked:
        desk.press("Enter")
    expect(desk.state).to_have_text(re.compile("^Saved"))
    assert asked.value.ok
    expect(bar).to_contain_text("pocketsphinx")
    if asked.value.json()["words"]:
        bar.get_by_role("button", name="Take it").click()
        expect(desk.rows.first).not_to_have_value(FIRST)
    else:
        expect(bar).to_contain_text("pocketsphinx heard nothing there.")
        bar.get_by_role("button", name="Close").click()
        expect(bar).to_be_hidden()


@pytest.mark.parametrize(("clip", "typed"), [(6, ""), (7, "now ")])
def test_who_types_while_a_recogniser_listens_goes_on_typing(
    open_desk: Callable[[int], Desk], clip: int, typed: str
) -> None:
    desk = open_desk(clip)
    before = values(desk)
    answer = {
        "engine": "pocketsphinx",
        "text": "fast",
        "words": [{"word": "fast", "start": 0.5, "end": 0.8}],
    }
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    desk.page.route("**/transcribe", hold)
    caret(desk, 0, len("the "))
    desk.press("Control+Shift+ArrowRight", "Alt+t", "Enter")
    bar = desk.find(".wb-bar")
    expect(bar).to_contain_text("is listening to")
    caret(desk, 0, 0)
    desk.page.keyboard.type(typed)
    desk.until(lambda: bool(waiting), "asks")
    waiting[0].fulfill(json=answer)
    expect(bar).to_contain_text("fast")
    desk.press("Enter")
    if typed:
        # The key went to the text, and what was asked about is no longer where it was.
        expect(bar).to_be_visible()
        bar.get_by_role("button", name="Take it").click()
        expect(desk.state).to_contain_text("have changed since")
        expect(desk.rows.first).to_be_focused()
        assert " ".join(values(desk)).startswith("now the quick")
    else:
        assert values(desk) == [before[0].replace("quick", "fast"), *before[1:]]


def test_text_from_right_to_left_and_without_blanks(open_desk: Callable[[int], Desk]) -> None:
    desk = open_desk(4)
    assert desk.rows.first.evaluate("area => getComputedStyle(area).direction") == "rtl"
    expect(desk.find(".wb-row >> nth=0 >> span")).to_have_count(SEGMENT_WORDS)
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk = open_desk(5)
    desk.rows.first.fill("今日は天気がいいですね")
    # Typed without blanks, it is still words that can be clicked.
    words = desk.find(".wb-row >> nth=0 >> span")
    desk.until(lambda: words.count() > 3, "is cut into words")
    assert "".join(words.all_inner_texts()) == "今日は天気がいいですね"
