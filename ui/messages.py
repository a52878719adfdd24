"""How errors are shown: what is wrong and what to do, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from qe_core.errors import WerkbenchError
from ui.formats import plain

__all__ = ["show_error", "shown_errors"]


def show_error(message: str, suggestion: str = "") -> None:
    """Show a message and what to do about it as inert text."""
    st.error(f"{plain(message)}  \n{plain(suggestion)}", icon=":material/error:")


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show a Werkbench error that is raised inside; anything else is a bug and passes."""
    try:
        yield
    except WerkbenchError as error:
        show_error(error.message, error.suggestion)
