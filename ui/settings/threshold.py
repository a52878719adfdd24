"""From which predicted WER a clip is flagged, and what that means for the work."""

import streamlit as st

from ui.formats import clock, percent
from ui.identity import acting_person
from workbench import preferences, thresholds
from workbench.runtime import Runtime

__all__ = ["show_threshold"]

_KEY = "review.threshold"
_MAX_PERCENT = 150


def show_threshold(runtime: Runtime) -> None:
    """Let the reviewer try thresholds, see what each would flag, and choose one."""
    current = preferences.get(runtime).review.threshold
    chosen = st.slider(
        "Flag clips with a predicted WER of at least",
        min_value=0,
        max_value=_MAX_PERCENT,
        value=min(round(100 * current), _MAX_PERCENT),
        format="%d %%",
        key="settings.threshold",
    )
    found = thresholds.effect(runtime, chosen / 100)
    if found.num_clips:
        caught = (
            f", with {percent(found.expected_share)} of all expected errors"
            if found.expected_share is not None
            else ""
        )
        st.markdown(
            f"At {chosen} %: **{found.num_flagged} of {found.num_clips} clips flagged**, "
            f"{clock(found.flagged_s)} of {clock(found.duration_s)} to review{caught}."
        )
    else:
        st.caption("With the first clips, this says what the threshold means for the work.")
    is_new = chosen != round(100 * current)
    if st.button("Use this threshold", key="settings.threshold.save", disabled=not is_new):
        preferences.set(runtime, _KEY, chosen / 100, acting_person(runtime))
        st.rerun()
