"""Which clips somebody wants to work on: the filter of the queue, in the sidebar of the desk."""

from collections.abc import Sequence

import streamlit as st

from ui.state import REVIEW_FILTER
from workbench import review
from workbench.review import QueueFilter
from workbench.runtime import Runtime

__all__ = ["choose_filter"]

_ANY = "Any"
_AGES = {
    _ANY: (None, None),
    "Last 24 hours": (None, 1.0),
    "Last 7 days": (None, 7.0),
    "Older than 7 days": (7.0, None),
    "Older than 30 days": (30.0, None),
}
_LENGTHS = {
    _ANY: (None, None),
    "Up to 10 s": (None, 10.0),
    "10 s to 1 min": (10.0, 60.0),
    "1 to 10 min": (60.0, 600.0),
    "Over 10 min": (600.0, None),
}


def choose_filter(runtime: Runtime) -> QueueFilter:
    """Show the filter and return what it is set to; by default everything passes."""
    found = review.filter_choices(runtime)
    is_flagged_only = st.toggle(
        "Flagged only", key=f"{REVIEW_FILTER}.flagged", persist_state="session"
    )
    with st.expander("Filter", key=f"{REVIEW_FILTER}.more"):
        source = _choice("Source", found.sources)
        language = _choice("Language", found.languages)
        speaker = _choice("Speaker", found.speakers)
        reason = _choice("Reason", found.reasons)
        min_age, max_age = _AGES[_choice("Age", tuple(_AGES)[1:]) or _ANY]
        shortest, longest = _LENGTHS[_choice("Length", tuple(_LENGTHS)[1:]) or _ANY]
        wanted = QueueFilter(
            source=source,
            language=language,
            speaker=speaker,
            reason=reason,
            min_age_days=min_age,
            max_age_days=max_age,
            min_duration_s=shortest,
            max_duration_s=longest,
            is_flagged_only=is_flagged_only,
        )
        if not wanted.is_empty:
            st.caption(
                f"{review.num_waiting(runtime, wanted)} of {review.num_waiting(runtime)} clips "
                "pass. What is drawn from a filter is no audit."
            )
            st.button("Clear the filter", key=f"{REVIEW_FILTER}.clear", on_click=_clear)
    return wanted


def _choice(label: str, values: Sequence[str]) -> str | None:
    """One of the values, or ``None`` for any; what no clip has any more stays chosen."""
    key = f"{REVIEW_FILTER}.{label.lower()}"
    chosen = st.session_state.get(key, _ANY)
    options = [_ANY, *values, *([chosen] if chosen not in (_ANY, *values) else [])]
    picked = st.selectbox(
        label, options, key=key, persist_state="session", disabled=len(options) == 1
    )
    return None if picked == _ANY else picked


def _clear() -> None:
    for key in [key for key in st.session_state if str(key).startswith(f"{REVIEW_FILTER}.")]:
        if key != f"{REVIEW_FILTER}.more":
            del st.session_state[key]
