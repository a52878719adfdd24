"""Learning from corrections: what there is to learn from, the button, the progress."""

from dataclasses import asdict

import streamlit as st

from ui.formats import counted, percent, plain
from ui.identity import acting_person
from ui.messages import show_error
from ui.settings.adaptation import show_cold_start
from ui.settings.left_out import left_out_text
from workbench import challengers, cold_start, preferences, retrain, shadow, worker
from workbench.runtime import Runtime
from workbench.worker import JobStatus

__all__ = ["show_training"]

_KINDS = {
    "retrain": "Training",
    "adapt": "Adapting",
    "reestimate": "Estimating all clips again",
}
_REFRESH_S = 1.0


def show_training(runtime: Runtime) -> None:
    """Show what a training would learn from, start it, and follow it."""
    if runtime.loaded_engine() is None:
        st.caption("The recogniser is loading; training needs it.")
        return
    # Looked up once: a training that ends in between must not leave the button switched off.
    is_busy = any(job.state in {"queued", "running"} for job in _jobs(runtime))
    cold = cold_start.find(runtime)
    if cold is None:
        _show_own_model(runtime, is_busy=is_busy)
    else:
        show_cold_start(runtime, cold, is_busy=is_busy)
    st.caption(_when(runtime))
    st.fragment(_show_progress, run_every=_REFRESH_S if is_busy else None)(
        runtime, is_polling=is_busy
    )


def _show_own_model(runtime: Runtime, *, is_busy: bool) -> None:
    ready = retrain.readiness(runtime)
    st.markdown(
        f"New corrections since the champion was trained: **{ready.num_new}**; "
        f"the gate asks for {ready.num_needed}."
    )
    if ready.left_out.total:
        st.caption(f"Not usable: {left_out_text(asdict(ready.left_out))}.")
    if st.button(
        "Retrain",
        key="settings.retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=is_busy,
    ):
        retrain.start(runtime, acting_person(runtime))
        st.rerun()


def _when(runtime: Runtime) -> str:
    settings = preferences.get(runtime)
    retraining, quality = settings.retrain, settings.quality
    ways = []
    if retraining.schedule:
        ways.append(f"daily at {retraining.schedule}")
    if retraining.every_hours:
        ways.append(f"{retraining.every_hours:g} hours after the last one")
    if retraining.every_reviews:
        ways.append(f"after {counted(retraining.every_reviews, 'new review')}")
    begins = (
        f"Begins by itself {' or '.join(ways)}, if enough is new."
        if ways
        else "Begins only by this button."
    )
    if not shadow.is_on(quality):
        return begins
    lasts = [f"{quality.shadow_hours:g} hours"] if quality.shadow_hours else []
    lasts += [counted(quality.shadow_clips, "clip")] if quality.shadow_clips else []
    return f"{begins} What passes the gate is tried on new clips first: {' and '.join(lasts)}."


def _show_progress(runtime: Runtime, *, is_polling: bool) -> None:
    jobs = _jobs(runtime)
    active = [job for job in jobs if job.state in {"queued", "running"}]
    if is_polling and not active:
        st.rerun()  # the whole page, with the new version in its table
    for job in active:
        step = "queued" if job.state == "queued" else plain(job.stage)
        st.progress(job.progress, f"{_KINDS[job.kind]}: {step} {percent(job.progress)}")
    trainings = [job for job in jobs if job.kind in challengers.KINDS]
    if trainings and trainings[-1].state == "failed":
        failed = trainings[-1]
        show_error(failed.error or "The training failed.", failed.suggestion or "")


def _jobs(runtime: Runtime) -> list[JobStatus]:
    return [job for job in worker.progress(runtime) if job.kind in _KINDS]
