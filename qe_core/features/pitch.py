"""Pitch of the voice, by autocorrelation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft
from scipy.signal import firwin, upfirdn

from qe_core.features.frames import is_in_speech, stretches
from qe_core.types import SAMPLE_RATE_HZ, FloatArray, SpeechSpan

__all__ = ["Pitch", "measure_pitch"]

_DECIMATION = 4
_RATE_HZ = SAMPLE_RATE_HZ // _DECIMATION
# Folded harmonics of a high voice would look like a voice of a third of the pitch.
_LOW_PASS = firwin(24, 1700, fs=SAMPLE_RATE_HZ).astype(np.float32)
_LENGTH = _RATE_HZ * 50 // 1000
_HOP = _RATE_HZ * 20 // 1000
_FFT = 256
# Lags are this much finer than samples; the peak of a high voice lies between two samples.
_FINENESS = 4
_LAG_RATE_HZ = _RATE_HZ * _FINENESS
_MIN_LAG = _LAG_RATE_HZ // 400
_MAX_LAG = _LAG_RATE_HZ // 72
_VOICED = 0.65
# Against the loud frames; hum in a pause is no voice.
_QUIET = 10 ** (-25 / 10)
# Prefers the shorter of two periods that fit about as well (Boersma's octave cost).
_OCTAVE_COST = 0.02
_MIN_VOICED_FRAMES = 5
_SILENT = 1e-10


def _correlate(frames: FloatArray) -> FloatArray:
    """Autocorrelation of each frame at lags up to the longest period and one more."""
    power = np.abs(rfft(frames, _FFT, axis=-1)) ** 2
    correlation: FloatArray = irfft(power, _FFT * _FINENESS, axis=-1)[..., : _MAX_LAG + 2]
    return correlation


_WINDOW = np.hanning(_LENGTH + 1)[:-1].astype(np.float32)
_WINDOW_CORRELATION = _correlate(_WINDOW) / _correlate(_WINDOW)[0]
_COST = _OCTAVE_COST * np.log2(np.arange(_MIN_LAG, _MAX_LAG + 1) / _MIN_LAG).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Pitch:
    """Pitch of the speech in a clip.

    Args:
        voiced_share: share of the speech frames (of all frames without speech) that have a pitch;
            NaN without frames
        median_hz: median pitch, NaN with fewer than five voiced frames
        spread_semitones: half the range of the middle 68 %, which is the standard deviation if the
            pitch is normally distributed and stays sane if octaves were mistaken; NaN likewise
    """

    voiced_share: float
    median_hz: float
    spread_semitones: float


def measure_pitch(samples: FloatArray, speech: tuple[SpeechSpan, ...]) -> Pitch:
    """Measure the pitch between 72 and 400 Hz.

    Args:
        samples: the clip, shape ``(num_samples,)``
        speech: where somebody speaks; without any, the whole clip is measured

    Returns:
        median, spread and share of voiced frames; of long clips as in
        :mod:`qe_core.features.frames`

    References:
        P. Boersma (1993), Accurate short-term analysis of the fundamental frequency, IFA
        Proceedings 17, eq. 9 (the frame's autocorrelation over the window's).
    """
    found = [
        _measure(start, stretch, speech)
        for start, stretch in stretches(samples)
        if len(stretch) >= _LENGTH * _DECIMATION
    ]
    hz = np.concatenate(found) if found else np.empty(0)
    if hz.size == 0:
        return Pitch(np.nan, np.nan, np.nan)
    voiced_hz = hz[hz > 0]
    voiced_share = len(voiced_hz) / len(hz)
    if len(voiced_hz) < _MIN_VOICED_FRAMES:
        return Pitch(voiced_share, np.nan, np.nan)
    low, median, high = np.percentile(voiced_hz, [16, 50, 84])
    return Pitch(voiced_share, float(median), float(6 * np.log2(high / low)))


def _measure(
    start: int, stretch: FloatArray, speech: tuple[SpeechSpan, ...]
) -> npt.NDArray[np.float64]:
    """Pitch of each speech frame, 0 where unvoiced."""
    slow = upfirdn(_LOW_PASS, stretch, down=_DECIMATION)
    frames = np.lib.stride_tricks.sliding_window_view(slow, _LENGTH)[::_HOP]
    time_s = start / SAMPLE_RATE_HZ + (_LENGTH / 2 + _HOP * np.arange(len(frames))) / _RATE_HZ
    if speech:
        frames = frames[is_in_speech(time_s, speech)]
    if len(frames) == 0:
        return np.empty(0)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * _WINDOW
    correlation = _correlate(frames)
    energy = correlation[:, :1]
    is_loud = energy[:, 0] > max(_SILENT, _QUIET * float(np.percentile(energy, 95)))
    correlation = correlation / np.where(energy > _SILENT, energy, 1) / _WINDOW_CORRELATION
    inner = correlation[:, _MIN_LAG : _MAX_LAG + 1]
    # The slope down from lag 0 is no period.
    is_peak = (inner > correlation[:, _MIN_LAG - 1 : _MAX_LAG]) & (
        inner >= correlation[:, _MIN_LAG + 1 :]
    )
    best = np.argmax(np.where(is_peak, inner - _COST, -np.inf), axis=1)
    rows = np.arange(len(best))
    is_voiced = is_loud & is_peak[rows, best] & (inner[rows, best] > _VOICED)
    return np.where(is_voiced, _LAG_RATE_HZ / (best + _MIN_LAG), 0.0)
