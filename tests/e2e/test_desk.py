"""The review desk in a real browser, on a real server: every key, drafts and verdicts."""

import random
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.desk_clips import seed
from tests.desk_page import Desk, Server

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

NUM_CLIPS = 80
TEXT = "the quick brown fox jumps over the lazy dog and runs away"
HOSTILE_NAME = "<img src=x onerror=window.pwned=1> ../🙂.wav"
HOSTILE_TEXT = "<script>window.pwned=1</script> <b>bold</b> &amp; **x** $y$ :smile: a b c d e"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    """A server with many clips, shared by the tests that each open their own by its link."""
    data_dir = tmp_path_factory.mktemp("desk") / "data"
    texts = [f"{TEXT} number {index}" for index in range(NUM_CLIPS)]
    names = tuple(f"clip-{index}.wav" for index in range(NUM_CLIPS))
    ids = seed(data_dir, *texts, HOSTILE_TEXT, file_names=(*names, HOSTILE_NAME))
    server = Server(data_dir)
    server.start()
    yield server, ids
    server.kill()


_untouched = iter(range(NUM_CLIPS))


@pytest.fixture
def desk(busy: tuple[Server, list[str]], launch: Callable[..., Page]) -> Desk:
    """A desk with a clip that no other test has on its desk, opened by its link."""
    server, ids = busy
    page = launch()
    for index in _untouched:
        desk = Desk(page, server, f"reviewer {index}").open(ids[index])
        expect(desk.name).not_to_be_empty()
        # Tests that save or skip were given a clip of the queue's choice next.
        if desk.name.inner_text() == f"clip-{index}.wav":
            expect(desk.rows.first).to_have_value("the quick brown fox jumps over")
            return desk
    pytest.fail("no clip is left")


# ---- sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["Escape", "Alt+k"])
def test_sound_starts_and_stops_while_typing(desk: Desk, key: str) -> None:
    desk.write(" abc")
    desk.press(key)
    desk.until(lambda: desk.is_playing and desk.time_s > 0.2, "plays")
    desk.press(key)
    desk.until(lambda: not desk.is_playing, "pauses")
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over abc")


def test_two_seconds_back_and_forth(desk: Desk) -> None:
    desk.write("")
    desk.press("Alt+l")
    desk.until(lambda: desk.time_s == 2.0, "2 s")
    desk.press("Alt+l")
    desk.until(lambda: desk.time_s == 4.0, "4 s")
    desk.press("Alt+j")
    desk.until(lambda: desk.time_s == 2.0, "back at 2 s")


def test_speed_stays_between_half_and_double(desk: Desk) -> None:
    desk.write("")
    rate = desk.find(".wb-rate")
    desk.press("Alt+ArrowUp")
    expect(rate).to_have_text("1.25×")
    desk.press(*["Alt+ArrowUp"] * 6)
    expect(rate).to_have_text("2×")
    desk.press(*["Alt+ArrowDown"] * 9)
    expect(rate).to_have_text("0.5×")
    assert desk.find("audio").evaluate("audio => audio.preservesPitch")


def test_a_segment_loops_until_the_key_is_pressed_again(desk: Desk) -> None:
    desk.write("", row=1)
    desk.press("Alt+r")
    expect(desk.find(".wb-loop")).to_have_attribute("aria-pressed", "true")
    desk.until(lambda: desk.time_s > 4.2, "plays to the end of the segment")
    desk.until(lambda: 2.3 < desk.time_s < 3.5, "starts the segment again")
    desk.press("Alt+r", "Escape")
    expect(desk.find(".wb-loop")).to_have_attribute("aria-pressed", "false")


def test_a_clicked_word_is_a_played_word(desk: Desk) -> None:
    # The third row begins with the 13th word.
    desk.rows.nth(2).click(position={"x": 14, "y": 15})
    desk.until(lambda: desk.is_playing and desk.time_s >= 4.8, "plays from the third row")
    expect(desk.find(".wb-now")).to_be_visible()


def test_a_click_on_the_waveform_seeks(desk: Desk) -> None:
    wave = desk.find(".wb-wave")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] / 2, "y": 40})
    length = float(wave.get_attribute("aria-valuemax") or 0)
    desk.until(lambda: abs(desk.time_s - length / 2) < 0.2, "half way")


# ---- text -------------------------------------------------------------------------------------


def test_the_next_doubtful_word_is_selected_and_played(desk: Desk) -> None:
    desk.rows.first.focus()
    desk.press("Home")
    found = []
    for _ in range(3):
        desk.press("Alt+n")
        found.append(desk.selected())
    assert found == ["brown", "over", "dog"]
    desk.until(lambda: desk.is_playing, "plays it")
    desk.press("Alt+Shift+n")
    assert desk.selected() == "over"


def test_typing_fast_loses_nothing_and_reruns_nothing(desk: Desk) -> None:
    letters = random.Random(7).choices(  # noqa: S311 - letters to type
        "abcdefghijklmnopqrstuvwxyz  cr?.,'äß", k=600
    )
    typed = " " + "".join(letters)
    desk.page.evaluate("window.mark = 'same page'")
    desk.write(typed, delay_ms=1000 / 30)
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over" + typed)
    expect(desk.state).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))
    assert desk.page.evaluate("window.mark") == "same page"
    assert desk.page.evaluate("document.querySelectorAll('dialog, [role=dialog]').length") == 0


def test_undo_and_redo_know_no_limit(desk: Desk) -> None:
    for row, text in ((0, " one two three"), (1, " four five")):
        desk.write(text, row=row)
    before = [desk.rows.nth(row).input_value() for row in (0, 1)]
    desk.press(*["Control+z"] * 40)
    expect(desk.rows.nth(0)).to_have_value("the quick brown fox jumps over")
    expect(desk.rows.nth(1)).to_have_value("the lazy dog and runs away")
    desk.press(*["Control+Shift+z"] * 40)
    assert [desk.rows.nth(row).input_value() for row in (0, 1)] == before


def test_words_that_nobody_touched_keep_their_time_and_their_mark(desk: Desk) -> None:
    marks = desk.find(".wb-row >> nth=0 >> span[data-doubt]")
    expect(marks).to_have_text(["brown", "over"])
    desk.rows.first.focus()
    desk.press("Home")
    desk.page.keyboard.type("well now ")
    expect(marks).to_have_text(["brown", "over"])
    desk.press("Alt+n")
    desk.until(lambda: desk.time_s >= 0.4, "plays shortly before “brown” at 0.8 s")
    desk.page.keyboard.type("red")
    expect(marks).to_have_text(["over"])


def test_pasted_line_breaks_become_blanks(desk: Desk) -> None:
    desk.rows.first.focus()
    desk.press("End")
    desk.page.evaluate("document.execCommand('insertText', false, ' one\\ntwo\\r\\nthree')")
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over one two three")


def test_marks_can_be_switched_off(desk: Desk) -> None:
    expect(desk.find("span[data-doubt]").first).to_be_visible()
    desk.find(".wb-threshold").select_option("2")
    expect(desk.find("span[data-doubt]")).to_have_count(0)


def test_the_cheat_sheet_opens_while_typing_and_by_question_mark_outside(desk: Desk) -> None:
    sheet = desk.find(".wb-help")
    desk.write("?")
    expect(sheet).to_be_hidden()
    desk.press("Alt+h")
    expect(sheet).to_be_visible()
    desk.press("Escape")
    expect(sheet).to_be_hidden()
    desk.find(".wb-wave").focus()
    desk.press("?")
    expect(sheet).to_be_visible()


# ---- drafts -----------------------------------------------------------------------------------


def test_a_reload_in_the_middle_of_a_word_brings_text_and_caret_back(desk: Desk) -> None:
    desk.press("Alt+l")
    desk.write(" unfinis", row=1)
    typed = desk.rows.nth(1).input_value()
    desk.page.reload()
    expect(desk.rows.nth(1)).to_have_value(typed)
    expect(desk.rows.nth(1)).to_be_focused()
    desk.until(lambda: desk.time_s == 2.0, "position is back")
    desk.page.keyboard.type("hed")
    expect(desk.rows.nth(1)).to_have_value(typed + "hed")


def test_a_draft_is_there_in_another_browser(desk: Desk, launch: Callable[..., Page]) -> None:
    desk.write(" typed here")
    expect(desk.state).to_have_text(re.compile("^Saved"))
    clip_id = desk.page.url.split("clip=")[1]
    desk.page.close()
    elsewhere = Desk(launch(), desk.server, desk.reviewer).open(clip_id)
    expect(elsewhere.rows.first).to_have_value("the quick brown fox jumps over typed here")


# ---- verdicts ---------------------------------------------------------------------------------


def test_save_and_next_says_what_was_true_and_plays_the_next_clip(desk: Desk) -> None:
    name = desk.name.inner_text()
    desk.write(" today")
    desk.press("Control+Enter")
    expect(desk.result).to_have_text(
        re.compile(r"^Predicted \d+ % \(\d+–\d+ %\), actual 7 %: 1 wrong word: today missing$")
    )
    expect(desk.name).not_to_have_text(name)
    desk.until(lambda: desk.is_playing, "the next clip plays by itself")
    expect(desk.rows.first).to_be_focused()
    desk.find("[data-do=reopen]").click()
    expect(desk.name).to_have_text(name)
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over today")


def test_accept_takes_the_hypothesis_and_asks_before_it_drops_an_edit(desk: Desk) -> None:
    name = desk.name.inner_text()
    desk.write(" oops")
    desk.press("Alt+a")
    asked = re.compile("^You changed the text")
    expect(desk.state).to_have_text(asked)
    # The draft is saved by now: the question is still there to be read.
    desk.page.wait_for_timeout(1_500)
    assert asked.match(desk.state.inner_text())
    desk.press("Alt+a")
    expect(desk.result).to_contain_text("every word was right")
    expect(desk.name).not_to_have_text(name)


def test_reject_is_one_key_and_a_digit(desk: Desk) -> None:
    desk.write("")
    desk.press("Alt+x", "2")
    expect(desk.result).to_have_text("Rejected: No speech.")


def test_reject_for_another_reason_asks_which(desk: Desk) -> None:
    desk.write("")
    desk.press("Alt+x", "6")
    desk.page.keyboard.type("2 people laugh")
    desk.press("Enter")
    expect(desk.result).to_have_text("Rejected: Other (2 people laugh).")


def test_escape_leaves_the_reasons_without_rejecting(desk: Desk) -> None:
    desk.write("")
    desk.press("Alt+x")
    expect(desk.find(".wb-bar")).to_be_visible()
    desk.press("Escape")
    expect(desk.find(".wb-bar")).to_be_hidden()
    expect(desk.rows.first).to_be_focused()
    assert not desk.is_playing


def test_a_skipped_clip_stays_in_the_queue_with_its_draft(desk: Desk) -> None:
    name, clip_id = desk.name.inner_text(), desk.page.url.split("clip=")[1]
    desk.write(" half done")
    desk.press("Alt+s")
    expect(desk.name).not_to_have_text(name)
    desk.open(clip_id)
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over half done")


def test_markup_in_names_and_transcripts_stays_text(
    busy: tuple[Server, list[str]], launch: Callable[..., Page]
) -> None:
    server, ids = busy
    desk = Desk(launch(), server, "careful").open(ids[-1])
    expect(desk.name).to_contain_text("<img src=x onerror=window.pwned=1>")
    expect(desk.rows.first).to_have_value(
        "<script>window.pwned=1</script> <b>bold</b> &amp; **x** $y$ :smile:"
    )
    desk.write(" <img src=x onerror=window.pwned=1>")
    desk.press("Control+Enter")
    expect(desk.result).to_be_visible()
    assert desk.page.evaluate("window.pwned") is None
    assert desk.find(":is(img, script, b)").count() == 0
