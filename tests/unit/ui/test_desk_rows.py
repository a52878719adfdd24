"""How a clip's text becomes rows and one line again."""

import pytest

from qe_core.types import Segment, Transcript
from ui.desk.rows import joined, rows_of


def made(*texts: str) -> Transcript:
    segments = tuple(Segment(float(n), n + 1.0, text) for n, text in enumerate(texts))
    return Transcript(segments, "en", "pocketsphinx", "en-us", "1")


def test_a_transcript_without_segments_has_one_empty_row() -> None:
    assert rows_of(made()) == [""]


def test_every_segment_is_one_row_without_line_breaks() -> None:
    assert rows_of(made("one\ntwo", " three ")) == ["one two", "three"]


def test_a_draft_with_one_line_per_row_comes_back_as_it_was() -> None:
    assert rows_of(made("one", "two"), " one  x\n") == [" one  x", ""]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("one two three four five six", ["one two three", "four five six"]),
        ("One, two three FOUR five six", ["One, two three", "FOUR five six"]),
        ("zero one two three four five six", ["zero one two three", "four five six"]),
        ("one two three four five six seven eight", ["one two three", "four five six seven eight"]),
        ("one two tree for five six", ["one two tree", "for five six"]),
        ("four five six", ["", "four five six"]),
        ("", ["", ""]),
    ],
)
def test_a_correction_in_one_line_is_laid_along_the_segments(text: str, rows: list[str]) -> None:
    assert rows_of(made("one two three", "four five six"), text) == rows


@pytest.mark.parametrize("text", ["a b c d", "x\ny\nz", "three one two", "one one one two two"])
def test_no_word_is_lost_between_text_and_rows(text: str) -> None:
    rows = rows_of(made("one two", "three four"), text)
    assert joined("\n".join(rows)) == joined(text)
