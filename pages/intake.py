"""Intake: audio in, and what became of the latest clips."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from ui import state
from ui.clip_cards import show_cards, show_under_way
from ui.engine_note import is_loading, show_engine_note
from ui.identity import acting_person
from ui.live import show_live_microphone
from ui.messages import shown_errors
from ui.resources import open_runtime
from ui.submissions import show_notices, submit_files, submit_samples
from workbench import intake, library, worker
from workbench.runtime import Runtime

_LIBRARY = Path(__file__).with_name("library.py")
_NUM_CARDS = 10
_REFRESH_S = 1.0
_UPLOAD, _RECORD, _LIVE = "Files", "Browser recorder", "Live microphone"


def _show_page() -> None:
    st.title("Intake")
    with shown_errors():
        runtime = open_runtime()
        show_engine_note(runtime)
        _show_sources(runtime)
        show_notices(st.session_state.get(state.NOTICES, []))
        is_busy = is_loading(runtime) or _jobs_under_way(runtime) > 0
        st.fragment(_show_results, run_every=_REFRESH_S if is_busy else None)(
            runtime, is_polling=is_busy
        )


def _show_sources(runtime: Runtime) -> None:
    source = st.segmented_control(
        "Where the audio comes from",
        [_UPLOAD, _RECORD, _LIVE],
        default=_UPLOAD,
        required=True,
        key="intake.source",
        label_visibility="collapsed",
    )
    if source == _LIVE:
        save = partial(_save_recording, runtime, acting_person(runtime))
        show_live_microphone(runtime.settings, save)
        return
    turn = st.session_state.setdefault(state.UPLOADER_ROUND, 0)
    if source == _RECORD:
        recording = st.audio_input("Record with the browser", key=f"intake.recording.{turn}")
        whole, files = None, [(_recording_name(), recording)] if recording else []
    else:
        whole = st.text_input(
            "Recording (only for parts of one)",
            key="intake.whole",
            max_chars=200,
            placeholder="Call 4711",
            help="Name the call or the long file that the files below are cut from. The statistics "
            "then know that these clips resemble each other. Leave it empty for single files.",
        )
        uploads = st.file_uploader(
            "Audio or video files, any number and any length",
            accept_multiple_files=True,
            key=f"intake.files.{turn}",
        )
        files = [(upload.name, upload) for upload in uploads]
    if files:
        origin = "microphone" if source == _RECORD else "upload"
        st.session_state[state.NOTICES] = submit_files(
            runtime, files, source=origin, actor=acting_person(runtime), recording=whole
        )
        st.session_state[state.UPLOADER_ROUND] += 1
        st.session_state.pop(state.OPEN_CLIP, None)
        st.rerun()


def _recording_name() -> str:
    return f"Recording {datetime.now(UTC):%Y-%m-%d %H.%M.%S}.wav"


def _save_recording(runtime: Runtime, actor: str, file: BinaryIO) -> None:
    name = _recording_name()
    intake.submit(runtime, file, file_name=name, source="microphone", actor=actor)


def _jobs_under_way(runtime: Runtime) -> int:
    return sum(job.state in {"queued", "running"} for job in worker.progress(runtime))


def _show_results(runtime: Runtime, *, is_polling: bool) -> None:
    with shown_errors():
        if is_polling and not is_loading(runtime) and not _jobs_under_way(runtime):
            st.rerun()  # the whole page, which does not poll any more
        page = library.search(runtime, sort="newest", limit=_NUM_CARDS)
        jobs = worker.progress(runtime, [row.clip_id for row in page.rows])
        if not page.total:
            _show_first_steps(runtime)
            return
        st.subheader("Latest clips")
        show_under_way(worker.progress(runtime), [row.clip_id for row in page.rows])
        show_cards(runtime, page.rows, {job.clip_id: job for job in jobs if job.clip_id})
        if page.total > _NUM_CARDS:
            st.page_link(_LIBRARY, label=f"All {page.total} clips in the library")


def _show_first_steps(runtime: Runtime) -> None:
    with st.container(border=True):
        st.markdown("**No clips yet.** Drop files above, or try Werkbench on a few sample clips.")
        if st.button("Add the sample clips", key="intake.samples", type="primary"):
            st.session_state[state.NOTICES] = submit_samples(runtime, acting_person(runtime))
            st.rerun()


_show_page()
