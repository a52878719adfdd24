"""Library: every clip, searched, filtered, sorted, opened."""

from pathlib import Path

import streamlit as st

from ui.clip_facts import show_facts
from ui.clip_filters import show_filters
from ui.clip_history import show_history
from ui.clip_table import CLIP_COLUMNS, clip_table
from ui.clip_view import show_clip
from ui.formats import plain
from ui.identity import acting_person
from ui.messages import shown_errors
from ui.resources import open_runtime
from ui.state import CLIP
from workbench import library
from workbench.library import ClipRow
from workbench.runtime import Runtime

_REVIEW = Path(__file__).with_name("review.py")
_INTAKE = Path(__file__).with_name("intake.py")
_ROWS_PER_PAGE = 15
_PAGE = "library.page"
_NONE_YET = "No clips yet. Take some audio in."
_NONE_FITS = "No clip fits. Change the search, or take some audio in."


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
    filters = show_filters(_to_first_page)
    slot = st.container()
    number = st.session_state.get(_PAGE, 1)
    found = library.search(
        runtime,
        text=filters.text,
        flagged=filters.flagged,
        reviewed=filters.reviewed,
        source=filters.source,
        sort=filters.sort,
        limit=_ROWS_PER_PAGE,
        offset=(number - 1) * _ROWS_PER_PAGE,
        viewer=acting_person(runtime),
    )
    num_pages = -(-found.total // _ROWS_PER_PAGE)
    if num_pages > 1:
        st.pagination(num_pages, key=_PAGE, persist_state="session")
    with slot:
        if found.rows:
            st.caption(
                f"{found.total:,} clip{'' if found.total == 1 else 's'}. Choose a row to open it."
            )
            _show_table(found.rows)
        else:
            st.info(_NONE_YET if filters.is_empty else _NONE_FITS)
            st.page_link(_INTAKE, label="Go to intake", icon=":material/input:")


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
    details = library.details(runtime, clip_id, acting_person(runtime))
    st.subheader(plain(details.clip.file_name), anchor=False)
    show_clip(details, key="library")
    show_history(runtime, clip_id, key="library.history")
    show_facts(details)


_show_page()
