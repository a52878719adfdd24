"""The highest frequency that a recording really carries."""

import math

import numpy as np
import numpy.typing as npt

from qe_core.types import FloatArray

__all__ = ["BandwidthMeter", "measure_bandwidth_hz"]

# About 32 ms as a power of two: 512 samples at 16 kHz, 1024 at 48 kHz.
_WINDOW_S = 0.027
_RANGE_DB = 50.0
# Mains hum, rumble and DC leakage below the telephone band would raise the peak that speech is
# measured by.
_LOWEST_HZ = 300.0
# Mean power per bin below which nothing but quantisation noise is left (full-scale sine: about 0).
_FLOOR_DB = -95.0
# After this many windows only every second is analysed, after twice as many every third, and so
# on: the effort grows with the logarithm of the length.
_WINDOWS_PER_STRIDE = 2000


class BandwidthMeter:
    """Accumulates the power spectrum of a recording that arrives in blocks.

    Args:
        sample_rate_hz: sample rate of the blocks
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._window = 2 ** math.ceil(math.log2(_WINDOW_S * sample_rate_hz))
        self._taper = _blackman_harris(self._window)
        self._power: npt.NDArray[np.float64] = np.zeros(self._window // 2 + 1)
        self._weight = 0.0
        self._num_seen = 0

    def add(self, samples: FloatArray) -> None:
        """Take in the next block; a remainder shorter than one window is left out.

        Args:
            samples: one channel, shape ``(num_samples,)``
        """
        num_windows = len(samples) // self._window
        if num_windows == 0:
            return
        stride = 1 + self._num_seen // _WINDOWS_PER_STRIDE
        self._num_seen += num_windows
        windows = samples[: num_windows * self._window].reshape(num_windows, -1)[::stride]
        spectra = np.fft.rfft(windows * self._taper, axis=1)
        self._power += stride * np.einsum("wf,wf->f", spectra.real, spectra.real)
        self._power += stride * np.einsum("wf,wf->f", spectra.imag, spectra.imag)
        self._weight += stride * len(windows)

    def result_hz(self) -> float | None:
        """Highest frequency within 50 dB of the strongest one so far.

        Returns:
            frequency in Hz; ``None`` when nothing was loud enough to tell
        """
        if self._weight == 0:
            return None
        frequencies_hz = np.fft.rfftfreq(self._window, 1 / self._sample_rate_hz)
        gain = (float(self._taper.sum()) / 2) ** 2
        levels_db = 10 * np.log10(self._power / self._weight / gain + 1e-20)
        levels_db[frequencies_hz < _LOWEST_HZ] = -np.inf
        peak_db = float(levels_db.max())
        if peak_db < _FLOOR_DB:
            return None
        return float(frequencies_hz[np.flatnonzero(levels_db >= peak_db - _RANGE_DB)[-1]])


def measure_bandwidth_hz(samples: FloatArray, sample_rate_hz: int) -> float | None:
    """Measure the highest frequency that carries speech-level energy.

    A recording that went through a telephone keeps its narrow band when it is stored at 48 kHz;
    the sample rate says nothing about it. Noise that fills the band hides the limit.

    Args:
        samples: one channel, shape ``(num_samples,)``, at the rate it was recorded
        sample_rate_hz: sample rate in Hz

    Returns:
        frequency in Hz; ``None`` when the recording is shorter than about 30 ms or nothing
        is loud enough to tell

    Examples:
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
        >>> 1000 <= measure_bandwidth_hz(tone, 16000) < 1150
        True

    References:
        NVIDIA NeMo Speech Data Processor, EstimateBandwidth.
    """
    meter = BandwidthMeter(sample_rate_hz)
    for start in range(0, len(samples), sample_rate_hz):
        meter.add(samples[start : start + sample_rate_hz])
    return meter.result_hz()


def _blackman_harris(length: int) -> FloatArray:
    """Side lobes below −92 dB, so that a loud tone does not fill the band it is measured in."""
    phase = 2 * np.pi * np.arange(length) / length
    window = 0.35875 - 0.48829 * np.cos(phase)
    window += 0.14128 * np.cos(2 * phase) - 0.01168 * np.cos(3 * phase)
    return window.astype(np.float32)
