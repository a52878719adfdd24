"""Decoding: any container in, one mono 16 kHz clip out, or a refusal that says what to do."""

import io
import math
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from qe_core import refusals
from qe_core.asr.base import Progress
from qe_core.bandwidth import measure_bandwidth_hz
from qe_core.config import AudioSettings
from qe_core.errors import AudioError
from qe_core.take import MAX_CHANNELS, Take
from qe_core.types import Audio, FloatArray, SourceFormat

__all__ = [
    "ClipFacts",
    "Packets",
    "Source",
    "SourceFormat",
    "decode",
    "inspect",
    "measure_bandwidth_hz",
    "opened",
    "read_frames",
    "reading",
    "safe_file_name",
    "waveform_peaks",
]

Source = Path | BinaryIO | bytes

# Recognised by content and decodable without opening a second file. Playlists, image lists and
# text formats stay outside: FFmpeg would follow the paths and addresses inside them.
_CONTAINERS = (
    "wav,w64,mp3,aac,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aiff,caf,au,amr,asf,avi,"
    "mpegts,mpeg"
)
# What real audio begins with (MP4 has "ftyp" after its size): "damaged" says more than "not audio".
_SIGNATURES = (b"RIFF", b"ID3", b"fLaC", b"OggS", b"\x1aE\xdf\xa3")
_OPEN_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "none",
    # Looking for other codecs inside PCM: the default of 2500 packets doubles the time to open.
    "max_probe_packets": "50",
}
# Nothing in use stores speech at less than 4 kbit/s: a header that claims more seconds than the
# bytes could hold at this rate is not believed.
_MIN_BYTES_PER_S = 500.0
# Packets that cannot be decoded are left out; beyond this share the clip is not worth hearing.
_MAX_DAMAGED_SHARE = 0.5
# What PyAV raises for bytes that FFmpeg does not like; FFmpegError alone does not cover it.
_FAULTS = (av.FFmpegError, ValueError, OSError, RuntimeError, LookupError, MemoryError)
_MAX_NAME_CHARS = 120
_MAX_ENDING_CHARS = 10
# Zero-width characters that emoji and some scripts are spelt with.
_JOINERS = "\u200c\u200d\ufe0f"


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What the header of a file says; nothing of it has been verified by decoding.

    Args:
        container: short name of the container by content
        codec: short name of the audio codec
        sample_rate_hz: sample rate in the file
        num_channels: channels in the file
        duration_s: length in seconds; ``None`` when the header does not say or cannot be right
        size_bytes: size of the file
    """

    container: str
    codec: str
    sample_rate_hz: int
    num_channels: int
    duration_s: float | None
    size_bytes: int


def decode(
    source: Source, *, name: str, limits: AudioSettings, on_progress: Progress | None = None
) -> Audio:
    """Decode a file into one mono clip at 16 kHz.

    Memory stays near the size of the result, whatever the file holds. A file that breaks off is
    taken as far as it goes if that is long enough, and packets that cannot be decoded are left
    out. Samples beyond full scale turn the whole clip down instead of being clipped.

    Args:
        source: path, bytes, or an open seekable binary file, which is read from its beginning and
            left open
        name: file name for messages; the container is told by content alone
        limits: accepted sizes and durations
        on_progress: told how far the decoding is

    Returns:
        the mean of all channels, resampled, with the format the file had

    Raises:
        AudioError: the file is refused; ``code`` names one of the functions of
            :mod:`qe_core.refusals`
    """
    name = safe_file_name(name)
    with opened(source, name, limits) as (container, stream, facts):
        take = Take(name, limits)
        packets = Packets()
        expected_s = facts.duration_s or math.inf
        for frame in read_frames(container, stream, packets):
            with reading(name):
                is_block_full = take.add(frame)
            if is_block_full and on_progress is not None:
                on_progress(min(1.0, take.duration_s / expected_s), "decoding")
        with reading(name):
            take.flush()
    _check(take, packets, name, facts, limits)
    if on_progress is not None:
        on_progress(1.0, "decoded")
    return take.finish(container=facts.container, codec=facts.codec)


def inspect(source: Source, *, name: str, limits: AudioSettings) -> ClipFacts:
    """Read the header of a file: cheap, and enough to refuse most bad files at the door.

    Args:
        source: path, bytes, or an open seekable binary file
        name: file name for messages
        limits: accepted sizes and durations

    Returns:
        what the header says

    Raises:
        AudioError: the file is refused, see :func:`decode`
    """
    with opened(source, safe_file_name(name), limits) as (_, _, facts):
        return facts


def waveform_peaks(audio: Audio, num_bins: int = 2000) -> FloatArray:
    """Reduce a clip to the lowest and highest sample per stretch, for drawing.

    Args:
        audio: the clip
        num_bins: number of stretches of equal length

    Returns:
        shape ``(num_bins, 2)``: minimum and maximum in [-1, 1]

    Examples:
        >>> ramp = np.array([-0.5, 0.0, 0.25, 1.0], dtype=np.float32)
        >>> waveform_peaks(Audio(ramp, SourceFormat("wav", "pcm_f32le", 16000, 1)), 2).tolist()
        [[-0.5, 0.0], [0.25, 1.0]]
    """
    samples = audio.samples
    if len(samples) == 0:
        return np.zeros((num_bins, 2), dtype=np.float32)
    starts = np.arange(num_bins) * len(samples) // num_bins
    lows, highs = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return np.stack([lows, highs], axis=1)


def safe_file_name(name: str) -> str:
    r"""Make a file name from outside fit for screens and logs.

    Args:
        name: whatever a browser, an archive or a person called a file

    Returns:
        the last path part without control, direction and other invisible characters, at most 120
        characters with the ending kept; ``"clip"`` when nothing is left

    Examples:
        >>> safe_file_name("../../etc/pass\nwd 🎤.wav")
        'pass wd 🎤.wav'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = " ".join("".join(char if _is_visible(char) else " " for char in last).split())
    if not plain.strip("." + _JOINERS):
        return "clip"
    if len(plain) <= _MAX_NAME_CHARS:
        return plain
    stem, dot, ending = plain.rpartition(".")
    if not stem or len(ending) > _MAX_ENDING_CHARS:
        return plain[: _MAX_NAME_CHARS - 1] + "…"
    return stem[: _MAX_NAME_CHARS - len(dot + ending) - 1] + "…" + dot + ending


def _is_visible(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char)[0] != "C"


class _Nameless:
    """A file without its name, so that FFmpeg cannot judge it by its ending."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


@dataclass(slots=True)
class Packets:
    """How many packets of a file were seen, and how many could not be decoded."""

    num_seen: int = 0
    num_damaged: int = 0


@contextmanager
def opened(
    source: Source, name: str, limits: AudioSettings
) -> Iterator[tuple[InputContainer, AudioStream, ClipFacts]]:
    """Open a file by its content alone, as :func:`decode` does, and say what its header claims."""
    with _as_file(source, name) as file:
        size_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        if size_bytes == 0:
            raise refusals.empty(name)
        if size_bytes <= limits.min_size_bytes:
            raise refusals.too_small(name, size_bytes, limits)
        with _container(file, name) as container:
            stream = _audio_stream(container, name)
            facts = _read_facts(container, stream, size_bytes)
            if facts.duration_s is not None and facts.duration_s > limits.max_duration_s:
                raise refusals.too_long(name, facts.duration_s, limits)
            yield container, stream, facts


@contextmanager
def _as_file(source: Source, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    if not isinstance(source, Path):
        yield source
        return
    try:
        if source.exists() and not source.is_file():
            raise refusals.missing(name, "not a file")
        file = source.open("rb")
    except OSError as exc:
        raise refusals.missing(name, exc.strerror or "unreadable") from exc
    with file:
        yield file


def _container(file: BinaryIO, name: str) -> InputContainer:
    try:
        return av.open(
            _Nameless(file),
            mode="r",
            options=_OPEN_OPTIONS,
            metadata_errors="replace",
        )
    except _FAULTS as exc:
        file.seek(0)
        head = file.read(12)
        if head.startswith(_SIGNATURES) or head[4:8] == b"ftyp":
            raise refusals.damaged(name, "its header or index cannot be read") from exc
        raise refusals.not_audio(name) from exc


def _audio_stream(container: InputContainer, name: str) -> AudioStream:
    stream = container.streams.best("audio")
    if stream is None and container.streams.audio:
        stream = container.streams.audio[0]
    if not isinstance(stream, AudioStream):
        raise refusals.no_audio_stream(name, has_video=bool(container.streams.video))
    if stream.codec_context is None:
        raise refusals.unsupported(name, "its audio codec")
    if not 1 <= stream.codec_context.layout.nb_channels <= MAX_CHANNELS:
        num_channels = stream.codec_context.layout.nb_channels
        raise refusals.unsupported(name, f"a sound track with {num_channels} channels")
    return stream


def _read_facts(container: InputContainer, stream: AudioStream, size_bytes: int) -> ClipFacts:
    context = stream.codec_context
    codec = context.codec.canonical_name
    return ClipFacts(
        container=container.format.name,
        codec=codec,
        sample_rate_hz=context.sample_rate,
        num_channels=context.layout.nb_channels,
        duration_s=_believable_duration_s(container, stream, size_bytes),
        size_bytes=size_bytes,
    )


def _believable_duration_s(
    container: InputContainer, stream: AudioStream, size_bytes: int
) -> float | None:
    """What the header claims, held against the number of bytes there are."""
    if stream.duration is not None and stream.time_base is not None:
        claimed_s = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        claimed_s = container.duration / av.time_base
    else:
        return None
    context = stream.codec_context
    if context.codec.canonical_name.startswith("pcm_") and context.bit_rate:
        claimed_s = min(claimed_s, size_bytes * 8 / context.bit_rate)
    return claimed_s if 0 < claimed_s <= size_bytes / _MIN_BYTES_PER_S else None


def read_frames(
    container: InputContainer, stream: AudioStream, packets: Packets
) -> Iterator[AudioFrame]:
    """Decode packet by packet; what cannot be decoded is counted and left out."""
    demuxed = container.demux(stream)
    is_at_end = False
    while not is_at_end:
        frames: list[AudioFrame] = []
        try:
            packet = next(demuxed, None)
            is_at_end = packet is None
            if packet is not None:
                packets.num_seen += 1
                frames = packet.decode()
        except _FAULTS:
            packets.num_damaged += 1
        for frame in frames:
            # A broken header inside the stream; such a frame would also be read out of bounds.
            if frame.layout.nb_channels > MAX_CHANNELS:
                packets.num_damaged += 1
            else:
                yield frame


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Whatever PyAV has against a frame becomes a refusal."""
    try:
        yield
    except AudioError:
        raise
    except _FAULTS as exc:
        raise refusals.damaged(name, "its sound cannot be read") from exc


def _check(
    take: Take, packets: Packets, name: str, facts: ClipFacts, limits: AudioSettings
) -> None:
    if packets.num_damaged > _MAX_DAMAGED_SHARE * packets.num_seen:
        raise refusals.damaged(name, "most of it cannot be decoded")
    if take.duration_s <= limits.min_duration_s:
        promised_s = facts.duration_s or 0.0
        if packets.num_damaged or promised_s > limits.min_duration_s:
            raise refusals.damaged(name, f"only {take.duration_s:.2f} s of sound can be decoded")
        raise refusals.too_short(name, take.duration_s, limits)
    if take.is_silent:
        raise refusals.silent(name)
