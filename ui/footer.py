"""The status at the foot of the sidebar: who writes, who estimates, what waits."""

import streamlit as st

from ui.formats import plain
from ui.resources import open_runtime
from workbench import review
from workbench.review import QueueFilter

__all__ = ["show_footer"]


def show_footer() -> None:
    """Show engine, quality model and queue; never waits for anything to load.

    Raises:
        WerkbenchError: the installation cannot be opened
    """
    runtime = open_runtime()
    loaded = runtime.loaded_engine()
    engine = f"{loaded.engine.name} ({loaded.engine.model})" if loaded else "loading"
    waiting = review.num_waiting(runtime, QueueFilter(is_flagged_only=True))
    with st.sidebar.container(key="status", gap=None):
        st.caption(f"Engine: {plain(engine)}")
        st.caption(f"Quality model: {plain(runtime.estimator().manifest.id)}")
        st.caption(f"Flagged and waiting: {waiting}")
