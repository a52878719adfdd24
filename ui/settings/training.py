"""Learning from corrections: what there is to learn from, the button, the progress."""

import streamlit as st

from ui.formats import percent, plain
from ui.identity import acting_person
from ui.messages import show_error
from workbench import retrain, worker
from workbench.retrain import LeftOut
from workbench.runtime import Runtime
from workbench.worker import JobStatus

__all__ = ["show_training"]

_KINDS = {"retrain": "Training", "reestimate": "Estimating all clips again"}
_REFRESH_S = 1.0


def show_training(runtime: Runtime) -> None:
    """Show what a training would learn from, start it, and follow it."""
    if runtime.loaded_engine() is None:
        st.caption("The recogniser is loading; training needs it.")
        return
    # Looked up once: a training that ends in between must not leave the button switched off.
    is_busy = any(job.state in {"queued", "running"} for job in _jobs(runtime))
    ready = retrain.readiness(runtime)
    st.markdown(
        f"**{ready.num_new} new corrections** since the champion was trained; "
        f"the gate asks for {ready.num_needed}."
    )
    if ready.left_out.total:
        st.caption(f"Not usable: {_left_out(ready.left_out)}.")
    if st.button(
        "Retrain",
        key="settings.retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=is_busy,
    ):
        retrain.start(runtime, acting_person(runtime))
        st.rerun()
    st.fragment(_show_progress, run_every=_REFRESH_S if is_busy else None)(
        runtime, is_polling=is_busy
    )


def _show_progress(runtime: Runtime, *, is_polling: bool) -> None:
    jobs = _jobs(runtime)
    active = [job for job in jobs if job.state in {"queued", "running"}]
    if is_polling and not active:
        st.rerun()  # the whole page, with the new version in its table
    for job in active:
        step = "queued" if job.state == "queued" else plain(job.stage)
        st.progress(job.progress, f"{_KINDS[job.kind]}: {step} {percent(job.progress)}")
    trainings = [job for job in jobs if job.kind == "retrain"]
    if trainings and trainings[-1].state == "failed":
        failed = trainings[-1]
        show_error(failed.error or "The training failed.", failed.suggestion or "")


def _jobs(runtime: Runtime) -> list[JobStatus]:
    return [job for job in worker.progress(runtime) if job.kind in _KINDS]


def _left_out(left_out: LeftOut) -> str:
    counts = {
        "rejected": left_out.num_rejected,
        "empty": left_out.num_empty,
        "by another engine": left_out.num_other_engine,
        "judged under another normaliser": left_out.num_other_normaliser,
        "with features of another schema": left_out.num_other_features,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
