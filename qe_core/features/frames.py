"""One short-time analysis of a clip that all acoustic features share.

Clips of up to ten minutes are analysed whole. Of longer ones, sixty stretches of ten seconds,
spread evenly from start to end, are analysed: memory and time stay bounded, levels and shapes stay
representative.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from qe_core.types import SAMPLE_RATE_HZ, FloatArray, SpeechSpan

__all__ = [
    "BAND_EDGES_HZ",
    "FRAMES_PER_SECOND",
    "SPEECH_BANDS",
    "Frames",
    "analyse",
    "is_in_speech",
    "stretches",
]

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]

FRAMES_PER_SECOND = 100
FRAME_LENGTH = 512
_HOP = SAMPLE_RATE_HZ // FRAMES_PER_SECOND
_STRETCH = 10 * SAMPLE_RATE_HZ
_MAX_STRETCHES = 60

BAND_EDGES_HZ = (62, 150, 300, 600, 1000, 1500, 2200, 3400, 4000, 7500)
SPEECH_BANDS = slice(2, 7)
"""The bands from 300 to 3400 Hz, which the telephone keeps."""

LOWEST_DBFS = -100.0
"""Below the quietest step of 16-bit audio nothing is told apart."""

_HANN: FloatArray = np.hanning(FRAME_LENGTH + 1)[:-1].astype(np.float32)
_BIN_HZ = SAMPLE_RATE_HZ / FRAME_LENGTH
_FREQUENCIES: FloatArray = (np.arange(FRAME_LENGTH // 2 + 1) * _BIN_HZ).astype(np.float32)
# Scales one-sided power sums to mean squares of the samples.
_POWER_SCALE = 2.0 / (FRAME_LENGTH * float(np.sum(_HANN**2)))
# A constant offset leaks into the first two bins, and it is no sound.
_FIRST_BIN = 2
_FLATNESS_BINS = slice(round(300 / _BIN_HZ), round(3400 / _BIN_HZ))


def _projection() -> FloatArray:
    """Columns that turn a power spectrum into band powers, total power and first moment."""
    columns = [
        (low <= _FREQUENCIES) & (high > _FREQUENCIES) for low, high in pairwise(BAND_EDGES_HZ)
    ]
    audible = BAND_EDGES_HZ[0] <= _FREQUENCIES
    return np.stack([*columns, audible, audible * _FREQUENCIES], axis=1).astype(np.float32)


_PROJECTION = _projection()


@dataclass(frozen=True, slots=True)
class Frames:
    """What every frame of 32 ms sounds like, one each 10 ms.

    Args:
        time_s: middle of the frame, shape ``(num_frames,)``
        is_speech: whether that lies in a speech span, shape ``(num_frames,)``
        level_dbfs: RMS above 62 Hz, at least -100, shape ``(num_frames,)``
        bands: mean-square power per band, shape ``(num_frames, num_bands)``
        centroid_hz: power-weighted mean frequency, NaN in silence, shape ``(num_frames,)``
        rolloff_hz: below it lies 85 % of the power, NaN in silence, shape ``(num_frames,)``
        flatness: geometric over arithmetic mean of the power from 300 to 3400 Hz, in [0, 1]; NaN
            in silence, shape ``(num_frames,)``
        spectrum: mean power per frequency bin over speech (over everything without speech),
            shape ``(257,)``
        starts: index of the first frame of each contiguous stretch
    """

    time_s: DoubleArray
    is_speech: BoolArray
    level_dbfs: FloatArray
    bands: FloatArray
    centroid_hz: FloatArray
    rolloff_hz: FloatArray
    flatness: FloatArray
    spectrum: DoubleArray
    starts: tuple[int, ...]


def stretches(samples: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Contiguous pieces of at most ten seconds that are to be looked at.

    Args:
        samples: the clip, shape ``(num_samples,)``

    Yields:
        index of the first sample, and the samples; all of a clip of up to ten minutes
    """
    num_whole = -(-len(samples) // _STRETCH)
    if num_whole <= _MAX_STRETCHES:
        for start in range(0, len(samples), _STRETCH):
            yield start, samples[start : start + _STRETCH]
        return
    for start in np.linspace(0, len(samples) - _STRETCH, _MAX_STRETCHES).astype(int):
        yield int(start), samples[start : start + _STRETCH]


def is_in_speech(time_s: DoubleArray, speech: tuple[SpeechSpan, ...]) -> BoolArray:
    """Whether moments lie in speech.

    Args:
        time_s: moments, shape ``(n,)``
        speech: spans in time order that do not overlap

    Returns:
        one flag per moment, shape ``(n,)``
    """
    if not speech:
        return np.zeros(len(time_s), dtype=bool)
    starts = np.array([span.start_s for span in speech])
    ends = np.array([span.end_s for span in speech])
    index = np.searchsorted(starts, time_s, side="right") - 1
    return (index >= 0) & (time_s < ends[index])


def analyse(samples: FloatArray, speech: tuple[SpeechSpan, ...]) -> Frames:
    """Analyse a clip frame by frame.

    Args:
        samples: the clip, shape ``(num_samples,)``; shorter than a frame is padded with silence
        speech: where somebody speaks

    Returns:
        the shared analysis; at least one frame
    """
    if len(samples) < FRAME_LENGTH:
        samples = np.pad(samples, (0, FRAME_LENGTH - len(samples)))
    parts: list[tuple[npt.NDArray[np.floating], ...]] = []
    speech_sum = np.zeros(len(_FREQUENCIES))
    other_sum = np.zeros(len(_FREQUENCIES))
    for first, stretch in stretches(samples):
        if len(stretch) < FRAME_LENGTH:  # the last few milliseconds of a clip
            continue
        power = _power(stretch)
        time_s = (first + FRAME_LENGTH / 2 + _HOP * np.arange(len(power))) / SAMPLE_RATE_HZ
        weight = is_in_speech(time_s, speech).astype(np.float32)
        speech_sum += weight @ power
        other_sum += (1.0 - weight) @ power
        parts.append((time_s, power @ _PROJECTION, _rolloff_hz(power), _flatness(power)))
    time_s, projected, rolloff_hz, flatness = map(np.concatenate, zip(*parts, strict=True))
    is_speech = is_in_speech(time_s, speech)
    total, moment = projected[:, -2], projected[:, -1]
    is_silent = total <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        level_dbfs = np.maximum(10 * np.log10(total), LOWEST_DBFS)
        centroid_hz = moment / total
    num_speech = int(is_speech.sum())
    return Frames(
        time_s=time_s,
        is_speech=is_speech,
        level_dbfs=level_dbfs,
        bands=projected[:, :-2],
        centroid_hz=np.where(is_silent, np.nan, centroid_hz),
        rolloff_hz=np.where(is_silent, np.nan, rolloff_hz),
        flatness=np.where(is_silent, np.nan, flatness),
        spectrum=speech_sum / num_speech if num_speech else other_sum / len(is_speech),
        starts=tuple(np.cumsum([0, *(len(part[0]) for part in parts[:-1])]).tolist()),
    )


def _power(stretch: FloatArray) -> FloatArray:
    """Power per frame and frequency bin, scaled so that a row sums to the mean square."""
    frames = np.lib.stride_tricks.sliding_window_view(stretch, FRAME_LENGTH)[::_HOP] * _HANN
    spectra = rfft(frames, axis=1)
    power: FloatArray = (spectra.real**2 + spectra.imag**2) * np.float32(_POWER_SCALE)
    return power


def _rolloff_hz(power: FloatArray) -> FloatArray:
    cumulated = np.cumsum(power[:, _FIRST_BIN:], axis=1)
    index = np.argmax(cumulated >= 0.85 * cumulated[:, -1:], axis=1) + _FIRST_BIN
    rolloff_hz: FloatArray = _FREQUENCIES[index]
    return rolloff_hz


def _flatness(power: FloatArray) -> FloatArray:
    band = power[:, _FLATNESS_BINS]
    mean = band.mean(axis=1, keepdims=True)
    # Relative to the mean, so that it does not depend on the level; -80 dB is the least.
    relative = band / np.maximum(mean, np.finfo(np.float32).tiny)
    flatness: FloatArray = np.exp(np.log(np.maximum(relative, 1e-8)).mean(axis=1))
    return flatness
