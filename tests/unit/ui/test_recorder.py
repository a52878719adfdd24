"""What arrives from the microphone is what is saved."""

import io
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from qe_core.errors import AudioError
from ui.microphone import SILENCE_DBFS, Recorder, RecorderView

RATE_HZ = 48_000


def stereo_frame(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> av.AudioFrame:
    """As browsers send it: interleaved 16 bit, two channels, 48 kHz."""
    frame = av.AudioFrame.from_ndarray(
        np.repeat(samples, 2).reshape(1, -1), format="s16", layout="stereo"
    )
    frame.sample_rate = RATE_HZ
    return frame


def feed(recorder: Recorder, duration_s: float, level: float = 0.5) -> None:
    times_s = np.arange(RATE_HZ // 50) / RATE_HZ
    sound = (level * 32767 * np.sin(2 * np.pi * 400 * times_s)).astype(np.int16)
    for _ in range(round(duration_s * 50)):
        recorder.take(stereo_frame(sound))


def end(recorder: Recorder) -> RecorderView:
    recorder.finish()
    deadline = time.monotonic() + 5
    while not recorder.view.is_over and time.monotonic() < deadline:
        time.sleep(0.005)
    return recorder.view


@pytest.fixture
def saved() -> list[bytes]:
    return []


@pytest.fixture
def recorder(tmp_path: Path, saved: list[bytes]) -> Iterator[Recorder]:
    made = Recorder(lambda file: saved.append(file.read()), folder=tmp_path, max_duration_s=2.0)
    yield made
    end(made)


def test_stereo_is_saved_as_mono_at_its_own_speed(recorder: Recorder, saved: list[bytes]) -> None:
    feed(recorder, 1.0)
    assert end(recorder).state == "saved"
    with wave.open(io.BytesIO(saved[0])) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (1, RATE_HZ)
        assert sound.getnframes() == RATE_HZ


def test_level_and_time_are_shown_while_recording(recorder: Recorder) -> None:
    feed(recorder, 0.5)
    view = recorder.view
    assert (view.state, view.elapsed_s) == ("recording", pytest.approx(0.5))
    assert view.level_dbfs == pytest.approx(-9.0, abs=0.1)  # a sine at half scale
    feed(recorder, 0.1, level=0.0)
    assert recorder.view.level_dbfs == SILENCE_DBFS


def test_nothing_is_recorded_after_the_longest_duration(
    recorder: Recorder, saved: list[bytes]
) -> None:
    feed(recorder, 3.0)
    assert end(recorder).elapsed_s == pytest.approx(2.0)
    assert len(saved[0]) == pytest.approx(2 * 2 * RATE_HZ, abs=100)


def test_without_sound_nothing_is_saved(recorder: Recorder, saved: list[bytes]) -> None:
    assert end(recorder).state == "failed"
    assert not saved


def test_a_refused_recording_says_why(tmp_path: Path) -> None:
    def refuse(_: BinaryIO) -> None:
        raise AudioError("Too quiet.", suggestion="Speak up.")

    recorder = Recorder(refuse, folder=tmp_path, max_duration_s=2.0)
    feed(recorder, 0.1)
    view = end(recorder)
    assert view.state == "failed"
    assert view.error is not None
    assert view.error.suggestion == "Speak up."


def test_frames_after_the_end_are_ignored(recorder: Recorder, saved: list[bytes]) -> None:
    feed(recorder, 0.1)
    end(recorder)
    feed(recorder, 0.1)
    recorder.finish()
    assert len(saved) == 1


def test_nothing_is_left_in_the_folder(recorder: Recorder, tmp_path: Path) -> None:
    feed(recorder, 0.1)
    end(recorder)
    assert not list(tmp_path.iterdir())
