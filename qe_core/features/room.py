"""How much a room blurs the sound."""

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from qe_core.features.frames import FRAMES_PER_SECOND, SPEECH_BANDS, Frames

__all__ = ["decay_s", "modulation"]

# Decays are fitted over this many frames.
_FIT = 12
_MIN_FITS = 5
_ABOVE_FLOOR_DB = 6.0
_MIN_R2 = 0.9
_SILENT = 1e-15
_SLOW_HZ = (2.0, 10.0)
_FAST_HZ = (10.0, 30.0)
_MIN_MODULATED = FRAMES_PER_SECOND // 2

_RAMP = np.arange(_FIT) - (_FIT - 1) / 2
_RAMP_POWER = float(np.sum(_RAMP**2))


def decay_s(frames: Frames) -> float:
    """Time in which the sound would fall by 60 dB, from its steepest steady decays.

    A voice can stop within a few hundredths of a second; a room keeps it from doing so. Clean, dry
    speech gives 0.1 to 0.4 s, a church more than 1 s. Short words in loud noise give no answer.

    Args:
        frames: analysis of the clip

    Returns:
        seconds, or NaN with fewer than five decays that stand out of the noise

    References:
        T. Prego, A. de Lima, S. Netto, B. Lee, A. Said, R. Schafer, T. Kalker (2012), A blind
        algorithm for reverberation-time estimation using subband decomposition of speech signals,
        JASA 131(4): decays in subbands, the shortest of them count.
    """
    slopes = [_decay_slopes(part) for part in _contiguous(_band_levels(frames), frames.starts)]
    found = np.concatenate([*slopes, np.empty(0)])
    if len(found) < _MIN_FITS:
        return float("nan")
    return float(-60 / (np.percentile(found, 25) * FRAMES_PER_SECOND))


def modulation(frames: Frames) -> tuple[float, float]:
    """How strongly the bands swing at the rate of syllables.

    Args:
        frames: analysis of the clip

    Returns:
        depth: RMS swing from 2 to 10 Hz relative to the mean envelope; falls with noise and with
        reverberation. tilt: dB by which 10 to 30 Hz lie below 2 to 10 Hz; falls with reverberation,
        whose echoes beat. Both NaN for less than half a second of sound and for silence

    References:
        T. Falk, C. Zheng, W.-Y. Chan (2010), A non-intrusive quality and intelligibility measure of
        reverberant and dereverberated speech, IEEE TASLP 18(7): the same idea on auditory bands.
    """
    envelope = np.sqrt(frames.bands[:, SPEECH_BANDS])
    slow = fast = level = 0.0
    for part in _contiguous(envelope, frames.starts):
        if len(part) < _MIN_MODULATED:
            continue
        mean = part.mean(axis=0)
        spectrum = np.abs(rfft(part - mean, axis=0)) ** 2
        hz = np.arange(len(spectrum)) * FRAMES_PER_SECOND / len(part)
        # By Parseval, these are sums over time of the squared swing.
        slow += 2 * float(spectrum[_within(hz, _SLOW_HZ)].sum()) / len(part)
        fast += 2 * float(spectrum[_within(hz, _FAST_HZ)].sum()) / len(part)
        level += len(part) * float((mean**2).sum())
    if level <= 0 or slow <= 0 or fast <= 0:
        return float("nan"), float("nan")
    return float(np.sqrt(slow / level)), float(10 * np.log10(slow / fast))


def _contiguous(
    columns: npt.NDArray[np.floating], starts: tuple[int, ...]
) -> list[npt.NDArray[np.floating]]:
    return np.split(columns, starts[1:])


def _within(hz: npt.NDArray[np.float64], limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return (hz >= limits[0]) & (hz < limits[1])


def _band_levels(frames: Frames) -> npt.NDArray[np.floating]:
    """Level of each speech band over its own noise floor in dB."""
    level = 10 * np.log10(np.maximum(frames.bands[:, SPEECH_BANDS], _SILENT))
    level_db: npt.NDArray[np.floating] = level - np.percentile(level, 10, axis=0)
    return level_db


def _decay_slopes(level_db: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Slopes in dB per frame of the straight decays in all bands."""
    if len(level_db) < _FIT:
        return np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view(level_db, _FIT, axis=0)
    slope = windows @ _RAMP.astype(windows.dtype) / _RAMP_POWER
    is_falling = (slope < 0) & (windows[..., -1] > _ABOVE_FLOOR_DB)
    slope = slope[is_falling]
    variance = windows[is_falling].var(axis=-1) * _FIT
    explained = slope**2 * _RAMP_POWER
    found: npt.NDArray[np.floating] = slope[(explained >= _MIN_R2 * variance) & (variance > 0)]
    return found
