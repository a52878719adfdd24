"""Which recogniser writes the hypotheses, why, and how to get a better one."""

import streamlit as st

from ui.formats import plain
from ui.messages import show_error
from ui.resources import engine_problem
from workbench.runtime import Runtime

__all__ = ["is_loading", "show_engine_note"]

_GET_WHISPER = """
PocketSphinx is built in and works without a network, but it is rough: expect every third to
every second word of clean speech to be wrong. Whisper is far better.

- **With internet access** leave the engine at *auto*: Werkbench fetches the model when it starts.
- **Without**, copy a folder with a faster-whisper (CTranslate2) model to this machine, for
  example from `Systran/faster-whisper-base` on Hugging Face, and choose `whisper:<folder>` on the
  settings page.

Clips that are already here keep their hypothesis.
"""

_COLD_START = (
    "No quality model knows {engine} yet. The one for any recogniser puts its clips in order; how "
    "high it says the WER is stays rough until 30 corrections adapt it, on the settings page."
)
_WARMING_UP = (
    "The quality model for any recogniser judges {engine}. {progress}: the more, the closer."
)
_INHERITED = (
    "The quality model was made for {parent}, which {engine} was fine-tuned from. How high it says "
    "the WER is may be off until “werkbench calibrate” has fitted it to 30 reviews or a retraining "
    "has learnt from more."
)


def is_loading(runtime: Runtime) -> bool:
    """Whether the recogniser is on its way."""
    return runtime.loaded_engine() is None and engine_problem() is None


def show_engine_note(runtime: Runtime) -> None:
    """Say which engine writes the hypotheses and why; never waits for it to load."""
    problem = engine_problem()
    if problem is not None:
        show_error(problem.message, problem.suggestion)
        return
    loaded = runtime.loaded_engine()
    if loaded is None:
        st.caption("The recogniser is loading.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Hypotheses are written by {plain(loaded.why)}", width="stretch")
        if loaded.engine.name == "pocketsphinx":
            with st.popover("Get Whisper", type="tertiary", width="content"):
                st.markdown(_GET_WHISPER)
    manifest = runtime.estimator().manifest
    engine = f"{loaded.engine.name} ({loaded.engine.model})"
    parent = runtime.inherits_from()
    if parent is not None:
        st.caption(plain(_INHERITED.format(engine=engine, parent=" ".join(parent))))
    if manifest.is_cold_start:
        progress = "" if manifest.adaptation is None else manifest.adaptation.progress
        text = _WARMING_UP if progress else _COLD_START
        st.caption(plain(text.format(engine=engine, progress=progress)))
