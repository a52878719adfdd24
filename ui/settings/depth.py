"""How much is looked at before an estimate, what that costs, and clips that were looked at less."""

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from qe_core.features import Depth
from ui.formats import clock, counted, percent, plain, when
from ui.identity import acting_person
from ui.messages import show_error
from workbench import look_again, preferences, worker
from workbench.look_again import LOOK_AGAIN, Depths
from workbench.runtime import Runtime
from workbench.worker import JobStatus

__all__ = ["show_depth"]

_KEY = "quality.depth"
_REFRESH_S = 1.0
_MOST_AT_ONCE = 1000
_ACTIVE = frozenset({"queued", "running"})
_DEPTHS: Mapping[Depth, str] = MappingProxyType(
    {
        "fast": "The transcript only: confidences, scores, how the words cover the speech. Costs "
        "next to nothing.",
        "standard": "The sound, too: noise, level, band, room, pitch, syllables. About 1 ms of CPU "
        "time per second of audio.",
        "thorough": "What a second recogniser makes of the clip, too; the desk shows where the two "
        "differ. English only. About 100 ms more per second of audio: six minutes for an hour.",
    }
)


def show_depth(runtime: Runtime) -> None:
    """Choose the depth, say which model makes use of it, and offer to look at clips again."""
    found = look_again.depths(runtime)
    names = list(_DEPTHS)
    chosen = st.radio(
        "What is looked at before the errors of a clip are estimated",
        names,
        index=names.index(found.chosen),
        format_func=str.capitalize,
        captions=list(_DEPTHS.values()),
        key="settings.depth",
    )
    if st.button("Use this depth", key="settings.depth.save", disabled=chosen == found.chosen):
        preferences.set(runtime, _KEY, chosen, acting_person(runtime))
        st.rerun()
    if chosen != found.chosen:
        st.caption(
            "It holds from the next clip on. Clips that are here keep their estimates until you "
            "look at them again. Drift compares clips of one depth and begins a new baseline."
        )
        return
    st.caption(_use_of(found))
    _show_clips(runtime, found)


def _use_of(found: Depths) -> str:
    if found.serving == found.chosen:
        return f"The quality model in use looks at all of depth {found.chosen}."
    if found.computed != found.chosen:
        return (
            f"The quality model in use needs depth {found.serving}, so that is computed. No model "
            f"for this recogniser does with depth {found.chosen}."
        )
    begins = f"No quality model of depth {found.chosen} serves: the one in use looks at "
    if found.training == found.chosen:
        return (
            f"{begins}depth {found.serving}. What {found.chosen} computes is kept for the next "
            "training, which looks at all of it."
        )
    return (
        f"{begins}depth {found.serving}. What {found.chosen} computes is kept with every clip and "
        f"shown on the desk; trainings stay at {found.training} until Werkbench has examples of "
        f"depth {found.chosen} for this recogniser."
    )


def _show_clips(runtime: Runtime, found: Depths) -> None:
    is_busy = any(job.state in _ACTIVE for job in _jobs(runtime))
    if not is_busy:
        _offer(runtime, found)
    st.fragment(_show_progress, run_every=_REFRESH_S if is_busy else None)(
        runtime, is_polling=is_busy
    )


def _offer(runtime: Runtime, found: Depths) -> None:
    most = st.session_state.get("settings.again.limit") or _MOST_AT_ONCE
    waiting = look_again.backlog(runtime, most)
    if not waiting.num_clips:
        st.caption(
            "All clips of this recogniser that wait for review were estimated by the model in use, "
            f"at depth {found.computed} or deeper; no corrected one lacks features."
        )
        return
    st.markdown(
        f"**{waiting.num_clips:,} clips**, waiting for review or audited, have an estimate from "
        "another depth or by another model, or are corrected and lack features to learn from."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "At most so many, those with the most errors per second first",
            min_value=1,
            max_value=100_000,
            value=_MOST_AT_ONCE,
            step=100,
            key="settings.again.limit",
            width=340,
        )
        if st.button(
            f"Look again at {counted(waiting.num_taken, 'clip')} at this depth",
            key="settings.again",
            icon=":material/manage_search:",
        ):
            look_again.start(runtime, most, acting_person(runtime))
            st.rerun()
    st.caption(
        f"{clock(waiting.duration_s)} of audio, about {clock(max(1.0, waiting.cost_s))} of "
        "computing beside the work on new clips. Nothing is transcribed again, and former "
        "estimates stay in the database."
    )


def _show_progress(runtime: Runtime, *, is_polling: bool) -> None:
    jobs = _jobs(runtime)
    active = [job for job in jobs if job.state in _ACTIVE]
    if is_polling and not active:
        st.rerun()  # the whole page, with what is left to look at
    for job in active:
        step = "queued" if job.state == "queued" else plain(job.stage)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.progress, f"Clips in the queue: {step} {percent(job.progress)}")
            if st.button("Stop", key="settings.again.stop"):
                look_again.stop(runtime, acting_person(runtime))
    if active:
        return
    if jobs and jobs[-1].state == "failed":
        show_error(jobs[-1].error or "Looking again failed.", jobs[-1].suggestion or "")
    _show_latest(runtime)


def _show_latest(runtime: Runtime) -> None:
    latest = look_again.latest(runtime)
    if latest is None:
        return
    done = latest.payload
    text = (
        f"Last: {counted(done['num_clips'], 'clip')} at depth {done['depth']}, "
        f"{when(latest.created_at)}."
    )
    if done["num_failed"]:
        text += f" {done['num_failed']:,} kept their former estimate. {plain(done['error'])}"
    st.caption(text)


def _jobs(runtime: Runtime) -> list[JobStatus]:
    return [job for job in worker.progress(runtime) if job.kind == LOOK_AGAIN]
