"""A clip while it grows: decoded frames in, one mono 16 kHz array out."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame, format_dtypes
from av.audio.resampler import AudioResampler

from qe_core import refusals
from qe_core.bandwidth import BandwidthMeter
from qe_core.config import AudioSettings
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray, SourceFormat

__all__ = ["MAX_CHANNELS", "Take"]

# Beyond this, PyAV looks for the planes of a frame outside of its memory (av 18.1, planes).
MAX_CHANNELS = 8

_MIN_RATE_HZ, _MAX_RATE_HZ = 4_000, 384_000
_BLOCK_S = 1.0
_INITIAL_S = 10
_GROWTH = 1.25
# One step of 16 bits: what is left of silence after dithering.
_SILENCE = 2.0**-15
# Integer samples that were stored as floats reach 2**31; values beyond that are no sound.
_MAX_PEAK = 2.0**32


class Take:
    """Grows a clip from decoded frames and watches what it is made of.

    The samples live in one buffer that is resized as they come; beside it there is never more
    than about a second of sound.

    Args:
        name: safe file name for messages
        limits: accepted durations
    """

    def __init__(self, name: str, limits: AudioSettings) -> None:
        self._name = name
        self._limits = limits
        self._samples: FloatArray = np.empty(SAMPLE_RATE_HZ * _INITIAL_S, dtype=np.float32)
        self._num_samples = 0
        self._pending: list[FloatArray] = []
        self._num_pending = 0
        self._rate_hz = 0
        self._num_channels = 0
        self._resampler: AudioResampler | None = None
        self._meter = BandwidthMeter(SAMPLE_RATE_HZ)
        self._low = math.inf
        self._high = -math.inf

    @property
    def duration_s(self) -> float:
        """Seconds in the clip so far, without the block that is being filled."""
        return self._num_samples / SAMPLE_RATE_HZ

    def add(self, frame: AudioFrame) -> bool:
        """Take in a decoded frame of any sample format, rate and number of channels.

        Args:
            frame: the next one, with at most ``MAX_CHANNELS`` channels

        Returns:
            whether this filled a block, about once per second of sound

        Raises:
            AudioError: the rate is not supported, a sample is not finite, or the clip is too long
        """
        if frame.sample_rate != self._rate_hz:
            self._change_rate(frame.sample_rate)
        self._num_channels = max(self._num_channels, frame.layout.nb_channels)
        mono = _mean_of_channels(frame)
        self._pending.append(mono)
        self._num_pending += len(mono)
        if self._num_pending < _BLOCK_S * self._rate_hz:
            return False
        self._take_block()
        return True

    def flush(self) -> None:
        """Take in what is still under way, after the last frame.

        Raises:
            AudioError: as :meth:`add`
        """
        if self._pending:
            self._take_block()
        if self._resampler is not None:
            self._append_frames(self._resampler.resample(None))

    @property
    def is_silent(self) -> bool:
        """Whether nothing but digital silence came so far."""
        return self._high - self._low <= 2 * _SILENCE

    def finish(self, *, container: str, codec: str) -> Audio:
        """Hand the clip over; the take is of no use afterwards.

        Args:
            container: short name of the container by content
            codec: short name of the audio codec

        Returns:
            the clip, turned down as a whole if it went beyond full scale
        """
        samples = self._samples
        samples.resize(self._num_samples, refcheck=False)
        peak = max(-float(samples.min()), float(samples.max()))
        if peak > 1.0:
            np.divide(samples, np.float32(peak), out=samples)
        source = SourceFormat(
            container, codec, self._rate_hz, self._num_channels, self._meter.result_hz()
        )
        return Audio(samples, source)

    def _change_rate(self, rate_hz: int) -> None:
        if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
            raise refusals.unsupported(self._name, f"a sample rate of {rate_hz} Hz")
        self.flush()
        self._rate_hz = rate_hz
        self._meter = BandwidthMeter(rate_hz)
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)

    def _take_block(self) -> None:
        block = np.concatenate(self._pending)
        self._pending.clear()
        self._num_pending = 0
        low, high = float(block.min()), float(block.max())
        # A NaN anywhere makes minimum and maximum NaN, which fails this comparison too.
        if not (low >= -_MAX_PEAK and high <= _MAX_PEAK):
            raise refusals.not_finite(self._name)
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._meter.add(block)
        if self._resampler is None:
            self._append(block)
            return
        frame = AudioFrame.from_ndarray(block[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = self._rate_hz
        self._append_frames(self._resampler.resample(frame))

    def _append_frames(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._append(frame.to_ndarray()[0].astype(np.float32, copy=False))

    def _append(self, samples: FloatArray) -> None:
        needed = self._num_samples + len(samples)
        if needed > self._limits.max_duration_s * SAMPLE_RATE_HZ:
            raise refusals.too_long(self._name, None, self._limits)
        if needed > len(self._samples):
            # Nothing else refers to the buffer yet, so it may move while it grows.
            self._samples.resize(max(needed, int(len(self._samples) * _GROWTH)), refcheck=False)
        self._samples[self._num_samples : needed] = samples
        self._num_samples = needed


def _mean_of_channels(frame: AudioFrame) -> FloatArray:
    num_channels = frame.layout.nb_channels
    dtype = np.dtype(format_dtypes[frame.format.name])
    num_planes = num_channels if frame.format.is_planar else 1
    per_plane = frame.samples * num_channels // num_planes
    # With eight planes PyAV lists a ninth that does not exist.
    planes = [
        _as_float(np.frombuffer(memoryview(plane), dtype, per_plane))
        for plane in frame.planes[:num_planes]
    ]
    if num_channels == 1:
        return planes[0]
    # Sums of huge values become infinite here and are refused with their block.
    with np.errstate(over="ignore", invalid="ignore"):
        if not frame.format.is_planar:
            weights = np.full(num_channels, 1.0 / num_channels, dtype=np.float32)
            return planes[0].reshape(-1, num_channels) @ weights
        total = planes[0]
        for plane in planes[1:]:
            total += plane
        total /= np.float32(num_channels)
        return total


def _as_float(raw: npt.NDArray[Any]) -> FloatArray:
    if raw.dtype == np.uint8:
        return (raw.astype(np.float32) - 128.0) / 128.0
    if raw.dtype == np.float64:
        with np.errstate(over="ignore", invalid="ignore"):
            return raw.astype(np.float32)
    samples = raw.astype(np.float32)
    if raw.dtype.kind == "i":
        samples *= np.float32(2.0 ** (1 - 8 * raw.dtype.itemsize))
    return samples
