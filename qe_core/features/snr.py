"""Signal-to-noise ratio without a reference."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import dawsn, erf

from qe_core.types import FloatArray

__all__ = ["WADA_MAX_DB", "WADA_MIN_DB", "wada_snr_db", "wada_table"]

WADA_MIN_DB = -15.0
WADA_MAX_DB = 100.0

_SHAPE = 0.4
_MIN_SAMPLES = 1600
# Relative to the peak, so that the result does not depend on the level. Codecs turn digital silence
# into something this small, and the mean logarithm would see little else; the samples of a clean
# recording that cross zero are larger.
_SILENT = 2.0**-22


def wada_snr_db(samples: FloatArray, window: int | None = None) -> npt.NDArray[np.float64]:
    """SNR from the shape of the amplitude distribution.

    Clean speech has gamma-distributed amplitudes, noise Gaussian ones; the more of the latter, the
    smaller the gap between log-mean and mean-log. Music and other sparse sounds pass for speech.
    Digital silence is left out.

    Args:
        samples: sound, shape ``(num_samples,)``
        window: length of the windows in samples; the rest that fills no window is left out.
            ``None``: all samples are one window

    Returns:
        dB in [-15, 100] for each window, NaN where a window has less than 0.1 s of sound; below
        -15 dB the statistic no longer tells levels apart. Shape ``(num_windows,)``

    References:
        C. Kim and R. M. Stern (2008), Robust signal-to-noise ratio estimation based on waveform
        amplitude distribution analysis, Interspeech, eq. 4-8.
    """
    window = window or max(1, len(samples))
    blocks = samples[: len(samples) // window * window].reshape(-1, window)
    if blocks.size == 0:
        return np.full(1, np.nan)
    amplitude = np.abs(blocks)
    is_sound = amplitude > _SILENT * float(amplitude.max())
    num = is_sound.sum(axis=1)
    offset = np.where(is_sound, blocks, 0).sum(axis=1, dtype=np.float64) / np.maximum(num, 1)
    amplitude = np.abs(blocks - offset[:, None].astype(np.float32))
    # What equals the offset is silence too.
    is_sound &= amplitude > _SILENT * float(amplitude.max())
    num = is_sound.sum(axis=1)
    mean = np.where(is_sound, amplitude, 0).sum(axis=1, dtype=np.float64) / np.maximum(num, 1)
    logs = np.log(np.where(is_sound, amplitude, 1)).sum(axis=1, dtype=np.float64)
    mean_log = logs / np.maximum(num, 1)
    is_known = num >= min(_MIN_SAMPLES, window)
    statistic = np.where(is_known, np.log(np.where(is_known, mean, 1)) - mean_log, np.nan)
    snr_db, expected = wada_table()
    return np.interp(statistic, expected, snr_db)


@lru_cache(maxsize=1)
def wada_table() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """SNR in dB against the statistic ``ln E|x| - E ln|x|`` for gamma speech in Gaussian noise.

    The published table was simulated; this one integrates the same model. With noise of unit
    variance, ``h(s) = E ln|s + n|`` has the derivative ``sqrt(2) F(s / sqrt(2))``, F being Dawson's
    function, and ``E|s + n|`` is the mean of the folded normal distribution.

    Returns:
        SNRs in dB, ascending, and the expected statistic at each
    """
    snr_db = np.arange(WADA_MIN_DB, WADA_MAX_DB + 0.5, 1.0)
    # Amplitudes in units of the gamma scale, on a log grid: the density has a pole at zero.
    log_amplitude = np.linspace(np.log(1e-14), np.log(60.0), 1500)
    amplitude = np.exp(log_amplitude)
    density = amplitude**_SHAPE * np.exp(-amplitude)
    density /= density.sum()
    variance = _SHAPE * (_SHAPE + 1)
    ratio = np.sqrt(10 ** (snr_db / 10) / variance)[:, None] * amplitude
    mean = _folded_normal_mean(ratio) @ density
    mean_log = _mean_log(ratio) @ density
    statistic: npt.NDArray[np.float64] = np.log(mean) - mean_log
    return snr_db, statistic


def _folded_normal_mean(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """E|s + n| for standard normal n."""
    folded: npt.NDArray[np.float64] = np.sqrt(2 / np.pi) * np.exp(-(signal**2) / 2)
    folded += signal * erf(signal / np.sqrt(2))
    return folded


def _mean_log(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """E ln|s + n| for standard normal n, by cumulating its derivative."""
    at = np.concatenate([[0.0], np.geomspace(1e-4, 1e3, 4000)])
    slope = dawsn(at)
    cumulated = np.concatenate([[0.0], np.cumsum(np.diff(at) * (slope[1:] + slope[:-1]))])
    near = np.interp(signal / np.sqrt(2), at, cumulated) - (np.euler_gamma + np.log(2)) / 2
    # Far from the noise, only the signal is left.
    return np.where(signal > at[-1], np.log(np.maximum(signal, 1.0)), near)
