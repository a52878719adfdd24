"""Reading and writing on a terminal: results on stdout, everything else on stderr."""

import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qe_core.errors import WerkbenchError

__all__ = [
    "ProgressLine",
    "exit_on_error",
    "inert",
    "prepare_streams",
    "print_json",
    "print_problem",
    "print_table",
    "say",
]

EXIT_ERROR = 2
_WIDTH = 100


class ProgressLine:
    """One line on stderr that says how far something is; no terminal gets one line per step.

    Args:
        prefix: what is worked on
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = inert(prefix)
        self._last = ""
        self._is_live = sys.stderr.isatty()

    def __call__(self, share: float, step: str) -> None:
        """Show a step; ``share`` in [0, 1] is how much of it is done."""
        if self._is_live:
            line = f"{self._prefix}: {step} {share:.0%}"
            sys.stderr.write(f"\r\x1b[K{line[:_WIDTH]}")
            sys.stderr.flush()
        elif step != self._last:
            say(f"{self._prefix}: {step}")
        self._last = step

    def clear(self) -> None:
        """Make room for whatever comes next."""
        if self._is_live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def prepare_streams() -> None:
    """Write any text on any terminal: UTF-8, and escapes for what is no text (odd file names)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Tell the person at the terminal something that is no result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_problem(error: WerkbenchError) -> None:
    """Say what is wrong and what to do about it."""
    say(inert(error.message))
    say(f"  → {inert(error.suggestion)}")


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End with exit code 2 and a readable message instead of a traceback."""
    try:
        yield
    except WerkbenchError as error:
        print_problem(error)
        raise SystemExit(EXIT_ERROR) from error


def print_json(record: Any) -> None:
    """Print one JSON object on one line, at once."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns with a line under their names; the last column is as wide as it likes."""
    cells = [[inert(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(header))]
    cells.insert(1, ["─" * width for width in widths])
    # A rule as long as the longest transcript would wrap.
    cells[1][-1] = "─" * min(widths[-1], 20)
    for row in cells:
        padded = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def inert(text: str) -> str:
    r"""Text from outside without anything that a terminal would obey.

    Examples:
        >>> inert("a\x1b[31mb\nc")
        'a [31mb c'
    """
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cf"} else char for char in text)


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide
