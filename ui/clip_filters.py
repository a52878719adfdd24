"""What narrows and orders the list of clips."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from storage.repositories.search import Sort

__all__ = ["ClipFilters", "show_filters"]

T = TypeVar("T")

_ANY = "All"
_FLAGGED = {_ANY: None, "Flagged": True, "Not flagged": False}
_REVIEWED = {_ANY: None, "Reviewed": True, "Not reviewed": False}
_SOURCES = {
    _ANY: None,
    "Upload": "upload",
    "Microphone": "microphone",
    "API": "api",
    "Folder": "folder",
    "Sample": "sample",
}
_SORTS: dict[str, Sort] = {
    "Newest first": "newest",
    "Oldest first": "oldest",
    "Worst predicted first": "worst",
    "Longest first": "longest",
    "By name": "name",
}


@dataclass(frozen=True, slots=True)
class ClipFilters:
    """What somebody asks for; ``None`` leaves it open."""

    text: str
    flagged: bool | None
    reviewed: bool | None
    source: str | None
    sort: Sort

    @property
    def is_empty(self) -> bool:
        """Whether every clip passes."""
        return (self.text, self.flagged, self.reviewed, self.source) == ("", None, None, None)


def show_filters(on_change: Callable[[], None]) -> ClipFilters:
    """Show the filters in one row and return what they are set to.

    Args:
        on_change: called when one of them changes, e.g. to go back to the first page
    """
    columns = st.columns([4, 2, 2, 2, 3])
    text = columns[0].text_input(
        "Search names and texts",
        key="library.text",
        on_change=on_change,
        persist_state="session",
    )

    def choice(column: DeltaGenerator, label: str, options: dict[str, T]) -> T:
        chosen = column.selectbox(
            label,
            list(options),
            key=f"library.{label.lower()}",
            on_change=on_change,
            persist_state="session",
        )
        return options[chosen]

    return ClipFilters(
        text=text or "",
        flagged=choice(columns[1], "Flag", _FLAGGED),
        reviewed=choice(columns[2], "Review", _REVIEWED),
        source=choice(columns[3], "Source", _SOURCES),
        sort=choice(columns[4], "Order", _SORTS),
    )
