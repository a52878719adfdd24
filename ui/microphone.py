"""A live recording: frames from the browser's microphone in, one clip out."""

import tempfile
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, cast

import av
import numpy as np
import numpy.typing as npt

from qe_core.errors import WerkbenchError

__all__ = ["SILENCE_DBFS", "Recorder", "RecorderView"]

SILENCE_DBFS = -60.0
"""Where the level meter starts."""

_SAMPLE_RATE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class RecorderView:
    """What the page shows of a recording.

    Args:
        state: ``waiting`` for the first sound, ``recording``, ``saving``, ``saved`` or ``failed``
        elapsed_s: recorded so far
        level_dbfs: loudness of the latest 20 ms, ``SILENCE_DBFS`` or more
        error: why nothing was saved
    """

    state: Literal["waiting", "recording", "saving", "saved", "failed"] = "waiting"
    elapsed_s: float = 0.0
    level_dbfs: float = SILENCE_DBFS
    error: WerkbenchError | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self.state in {"saved", "failed"}


class Recorder:
    """Collects one recording on disk and hands it over when the microphone stops.

    The browser tab may be closed at any time: what was recorded until then is saved all the same.

    Args:
        save: takes the finished WAV file; may raise :class:`WerkbenchError`
        folder: where the recording grows; it must exist
        max_duration_s: sound after this is not recorded
    """

    def __init__(
        self, save: Callable[[BinaryIO], object], *, folder: Path, max_duration_s: float
    ) -> None:
        self._save = save
        self._max_samples = int(max_duration_s * _SAMPLE_RATE_HZ)
        self._num_samples = 0
        self._lock = threading.Lock()
        self._view = RecorderView()
        self._folder = folder
        self._file: BinaryIO | None = None
        self._wav: wave.Wave_write | None = None
        # Browsers send stereo; read as mono at the same rate it would play at half speed.
        self._to_mono = av.AudioResampler(format="s16", layout="mono", rate=_SAMPLE_RATE_HZ)

    @property
    def view(self) -> RecorderView:
        """The state at this moment."""
        with self._lock:
            return self._view

    def take(self, frame: av.AudioFrame) -> None:
        """Add a frame; called from the WebRTC thread."""
        for mono in self._to_mono.resample(frame):
            samples = cast("npt.NDArray[np.int16]", mono.to_ndarray()).reshape(-1)
            with self._lock:
                if self._view.state not in {"waiting", "recording"}:
                    return
                samples = samples[: self._max_samples - self._num_samples]
                self._open().writeframes(samples.tobytes())
                self._num_samples += len(samples)
                self._view = RecorderView(
                    "recording", self._num_samples / _SAMPLE_RATE_HZ, _level_dbfs(samples)
                )

    def finish(self) -> None:
        """End the recording; called from the WebRTC thread, so saving gets a thread of its own."""
        with self._lock:
            if self._view.state not in {"waiting", "recording"}:
                return
            has_sound = self._wav is not None
            self._view = replace(self._view, state="saving" if has_sound else "failed")
        if has_sound:
            threading.Thread(target=self._hand_over, name="save-recording").start()

    def _open(self) -> wave.Wave_write:
        if self._wav is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - closed by _hand_over
            self._wav = wave.open(self._file, "wb")  # noqa: SIM115 - likewise
            self._wav.setnchannels(1)
            self._wav.setsampwidth(2)
            self._wav.setframerate(_SAMPLE_RATE_HZ)
        return self._wav

    def _hand_over(self) -> None:
        outcome = replace(self.view, state="failed")
        try:
            with cast(BinaryIO, self._file) as file:
                self._open().close()
                file.seek(0)
                self._save(file)
            outcome = replace(outcome, state="saved")
        except WerkbenchError as error:
            outcome = replace(outcome, error=error)
        finally:
            with self._lock:
                self._view = outcome


def _level_dbfs(samples: npt.NDArray[np.int16]) -> float:
    if not len(samples):
        return SILENCE_DBFS
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) / 32768
    return max(SILENCE_DBFS, 20 * float(np.log10(rms))) if rms > 0 else SILENCE_DBFS
