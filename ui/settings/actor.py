"""Who is stored with a choice made on the settings page."""

import streamlit as st

from ui.state import REVIEWER
from workbench.runtime import Runtime

__all__ = ["acting_person"]


def acting_person(runtime: Runtime) -> str:
    """The name that the person at this browser gave on the review page, or the default one."""
    name: str = st.session_state.get(REVIEWER) or runtime.settings.review.reviewer
    return name
