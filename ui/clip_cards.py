"""What became of the latest clips, one card each, from queued to ready or failed."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import streamlit as st

from ui import state
from ui.clip_history import show_history
from ui.clip_view import show_clip, show_flag
from ui.formats import clock, interval, percent, plain
from ui.messages import show_error
from workbench import library, worker
from workbench.library import ClipRow
from workbench.runtime import Runtime
from workbench.worker import JobStatus

__all__ = ["show_cards", "show_under_way"]

_REVIEW = Path(__file__).resolve().parents[1] / "pages" / "review.py"
_MAX_TEXT = 240
_STAGES = {"decoding": "Decoding", "transcribing": "Transcribing", "estimating": "Estimating"}


def show_cards(runtime: Runtime, rows: list[ClipRow], jobs: Mapping[str, JobStatus]) -> None:
    """Show a card per clip; one of them is open and shows everything.

    Args:
        runtime: the runtime
        rows: the latest clips, newest first
        jobs: what is under way or failed, by clip
    """
    opened = _opened_clip(rows, jobs)
    for row in rows:
        with st.container(border=True, key=f"card-{row.clip_id[:12]}"):
            job = jobs.get(row.clip_id)
            if job is None or _is_ready(job):
                _show_ready(runtime, row, is_open=row.clip_id == opened)
            else:
                _show_unfinished(runtime, row, job)


def show_under_way(jobs: Sequence[JobStatus], shown: Collection[str]) -> None:
    """Say how much is under way, and how far the clip is that is worked on but not shown.

    Args:
        jobs: all unfinished jobs, and some finished ones
        shown: clips that have a card of their own
    """
    active = [job for job in jobs if job.state in {"queued", "running"}]
    for job in active:
        if job.state == "running" and job.clip_id is not None and job.clip_id not in shown:
            st.progress(job.progress, f"{plain(job.file_name)}: {_stage(job)}")
    if len(active) > 1:
        st.caption(f"{len(active)} jobs are under way.")


def _stage(job: JobStatus) -> str:
    return f"{_STAGES.get(job.stage, plain(job.stage))} {percent(job.progress)}"


def _opened_clip(rows: list[ClipRow], jobs: Mapping[str, JobStatus]) -> str | None:
    """The chosen clip; until somebody chooses, the newest one as soon as it is ready."""
    if state.OPEN_CLIP in st.session_state:
        chosen: str | None = st.session_state[state.OPEN_CLIP]
        return chosen
    newest = rows[0].clip_id
    return newest if _is_ready(jobs.get(newest)) else None


def _is_ready(job: JobStatus | None) -> bool:
    return job is None or job.state == "done"


def _show_head(row: ClipRow) -> None:
    st.markdown(f"**{plain(row.file_name)}** :gray[{clock(row.duration_s)}]")


def _show_unfinished(runtime: Runtime, row: ClipRow, job: JobStatus) -> None:
    if job.state == "failed":
        _show_head(row)
        show_error(job.error or "The job failed.", job.suggestion or "")
        if st.button("Try again", key=f"intake.retry.{row.clip_id}", icon=":material/refresh:"):
            worker.retry(runtime, job.job_id)
            st.rerun()
        return
    name, progress = st.columns([1, 1], vertical_alignment="center")
    with name:
        _show_head(row)
    if job.state == "queued":
        progress.markdown(":gray[Queued]")
    else:
        progress.progress(job.progress, _stage(job))


def _show_ready(runtime: Runtime, row: ClipRow, *, is_open: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            _show_head(row)
        if not is_open:
            st.markdown(f"{percent(row.predicted_wer)} :gray[({interval(row.low, row.high)})]")
            show_flag(is_flagged=bool(row.flagged))
        if is_open and st.button(
            "Review this clip", key=f"intake.review.{row.clip_id}", icon=":material/edit_note:"
        ):
            st.switch_page(_REVIEW, query_params={state.CLIP: row.clip_id})
        st.button(
            "Close" if is_open else "Open",
            key=f"intake.open.{row.clip_id}",
            on_click=_open,
            args=(None if is_open else row.clip_id,),
        )
    if is_open:
        show_clip(library.details(runtime, row.clip_id), key="intake")
        show_history(runtime, row.clip_id, key="intake.history")
    elif row.text:
        st.text(row.text if len(row.text) <= _MAX_TEXT else f"{row.text[:_MAX_TEXT]}…")


def _open(clip_id: str | None) -> None:
    st.session_state[state.OPEN_CLIP] = clip_id
