"""Speech through real codecs at low bit rates, encoded and decoded by FFmpeg."""

import io
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from scipy import signal

from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = ["CODECS", "Codec", "transcode"]

# No codec here delays longer than this; what it delays is taken back.
_MAX_DELAY_S = 0.15


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec and how hard it may squeeze.

    Args:
        encoder: FFmpeg's name
        container: that it is written into
        sample_rate_hz: that it works at, and that comes out
        bit_rates: to choose from, in bits per second
    """

    encoder: str
    container: str
    sample_rate_hz: int
    bit_rates: tuple[int, ...]


CODECS = {
    "opus": Codec("libopus", "ogg", 16_000, (6_000, 8_000, 12_000, 16_000)),
    "mp3": Codec("libmp3lame", "mp3", 16_000, (8_000, 16_000, 24_000, 32_000)),
    "amr": Codec("libopencore_amrnb", "amr", 8_000, (4_750, 5_900, 7_400, 12_200)),
}
"""What calls, voice messages and podcasts go through; GSM has no encoder in FFmpeg's wheels."""


def transcode(samples: FloatArray, codec: Codec, bit_rate: int) -> FloatArray:
    """Encode and decode speech, keeping its timing.

    Args:
        samples: speech at 16 kHz, shape ``(num_samples,)``
        codec: one of :data:`CODECS`
        bit_rate: bits per second

    Returns:
        what is left of it at the codec's sample rate, as long as it was
    """
    rate = codec.sample_rate_hz
    narrow = signal.resample_poly(samples, rate, SAMPLE_RATE_HZ)
    decoded = _decode(_encode(np.clip(narrow, -1, 1), codec, bit_rate), rate)
    delay = _delay(narrow, decoded, round(_MAX_DELAY_S * rate))
    kept = decoded[max(delay, 0) :]
    if delay < 0:
        kept = np.concatenate([np.zeros(-delay, np.float32), kept])
    kept = kept[: len(narrow)]
    return np.pad(kept, (0, len(narrow) - len(kept))).clip(-1, 1).astype(np.float32)


def _encode(samples: FloatArray, codec: Codec, bit_rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = cast("AudioStream", container.add_stream(codec.encoder, codec.sample_rate_hz))
        stream.bit_rate = bit_rate
        stream.layout = "mono"
        frame = AudioFrame.from_ndarray(
            np.round(samples * 32767).astype(np.int16)[None, :], format="s16", layout="mono"
        )
        frame.sample_rate = codec.sample_rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()


def _decode(data: bytes, rate: int) -> FloatArray:
    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    pieces = []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces).astype(np.float32)


def _delay(sent: FloatArray, received: FloatArray, limit: int) -> int:
    """By how many samples the received sound is late, where both are most alike."""
    likeness = signal.correlate(received, sent, mode="full", method="fft")
    lags = signal.correlation_lags(len(received), len(sent), mode="full")
    near = np.abs(lags) <= limit
    return int(lags[near][np.argmax(likeness[near])])
