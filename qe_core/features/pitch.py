"""Pitch of the voice, by autocorrelation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from qe_core.features.frames import is_in_speech, stretches
from qe_core.types import SAMPLE_RATE_HZ, FloatArray, SpeechSpan

__all__ = ["Pitch", "measure_pitch"]

_DECIMATION = 4
_RATE_HZ = SAMPLE_RATE_HZ // _DECIMATION
_LENGTH = _RATE_HZ * 40 // 1000
_HOP = _RATE_HZ * 20 // 1000
_FFT = 256
_MIN_LAG = _RATE_HZ // 400
_MAX_LAG = _RATE_HZ // 70
_VOICED = 0.55
# Prefers the shorter of two periods that fit about as well (Boersma's octave cost).
_OCTAVE_COST = 0.02
_MIN_VOICED_FRAMES = 5
_SILENT = 1e-10

_WINDOW = np.hanning(_LENGTH + 1)[:-1].astype(np.float32)
_WINDOW_CORRELATION = irfft(np.abs(rfft(_WINDOW, _FFT)) ** 2)[: _MAX_LAG + 2]
_WINDOW_CORRELATION = (_WINDOW_CORRELATION / _WINDOW_CORRELATION[0]).astype(np.float32)
_COST = _OCTAVE_COST * np.log2(np.arange(_MIN_LAG, _MAX_LAG + 1) / _MIN_LAG).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Pitch:
    """Pitch of the speech in a clip.

    Args:
        voiced_share: share of the speech frames (of all frames without speech) that have a pitch;
            NaN without frames
        mean_hz: mean pitch, NaN with fewer than five voiced frames
        spread_semitones: standard deviation, NaN with fewer than five voiced frames
    """

    voiced_share: float
    mean_hz: float
    spread_semitones: float


def measure_pitch(samples: FloatArray, speech: tuple[SpeechSpan, ...]) -> Pitch:
    """Measure the pitch between 70 and 400 Hz.

    Args:
        samples: the clip, shape ``(num_samples,)``
        speech: where somebody speaks; without any, the whole clip is measured

    Returns:
        mean, spread and share of voiced frames; of long clips as in
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
    spread = float(np.std(12 * np.log2(voiced_hz)))
    return Pitch(voiced_share, float(voiced_hz.mean()), spread)


def _measure(
    start: int, stretch: FloatArray, speech: tuple[SpeechSpan, ...]
) -> npt.NDArray[np.float64]:
    """Pitch of each speech frame, 0 where unvoiced."""
    slow = (
        stretch[: len(stretch) // _DECIMATION * _DECIMATION].reshape(-1, _DECIMATION).mean(axis=1)
    )
    frames = np.lib.stride_tricks.sliding_window_view(slow, _LENGTH)[::_HOP]
    time_s = start / SAMPLE_RATE_HZ + (_LENGTH / 2 + _HOP * np.arange(len(frames))) / _RATE_HZ
    if speech:
        frames = frames[is_in_speech(time_s, speech)]
    if len(frames) == 0:
        return np.empty(0)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * _WINDOW
    correlation = irfft(np.abs(rfft(frames, _FFT, axis=1)) ** 2, axis=1)[:, : _MAX_LAG + 2]
    energy = correlation[:, :1]
    is_loud = energy[:, 0] > _SILENT
    correlation = correlation / np.where(energy > _SILENT, energy, 1) / _WINDOW_CORRELATION
    candidates = correlation[:, _MIN_LAG : _MAX_LAG + 1] - _COST
    # The slope down from lag 0 is no period.
    is_peak = (candidates > correlation[:, _MIN_LAG - 1 : _MAX_LAG] - _COST) & (
        candidates >= correlation[:, _MIN_LAG + 1 : _MAX_LAG + 2] - _COST
    )
    best = np.argmax(np.where(is_peak, candidates, -np.inf), axis=1)
    rows = np.arange(len(best))
    lag = best + _MIN_LAG
    before, peak, after = (correlation[rows, lag + shift] for shift in (-1, 0, 1))
    bend = before - 2 * peak + after
    shift = np.where(bend < 0, (before - after) / np.where(bend < 0, 2 * bend, 1), 0)
    is_voiced = is_loud & is_peak[rows, best] & (peak > _VOICED)
    return np.where(is_voiced, _RATE_HZ / (lag + np.clip(shift, -0.5, 0.5)), 0.0)
