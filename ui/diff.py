"""Two texts as one: what was written, what was said, and how each wrong word is wrong."""

import html
from collections.abc import Sequence

import streamlit as st

from qe_core.wer import AlignedWord

__all__ = ["diff_html", "show_diff", "show_legend"]

# Every kind has a letter and a line of its own; colours (Okabe and Ito's) only help.
_STYLES = {
    "substitution": ("S", "rgba(213, 94, 0, .18)", "solid"),
    "deletion": ("D", "rgba(0, 114, 178, .18)", "double"),
    "insertion": ("I", "rgba(204, 121, 167, .28)", "dashed"),
}
_BOX = (
    "background:{colour};border-bottom:2px {line} currentColor;border-radius:3px;"
    "padding:0 .2em;white-space:nowrap"
)
_LETTER = "font-size:.65em;font-weight:600;vertical-align:super;margin-left:.15em"


def show_diff(alignment: Sequence[AlignedWord]) -> None:
    """Show an alignment as running text.

    Args:
        alignment: reference against hypothesis, word by word
    """
    st.html(f'<div dir="auto" style="line-height:1.9">{diff_html(alignment)}</div>')


def show_legend(
    written: str = "written",
    said: str = "said",
    *,
    missing: str = "missing",
    too_many: str = "too many",
) -> None:
    """Explain the marks.

    Args:
        written: what the struck-out words are
        said: what stands in their place
        missing: what a word means that stands in the second text alone
        too_many: what a word means that stands in the first text alone
    """
    st.html(
        '<div style="font-size:.85em;opacity:.85">'
        f"{_box('substitution', f'<del>{html.escape(written)}</del> {html.escape(said)}')} "
        "another word &nbsp; "
        f"{_box('deletion', f'+{html.escape(said)}')} {html.escape(missing)} &nbsp; "
        f"{_box('insertion', f'<del>{html.escape(written)}</del>')} {html.escape(too_many)}</div>"
    )


def diff_html(alignment: Sequence[AlignedWord]) -> str:
    """An alignment as HTML whose marks do not depend on colour.

    Examples:
        >>> from qe_core.wer import align
        >>> diff_html(align("one", "one"))
        'one'
        >>> "<del>too</del> two" in diff_html(align("two", "too"))
        True
    """
    return " ".join(_word(word) for word in alignment)


def _word(word: AlignedWord) -> str:
    said, written = html.escape(word.reference or ""), html.escape(word.hypothesis or "")
    if word.operation == "hit":
        return said
    shown = {
        "substitution": f"<del>{written}</del> {said}",
        "deletion": f"+{said}",
        "insertion": f"<del>{written}</del>",
    }[word.operation]
    return _box(word.operation, shown)


def _box(operation: str, shown: str) -> str:
    letter, colour, line = _STYLES[operation]
    style = _BOX.format(colour=colour, line=line)
    return f'<span style="{style}">{shown}<span style="{_LETTER}">{letter}</span></span>'
