"""Library: every clip, searched, filtered, sorted, opened."""

from pathlib import Path
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from storage.repositories.search import Sort
from ui.clip_facts import show_facts
from ui.clip_table import CLIP_COLUMNS, clip_table
from ui.clip_view import show_clip
from ui.formats import plain
from ui.messages import shown_errors
from ui.resources import open_runtime
from ui.state import CLIP
from workbench import library
from workbench.library import ClipRow
from workbench.runtime import Runtime

T = TypeVar("T")

_REVIEW = Path(__file__).with_name("review.py")
_INTAKE = Path(__file__).with_name("intake.py")
_ROWS_PER_PAGE = 15
_PAGE = "library.page"
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


def _show_page() -> None:
    st.title("Library")
    with shown_errors():
        runtime = open_runtime()
        chosen = st.query_params.get(CLIP)
        if chosen is None:
            _show_list(runtime)
        else:
            _show_details(runtime, chosen)


def _show_list(runtime: Runtime) -> None:
    columns = st.columns([4, 2, 2, 2, 3])
    text = columns[0].text_input(
        "Search names and texts",
        key="library.text",
        on_change=_to_first_page,
        persist_state="session",
    )
    flagged = _choice(columns[1], "Flag", _FLAGGED)
    reviewed = _choice(columns[2], "Review", _REVIEWED)
    source = _choice(columns[3], "Source", _SOURCES)
    sort = _choice(columns[4], "Order", _SORTS)
    slot = st.container()
    number = st.session_state.get(_PAGE, 1)
    found = library.search(
        runtime,
        text=text,
        flagged=flagged,
        reviewed=reviewed,
        source=source,
        sort=sort,
        limit=_ROWS_PER_PAGE,
        offset=(number - 1) * _ROWS_PER_PAGE,
    )
    num_pages = -(-found.total // _ROWS_PER_PAGE)
    if num_pages > 1:
        st.pagination(num_pages, key=_PAGE, persist_state="session")
    with slot:
        if found.rows:
            st.caption(f"{found.total} clips. Choose a row to open it.")
            _show_table(found.rows)
        else:
            st.info("No clip fits. Change the search, or take some audio in.")
            st.page_link(_INTAKE, label="Go to intake", icon=":material/input:")


def _choice(column: DeltaGenerator, label: str, options: dict[str, T]) -> T:
    chosen = column.selectbox(
        label,
        list(options),
        key=f"library.{label.lower()}",
        on_change=_to_first_page,
        persist_state="session",
    )
    return options[chosen]


def _to_first_page() -> None:
    st.session_state.pop(_PAGE, None)


def _show_table(rows: list[ClipRow]) -> None:
    event = st.dataframe(
        clip_table(rows),
        key="library.table",
        hide_index=True,
        height="content",
        placeholder="",
        column_config=CLIP_COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
    )
    if event["selection"]["rows"]:
        st.query_params[CLIP] = rows[event["selection"]["rows"][0]].clip_id
        st.rerun()


def _show_details(runtime: Runtime, clip_id: str) -> None:
    with st.container(horizontal=True):
        if st.button("All clips", key="library.back", icon=":material/arrow_back:"):
            del st.query_params[CLIP]
            st.rerun()
        if st.button("Review this clip", key="library.review", icon=":material/edit_note:"):
            st.switch_page(_REVIEW, query_params={CLIP: clip_id})
    details = library.details(runtime, clip_id)
    st.subheader(plain(details.clip.file_name), anchor=False)
    show_clip(details, key="library")
    show_facts(details)


_show_page()
