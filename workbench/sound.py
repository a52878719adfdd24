"""What a browser is given of a clip's sound: bytes it can play, close-up peaks, spectrograms."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from qe_core.audio import decode, waveform_peaks
from qe_core.errors import NotFoundError
from qe_core.excerpt import decode_span, log_spectrogram, write_flac
from storage.records import Clip
from storage.repositories import clips

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["TILE_S", "Playable", "fine_peaks", "playable", "spectrogram_tile"]

TILE_S = 15.0
"""Seconds of one picture of the spectrogram."""

Playable = tuple[Path, str]
"""A file and its media type."""

_PEAKS_PER_S = 100
_FINE = ".fine.npy"
_FLAC = ".play.flac"


class _Making:
    """Held while a file is made; gone when nobody waits for it any more."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


# What every Chromium and Firefox plays, by container and codec; anything else is sent as FLAC.
_PLAYED: dict[str, tuple[str, frozenset[str]]] = {
    "wav": ("audio/wav", frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})),
    "mp3": ("audio/mpeg", frozenset({"mp3"})),
    "aac": ("audio/aac", frozenset({"aac"})),
    "flac": ("audio/flac", frozenset({"flac"})),
    "ogg": ("audio/ogg", frozenset({"vorbis", "opus", "flac"})),
    "matroska,webm": ("audio/webm", frozenset({"vorbis", "opus"})),
    "mov,mp4,m4a,3gp,3g2,mj2": ("audio/mp4", frozenset({"aac", "mp3", "flac", "opus"})),
}
# One per file: two people who open the same hour need not both decode it, and nobody else waits.
_making: WeakValueDictionary[Path, _Making] = WeakValueDictionary()
_making_lock = threading.Lock()


def playable(runtime: "Runtime", clip_id: str) -> Playable:
    """The file to play a clip from: its own, or a FLAC made from it once and cached.

    Args:
        runtime: the process's runtime
        clip_id: the clip

    Raises:
        NotFoundError: there is no such clip, or its file is missing
        AudioError: its file is damaged
    """
    clip = _clip(runtime, clip_id)
    media_type, codecs = _PLAYED.get(clip.container, ("", frozenset()))
    if clip.codec in codecs:
        return runtime.media.path(clip_id), media_type
    place = runtime.media.derived(clip_id, _FLAC)
    source = runtime.media.path(clip_id)

    def make(path: Path) -> None:
        write_flac(source, path, name=clip.file_name, limits=runtime.settings.audio)

    with _only_one_makes(place):
        if not place.is_file():
            runtime.media.keep_derived(clip_id, _FLAC, make)
    return place, "audio/flac"


def fine_peaks(
    runtime: "Runtime", clip_id: str, start_s: float, end_s: float, num_bins: int
) -> NDArray[np.int8]:
    """The waveform of a stretch, in as much detail as there is: 100 values a second.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        start_s: start of the stretch in seconds
        end_s: its end
        num_bins: values at most

    Returns:
        lowest and highest sample of each bin, scaled so that the clip's loudest is 127; shape
        ``(num_bins or fewer, 2)``

    Raises:
        NotFoundError: there is no such clip, or its file is missing
        AudioError: its file is damaged
    """
    clip = _clip(runtime, clip_id)
    place = runtime.media.derived(clip_id, _FINE)
    with _only_one_makes(place):
        if not place.is_file():
            _keep_fine_peaks(runtime, clip)
    peaks: NDArray[np.int8] = np.load(place, mmap_mode="r", allow_pickle=False)
    per_s = len(peaks) / clip.duration_s
    first = min(int(start_s * per_s), len(peaks) - 1)
    found = np.asarray(peaks[first : max(first + 1, int(np.ceil(end_s * per_s)))])
    if len(found) <= num_bins:
        return found
    starts = np.arange(num_bins) * len(found) // num_bins
    return np.stack(
        [np.minimum.reduceat(found[:, 0], starts), np.maximum.reduceat(found[:, 1], starts)], axis=1
    )


def spectrogram_tile(runtime: "Runtime", clip_id: str, index: int) -> bytes:
    """A picture of the spectrogram of one stretch of :data:`TILE_S` seconds.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        index: number of the stretch, from 0

    Returns:
        a greyscale PNG, dark where it is loud; a column is 10 ms, 0 Hz is at the bottom

    Raises:
        NotFoundError: there is no such clip or stretch, or its file is missing
        AudioError: its file is damaged
    """
    from PIL import Image

    clip = _clip(runtime, clip_id)
    samples = decode_span(
        runtime.media.path(clip_id),
        index * TILE_S,
        (index + 1) * TILE_S,
        name=clip.file_name,
        limits=runtime.settings.audio,
    )
    if len(samples) == 0:
        raise NotFoundError(
            f"{clip.file_name} ends before {index * TILE_S:g} s.",
            suggestion=f"It is {clip.duration_s:.1f} s long.",
        )
    levels = log_spectrogram(samples)
    # 70 dB from white to black, by the same scale in every tile.
    ink = np.clip((levels + 80.0) / 70.0, 0.0, 1.0)
    pixels = np.flipud(255 - (255 * ink).astype(np.uint8).T)
    picture = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(picture, "PNG", compress_level=3)
    return picture.getvalue()


@contextmanager
def _only_one_makes(place: Path) -> Iterator[None]:
    with _making_lock:
        making = _making.setdefault(place, _Making())
    with making.lock:
        yield


def _clip(runtime: "Runtime", clip_id: str) -> Clip:
    with runtime.database.session() as session:
        return clips.get(session, clip_id)


def _keep_fine_peaks(runtime: "Runtime", clip: Clip) -> None:
    audio = decode(runtime.media.path(clip.id), name=clip.file_name, limits=runtime.settings.audio)
    peaks = waveform_peaks(audio, max(1, round(clip.duration_s * _PEAKS_PER_S)))
    loudest = max(float(np.abs(peaks).max()), 0.01)
    values = np.clip(peaks / loudest * 127, -127, 127).astype(np.int8)
    runtime.media.keep_derived(
        clip.id, _FINE, lambda path: np.save(path, values, allow_pickle=False)
    )
