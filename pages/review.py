"""The review desk: hear a clip, correct its text, save, and the next one plays."""

from pathlib import Path

import streamlit as st

from qe_core.config import ReviewSettings
from ui.adjudication import offer_take_over
from ui.desk import DeskSession, received_events, review_desk
from ui.desk.closing import give_back_when_closed
from ui.identity import acting_person
from ui.messages import shown_errors
from ui.queue_filter import choose_filter
from ui.resources import open_runtime
from ui.state import CLIP, REVIEW_DESK
from workbench import preferences, review
from workbench.runtime import Runtime

_PAGES = Path(__file__).parent
# The desk takes the whole window: the page's own margins would cost three rows of text.
_FULL_HEIGHT = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.9rem 1.5rem 0; }
</style>"""


def _session(runtime: Runtime, reviewer: str) -> DeskSession:
    """What this tab works on; another name gives the clip back and starts anew."""
    desk: DeskSession | None = st.session_state.get(REVIEW_DESK)
    if desk is None or desk.reviewer != reviewer:
        if desk is not None:
            desk.leave(runtime)
        desk = DeskSession(reviewer)
        st.session_state[REVIEW_DESK] = desk
    wanted = st.query_params.get(CLIP)
    if wanted is not None and wanted != desk.clip_id:
        desk.want(wanted)
    desk.refresh()
    give_back_when_closed(desk, runtime)
    return desk


@st.fragment
def _desk(runtime: Runtime, desk: DeskSession, renew_s: float) -> None:
    view = desk.step(runtime, received_events())
    review_desk(runtime, view, renew_s=renew_s)
    if view.clip_id is not None:
        st.query_params[CLIP] = view.clip_id
    elif view.problem is None:
        st.query_params.pop(CLIP, None)
        _say_what_to_do(runtime, desk)
    if view.problem is not None and view.problem.clip_id is not None:
        offer_take_over(runtime, view.problem.clip_id, desk.reviewer, desk=_PAGES / "review.py")


def _say_what_to_do(runtime: Runtime, desk: DeskSession) -> None:
    if not desk.wanted.is_empty:
        waiting = review.num_waiting(runtime)
        st.info(
            f"No clip passes the filter; {waiting} wait without it. Open “Filter” in the sidebar "
            "and clear it."
        )
    else:
        st.info(
            "Nothing waits for you. Add audio, or look at what has been saved; a clip that "
            "somebody else holds comes back when it is abandoned."
        )
    with st.container(horizontal=True):
        st.page_link(_PAGES / "intake.py", label="Add audio", icon=":material/input:")
        st.page_link(_PAGES / "library.py", label="All clips", icon=":material/folder_open:")
        st.page_link(_PAGES / "quality.py", label="Quality", icon=":material/monitoring:")
    _watch(runtime, desk)


@st.fragment(run_every="5s")
def _watch(runtime: Runtime, desk: DeskSession) -> None:
    """Somebody who waits before an empty desk gets the next clip as soon as there is one."""
    if desk.is_clip_waiting(runtime):
        st.rerun()


with shown_errors():
    st.html(_FULL_HEIGHT)
    opened = open_runtime()
    settings: ReviewSettings = preferences.get(opened).review
    with st.sidebar:
        session = _session(opened, acting_person(opened))
        session.wanted = choose_filter(opened)
    _desk(opened, session, settings.claim_s / 3)
