"""Which share of the clips two people review."""

import streamlit as st

from ui.identity import acting_person
from workbench import preferences
from workbench.runtime import Runtime

__all__ = ["show_double_review"]

_KEY = "review.double_share"


def show_double_review(runtime: Runtime) -> None:
    """Choose the share; it holds for clips whose first review is saved from now on."""
    current = round(100 * preferences.get(runtime).review.double_share)
    chosen = st.slider(
        "Share of the reviewed clips that a second person reviews without seeing the first text",
        min_value=0,
        max_value=100,
        value=current,
        step=5,
        format="%d %%",
        key="settings.double",
        help="How far two people agree stands on the quality page; where they differ, a lead "
        "decides on the adjudicate page.",
    )
    if st.button("Use this share", key="settings.double.save", disabled=chosen == current):
        preferences.set(runtime, _KEY, chosen / 100, acting_person(runtime))
        st.rerun()
