"""Everything about the quality model: training, versions, depth, schedule, trial."""

import streamlit as st

from ui.messages import shown_errors
from ui.settings.depth import show_depth
from ui.settings.schedule import show_schedule, show_trial_rules
from ui.settings.training import show_training
from ui.settings.versions import show_versions
from workbench.runtime import Runtime

__all__ = ["show_quality_model"]


def show_quality_model(runtime: Runtime) -> None:
    """Show the sections of the tab; an error in one of them leaves the others."""
    for title, show in (
        ("Learning from corrections", show_training),
        ("Versions", show_versions),
        ("Depth", show_depth),
        ("Schedule", show_schedule),
        ("Trial on new clips", show_trial_rules),
    ):
        st.subheader(title)
        with shown_errors():
            show(runtime)
