"""The live microphone: streamlit-webrtc in, level and elapsed time out, a clip when it stops."""

from collections.abc import Callable
from typing import BinaryIO

import streamlit as st
from streamlit_webrtc import WebRtcMode, create_audio_sink_track, webrtc_streamer
from streamlit_webrtc.config import Translations

from qe_core.config import Settings
from ui import state
from ui.formats import clock
from ui.messages import show_error
from ui.microphone import SILENCE_DBFS, Recorder, RecorderView

__all__ = ["show_live_microphone"]

_REFRESH_S = 0.5
_LABELS: Translations = {
    "start": "Start recording",
    "stop": "Stop and save",
    "select_device": "Choose microphone",
}


def show_live_microphone(settings: Settings, save: Callable[[BinaryIO], object]) -> None:
    """Record from the browser's microphone and save what was recorded when it stops.

    Args:
        settings: the servers that help across networks, the longest recording, the data folder
        save: takes the finished WAV file on a thread of its own
    """
    recorder = _current_recorder(settings, save)
    context = webrtc_streamer(
        key="intake.live",
        mode=WebRtcMode.SENDONLY,
        rtc_configuration={"iceServers": _ice_servers(settings)},
        media_stream_constraints={"audio": True, "video": False},
        sink_audio_track=create_audio_sink_track(
            recorder.take, key="intake.live.sink", on_ended=recorder.finish
        ),
        media_toggle_controls=False,
        translations=_LABELS,
    )
    is_active = context.state.playing or recorder.view.state in {"recording", "saving"}
    st.fragment(_show_meter, run_every=_REFRESH_S if is_active else None)(recorder)


def _ice_servers(settings: Settings) -> list[dict[str, str]]:
    """In the browser's own words; an empty list means that no server is asked."""
    servers = []
    for server in settings.microphone.ice_servers:
        entry = {"urls": server.urls}
        if server.username is not None and server.credential is not None:
            entry["username"] = server.username
            entry["credential"] = server.credential.get_secret_value()
        servers.append(entry)
    return servers


def _current_recorder(settings: Settings, save: Callable[[BinaryIO], object]) -> Recorder:
    """The recorder of this tab; a new one for every recording."""
    recorder: Recorder | None = st.session_state.get(state.RECORDER)
    if recorder is None or recorder.view.is_over:
        st.session_state[state.LAST_RECORDING] = recorder and recorder.view
        recorder = Recorder(
            save, folder=settings.data_dir, max_duration_s=settings.audio.max_duration_s
        )
        st.session_state[state.RECORDER] = recorder
    return recorder


def _show_meter(recorder: Recorder) -> None:
    view = recorder.view
    if view.is_over:
        st.rerun()
    if view.state == "waiting":
        _show_last(st.session_state[state.LAST_RECORDING])
        return
    level = 1 - view.level_dbfs / SILENCE_DBFS
    what = "Saving" if view.state == "saving" else "Recording"
    st.progress(level, f"{what}: {clock(view.elapsed_s)}, level {view.level_dbfs:.0f} dBFS")


def _show_last(view: RecorderView | None) -> None:
    if view is None:
        st.caption("What is recorded becomes a clip when you stop, or when this page is closed.")
    elif view.error is not None:
        show_error(view.error.message, view.error.suggestion)
    elif view.state == "failed":
        show_error(
            "The recording is empty: no sound arrived from the browser.",
            "Choose another microphone, or use the browser recorder beside this one.",
        )
    else:
        st.caption(f"Saved {clock(view.elapsed_s)} as a clip.")
