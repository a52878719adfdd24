"""Parts of a file, for eyes and ears: a stretch as samples, all of it as FLAC, a spectrogram."""

from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from scipy.fft import rfft

from qe_core import refusals
from qe_core.audio import Packets, Source, opened, read_frames, reading, safe_file_name
from qe_core.config import AudioSettings
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = ["decode_span", "log_spectrogram", "write_flac"]

# Decoders need a little run-up after a jump.
_RUN_UP_S = 0.5
_MAX_RATE_HZ = 48_000
_COLUMN = SAMPLE_RATE_HZ // 100
_WINDOW = 512
_FLOOR = 1e-10


def decode_span(
    source: Source, start_s: float, end_s: float, *, name: str, limits: AudioSettings
) -> FloatArray:
    """Decode a stretch of a file without decoding what lies far before it.

    Args:
        source: as for :func:`qe_core.audio.decode`
        start_s: start of the stretch in seconds
        end_s: its end; what lies behind the end of the file is left out
        name: file name for messages
        limits: accepted sizes and durations

    Returns:
        mono samples at 16 kHz, shape ``(num_samples,)``; empty behind the end of the file

    Raises:
        AudioError: the file is refused, see :func:`qe_core.audio.decode`
    """
    name = safe_file_name(name)
    pieces: list[FloatArray] = []
    first_s = None
    with opened(source, name, limits) as (container, stream, _):
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        origin_s = float((stream.start_time or 0) * (stream.time_base or 0))
        if start_s > _RUN_UP_S:
            # A file without an index is decoded from its beginning.
            with suppress(av.FFmpegError):
                container.seek(int((origin_s + start_s - _RUN_UP_S) * av.time_base))
        for frame in read_frames(container, stream, Packets()):
            time_s = (frame.time or 0.0) - origin_s
            if time_s >= end_s:
                break
            with reading(name):
                pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            first_s = time_s if first_s is None else first_s
        with reading(name):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
    if not pieces or first_s is None:
        return np.zeros(0, np.float32)
    begin = max(0, round((start_s - first_s) * SAMPLE_RATE_HZ))
    num_samples = round((end_s - start_s) * SAMPLE_RATE_HZ)
    return np.concatenate(pieces)[begin : begin + num_samples].astype(np.float32)


def write_flac(source: Path, target: Path, *, name: str, limits: AudioSettings) -> None:
    """Recode a file as mono FLAC, frame by frame: an hour never lies in memory.

    Args:
        source: the file
        target: where the FLAC goes
        name: file name for messages
        limits: accepted sizes and durations

    Raises:
        AudioError: the file is refused, see :func:`qe_core.audio.decode`
    """
    name = safe_file_name(name)
    packets = Packets()
    with (
        opened(source, name, limits) as (container, stream, facts),
        av.open(str(target), "w", format="flac") as output,
    ):
        rate_hz = min(facts.sample_rate_hz, _MAX_RATE_HZ)
        track = output.add_stream("flac", rate=rate_hz, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        with reading(name):
            for frame in read_frames(container, stream, packets):
                frame.pts = None
                for part in resampler.resample(frame):
                    output.mux(track.encode(part))
            for part in resampler.resample(None):
                output.mux(track.encode(part))
            output.mux(track.encode(None))
    if packets.num_seen == packets.num_damaged:
        raise refusals.damaged(name, "its sound cannot be read")


def log_spectrogram(samples: FloatArray) -> FloatArray:
    """Power over time and frequency.

    Args:
        samples: mono at 16 kHz, shape ``(num_samples,)``

    Returns:
        dB relative to a full-scale sine, shape ``(num_columns, 256)``: a column every 10 ms, rows
        from 0 Hz up in steps of 31.25 Hz

    Examples:
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 16_000).astype(np.float32)
        >>> levels = log_spectrogram(tone)
        >>> levels.shape, int(levels[5].argmax() * 31.25)
        ((10, 256), 1000)
    """
    num_columns = max(1, -(-len(samples) // _COLUMN))
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW))
    starts = np.arange(num_columns) * _COLUMN
    taper = np.hanning(_WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[starts] * taper
    power = np.abs(rfft(frames, axis=1)[:, : _WINDOW // 2]) ** 2 / (taper.sum() / 2) ** 2
    levels: FloatArray = 10 * np.log10(np.maximum(power, _FLOOR)).astype(np.float32)
    return levels
