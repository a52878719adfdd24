"""Who works at this browser: a name that is asked once and remembered by the browser."""

import unicodedata
from urllib.parse import unquote

import streamlit as st

from ui.state import REVIEWER

__all__ = ["ask_reviewer", "clean_name"]

# The desk writes this cookie whenever it learns who works at it (desk.js).
_COOKIE = "werkbench_reviewer"
_MAX_CHARACTERS = 60


def ask_reviewer(default: str) -> str:
    """Show the name of the person at this browser, to be changed, and return it.

    Args:
        default: name until a person gives one

    Returns:
        the name, never empty
    """
    if REVIEWER not in st.session_state:
        remembered = clean_name(unquote(st.context.cookies.get(_COOKIE, "")))
        st.session_state[REVIEWER] = remembered or default
    typed = st.text_input(
        "Your name",
        key=REVIEWER,
        max_chars=_MAX_CHARACTERS,
        persist_state="session",
        help="Stored with your reviews. Two people need two names.",
    )
    return clean_name(typed or "") or default


def clean_name(name: str) -> str:
    r"""A name without control characters and needless blanks, at most 60 characters.

    Examples:
        >>> clean_name("  Ann\n\u202eBee ")
        'Ann Bee'
    """
    visible = "".join(
        character if unicodedata.category(character)[0] != "C" else " " for character in name
    )
    return " ".join(visible.split())[:_MAX_CHARACTERS].strip()
