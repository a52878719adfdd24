"""Audio files for tests, made in memory by the encoders inside PyAV."""

import io
import struct
from dataclasses import dataclass

import av
import numpy as np
from av.audio.stream import AudioStream

from qe_core.types import FloatArray


@dataclass(frozen=True)
class Encoding:
    """How a test file is stored."""

    container: str
    codec: str
    sample_format: str
    rate_hz: int = 16_000
    layout: str = "mono"
    bit_rate: int | None = None


ENCODINGS = {
    "wav": Encoding("wav", "pcm_s16le", "s16"),
    "mp3": Encoding("mp3", "libmp3lame", "s16p"),
    "m4a": Encoding("ipod", "aac", "fltp"),
    "aac": Encoding("adts", "aac", "fltp"),
    "mp4": Encoding("mp4", "aac", "fltp"),
    "flac": Encoding("flac", "flac", "s16"),
    "ogg-opus": Encoding("ogg", "libopus", "s16"),
    "ogg-vorbis": Encoding("ogg", "vorbis", "fltp", 44_100, "stereo"),
    "webm": Encoding("webm", "libopus", "s16", 48_000),
}


def tone(
    duration_s: float, rate_hz: int = 16_000, *, frequency_hz: float = 1000.0, level: float = 0.5
) -> FloatArray:
    """A sine, shape ``(num_samples,)``."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def encode(samples: FloatArray, encoding: Encoding) -> bytes:
    """Store samples, shape ``(num_samples,)`` or ``(num_channels, num_samples)``, as a file."""
    output = io.BytesIO()
    with av.open(output, "w", format=encoding.container) as container:
        stream = container.add_stream(encoding.codec, rate=encoding.rate_hz)
        assert isinstance(stream, AudioStream)
        stream.layout = encoding.layout
        stream.format = encoding.sample_format
        if encoding.bit_rate is not None:
            stream.bit_rate = encoding.bit_rate
        if encoding.codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        num_channels = stream.codec_context.layout.nb_channels
        interleaved = np.ascontiguousarray(
            np.broadcast_to(samples, (num_channels, samples.shape[-1])).T
        )
        frame = av.AudioFrame.from_ndarray(
            interleaved.reshape(1, -1).astype(np.float32), format="flt", layout=encoding.layout
        )
        frame.sample_rate = encoding.rate_hz
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=encoding.sample_format,
            layout=encoding.layout,
            rate=encoding.rate_hz,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return output.getvalue()


def encode_as(name: str, samples: FloatArray) -> bytes:
    """Store mono samples at the rate of the named encoding."""
    return encode(samples, ENCODINGS[name])


def wav(
    data: bytes,
    *,
    rate_hz: int = 16_000,
    num_channels: int = 1,
    bits: int = 16,
    is_float: bool = False,
    claimed_bytes: int | None = None,
) -> bytes:
    """A WAV file with a header of our own, which may lie about the size."""
    claimed = len(data) if claimed_bytes is None else claimed_bytes
    block = num_channels * bits // 8
    code = 3 if is_float else 1
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        min(0xFFFFFFFF, claimed + 36),
        b"WAVE",
        b"fmt ",
        16,
        code,
        num_channels,
        rate_hz,
        rate_hz * block,
        block,
        bits,
        b"data",
        claimed,
    )
    return header + data


def float_wav(samples: FloatArray, rate_hz: int = 16_000) -> bytes:
    """A 32-bit float WAV that keeps NaN and infinity."""
    return wav(samples.astype("<f4").tobytes(), rate_hz=rate_hz, bits=32, is_float=True)


def pcm16_wav(samples: FloatArray, rate_hz: int = 16_000) -> bytes:
    """A 16-bit mono WAV."""
    data = (np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes()
    return wav(data, rate_hz=rate_hz)


def silent_video(duration_s: float = 2.0) -> bytes:
    """An MP4 with moving pictures and no sound track."""
    output = io.BytesIO()
    with av.open(output, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        rng = np.random.default_rng(0)
        for _ in range(round(duration_s * 10)):
            picture = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return output.getvalue()


def video_with_sound(samples: FloatArray) -> bytes:
    """An MP4 with moving pictures and a 16 kHz AAC sound track."""
    output = io.BytesIO()
    with av.open(output, "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream("aac", rate=16_000)
        sound.layout = "mono"
        sound.codec_context.open()
        picture = np.zeros((64, 64, 3), dtype=np.uint8)
        for _ in range(max(1, len(samples) * 10 // 16_000)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler("fltp", "mono", 16_000, sound.codec_context.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
    return output.getvalue()
