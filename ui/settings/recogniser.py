"""The recogniser that learns from corrections: its data, the button, the progress."""

import pandas as pd
import streamlit as st

from qe_core.recogniser.dataset import REASONS, DataSet
from ui.formats import clock, percent, plain
from ui.identity import acting_person
from ui.messages import show_error
from ui.settings.recogniser_versions import show_recogniser_versions
from workbench import finetune, preferences, worker
from workbench.finetune import FINETUNE
from workbench.runtime import Runtime
from workbench.worker import JobStatus

__all__ = ["show_recogniser"]

_REFRESH_S = 1.0
_ACTIVE = frozenset({"queued", "running"})


def show_recogniser(runtime: Runtime) -> None:
    """Show what a fine-tuning would learn from, start it, follow it, and list what came of it."""
    st.markdown(
        "Corrections can improve the recogniser itself: a copy of the Whisper in use learns from "
        "them and takes over only if it writes held-out clips better, beyond chance."
    )
    if runtime.loaded_engine() is None:
        st.caption("The recogniser is loading; fine-tuning begins with it.")
    else:
        _show_training(runtime)
    # Also when the recogniser cannot be loaded: going back is the way out.
    show_recogniser_versions(runtime)


def _show_training(runtime: Runtime) -> None:
    is_busy = any(job.state in _ACTIVE for job in _jobs(runtime))
    ready = finetune.readiness(runtime)
    _show_data(ready.data)
    if ready.problem is not None:
        st.info(
            f"{plain(ready.problem.message)}  \n{plain(ready.problem.suggestion)}",
            icon=":material/info:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Fine-tune",
            key="settings.finetune",
            type="primary",
            icon=":material/model_training:",
            disabled=is_busy or ready.problem is not None,
        ):
            finetune.start(runtime, acting_person(runtime))
            st.rerun()
        if is_busy and st.button("Cancel", key="settings.finetune.cancel"):
            finetune.cancel(runtime, acting_person(runtime))
        st.caption(_when(runtime, ready.new_s))
    st.fragment(_show_progress, run_every=_REFRESH_S if is_busy else None)(
        runtime, is_polling=is_busy
    )


def _show_data(data: DataSet) -> None:
    parts = (("Training", data.train), ("Validation", data.validation), ("Test", data.test))
    st.dataframe(
        pd.DataFrame(
            {
                "Part": [name for name, _ in parts],
                "Clips": [len(clips) for _, clips in parts],
                "Audio": [clock(sum(clip.duration_s for clip in clips)) for _, clips in parts],
                "Known speakers": [
                    len({clip.speaker for clip in clips} - {None}) for _, clips in parts
                ],
            }
        ),
        key="settings.finetune.data",
        hide_index=True,
    )
    left_out = [f"{count} {REASONS[name]}" for name, count in data.left_out.items() if count]
    st.caption(
        "Accepted and corrected clips; all clips of a speaker are in one part. "
        + (f"Left out: {', '.join(left_out)}." if left_out else "Nothing is left out.")
    )


def _when(runtime: Runtime, new_s: float) -> str:
    settings = preferences.get(runtime).finetune
    ways = []
    if settings.schedule:
        ways.append(f"daily at {settings.schedule} if anything is new")
    if settings.min_new_hours:
        ways.append(f"after {settings.min_new_hours:g} hours of new audio ({clock(new_s)} so far)")
    return f"Begins by itself {' and '.join(ways)}." if ways else "Begins only by this button."


def _show_progress(runtime: Runtime, *, is_polling: bool) -> None:
    jobs = _jobs(runtime)
    active = [job for job in jobs if job.state in _ACTIVE]
    if is_polling and not active:
        st.rerun()  # the whole page, with the new version in its table
    for job in active:
        step = "queued" if job.state == "queued" else plain(job.stage)
        st.progress(job.progress, f"Fine-tuning: {step} {percent(job.progress)}")
    if jobs and jobs[-1].state == "failed":
        show_error(jobs[-1].error or "The fine-tuning failed.", jobs[-1].suggestion or "")


def _jobs(runtime: Runtime) -> list[JobStatus]:
    return [job for job in worker.progress(runtime) if job.kind == FINETUNE]
