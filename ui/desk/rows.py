"""One text per segment: how a clip's text is cut into the rows of the desk and joined again."""

import re
from difflib import SequenceMatcher

from qe_core.types import Transcript

__all__ = ["joined", "rows_of"]

_LINE_BREAKS = re.compile(r"[\r\n\u2028\u2029]+")


def rows_of(transcript: Transcript, text: str | None = None) -> list[str]:
    """The text of every row.

    Args:
        transcript: its segments are the rows; without any there is one row
        text: what a person made of it, ``None`` for the hypothesis itself. One line per row is
            taken as it is; any other text is laid along the segments word by word.

    Returns:
        one text per row, without line breaks

    Examples:
        >>> from qe_core.types import Segment
        >>> segments = (Segment(0.0, 1.0, "one too"), Segment(1.0, 2.0, "three"))
        >>> rows_of(Transcript(segments, "en", "e", "m", "1"), "one two three four")
        ['one two', 'three four']
    """
    hypothesis = [_one_line(segment.text).strip() for segment in transcript.segments] or [""]
    if text is None:
        return hypothesis
    lines = text.split("\n")
    if len(lines) == len(hypothesis):
        return [_one_line(line) for line in lines]
    return _laid_along(hypothesis, text.split())


def joined(text: str) -> str:
    r"""The text of all rows as one line, the form in which a correction is kept.

    Examples:
        >>> joined("one two\n\n three ")
        'one two three'
    """
    return " ".join(text.split())


def _one_line(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text)


def _laid_along(hypothesis: list[str], words: list[str]) -> list[str]:
    """Give every word to the row of the hypothesis word that it stands for."""
    row_of = [row for row, text in enumerate(hypothesis) for _ in text.split()]
    before = [word.casefold() for text in hypothesis for word in text.split()]
    after = [word.casefold() for word in words]
    rows: list[list[str]] = [[] for _ in hypothesis]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for _, start, end, first, last in matcher.get_opcodes():
        for offset, word in enumerate(words[first:last]):
            # Words beyond a shorter stretch stay with its last word, or with the word before.
            index = min(start + offset, max(end - 1, start - 1 if end == start else start))
            rows[row_of[index] if 0 <= index < len(row_of) else 0].append(word)
    return [" ".join(row) for row in rows]
