"""Which recogniser writes the hypotheses from now on."""

import streamlit as st

from qe_core.asr.whisper import DEMO_MODEL
from ui.engine_note import is_loading, show_engine_note
from ui.identity import acting_person
from ui.resources import load_engine
from workbench import preferences
from workbench.runtime import Runtime

__all__ = ["show_engine"]

_NAMES = {
    "auto": "Automatic: Whisper if its model is there, otherwise PocketSphinx",
    "whisper": "Whisper: needs a model on this machine or internet access once",
    "pocketsphinx": "PocketSphinx: built in, rough",
    f"whisper:{DEMO_MODEL}": "Whisper demonstration model: built in, knows a few hundred words",
}
_REFRESH_S = 1.0


def show_engine(runtime: Runtime) -> None:
    """Choose the engine and the Whisper model; say what came of it."""
    st.fragment(_show_note, run_every=_REFRESH_S if is_loading(runtime) else None)(runtime)
    current = preferences.get(runtime).engine
    name, _, model = current.name.partition(":")
    if current.name in _NAMES:
        name, model = current.name, ""
    with st.form("settings.engine", border=False):
        left, right = st.columns(2)
        chosen = left.selectbox(
            "Engine",
            list(_NAMES),
            index=list(_NAMES).index(name) if name in _NAMES else 0,
            format_func=_NAMES.__getitem__,
            key="settings.engine.name",
        )
        whisper = right.text_input(
            "Whisper model: a size such as base, or a folder",
            value=model or current.whisper_model,
            key="settings.engine.whisper",
        )
        if st.form_submit_button("Use this engine", key="settings.engine.save"):
            actor = acting_person(runtime)
            preferences.set(runtime, "engine.whisper_model", whisper.strip(), actor)
            preferences.set(runtime, "engine.name", chosen, actor)
            load_engine(runtime)
            st.rerun()
    st.caption("New clips are written by this engine. Clips that are here keep their hypothesis.")


def _show_note(runtime: Runtime) -> None:
    show_engine_note(runtime)
