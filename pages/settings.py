"""Settings: what is flagged, which quality model serves, which engine writes."""

import streamlit as st

from ui.messages import shown_errors
from ui.resources import open_runtime
from ui.settings.configuration import show_configuration
from ui.settings.desk import show_glossary, show_keys
from ui.settings.double_review import show_double_review
from ui.settings.engine import show_engine
from ui.settings.quality_model import show_quality_model
from ui.settings.recogniser import show_recogniser
from ui.settings.threshold import show_threshold
from workbench.runtime import Runtime


def _show_page() -> None:
    st.title("Settings")
    with shown_errors():
        runtime = open_runtime()
        general, quality, recogniser = st.tabs(["General", "Quality model", "Recogniser"])
        with general:
            _show_general(runtime)
        with quality:
            show_quality_model(runtime)
        with recogniser, shown_errors():
            show_recogniser(runtime)


def _show_general(runtime: Runtime) -> None:
    st.subheader("Review threshold")
    with shown_errors():
        show_threshold(runtime)
    st.subheader("Second reviews")
    with shown_errors():
        show_double_review(runtime)
    st.subheader("Engine")
    with shown_errors():
        show_engine(runtime)
    st.subheader("Keys of the review desk")
    with shown_errors():
        show_keys(runtime)
    st.subheader("Glossary")
    with shown_errors():
        show_glossary(runtime)
    with st.expander("Effective configuration", key="settings.effective"):
        show_configuration(runtime)


_show_page()
