"""Every reason to refuse a file, with its words: one function per code."""

from qe_core.config import AudioSettings
from qe_core.errors import AudioError

__all__ = [
    "damaged",
    "empty",
    "missing",
    "no_audio_stream",
    "not_audio",
    "not_finite",
    "silent",
    "too_long",
    "too_short",
    "too_small",
    "unsupported",
]

_FORMATS = "WAV, MP3, M4A, FLAC, OGG, Opus, WebM or MP4"
_EXPORT_AGAIN = "Export the file again and check that the copy was finished."


def missing(name: str, why: str) -> AudioError:
    """The path leads to nothing that can be read."""
    return AudioError(
        f"{name}: cannot be opened ({why}).",
        suggestion="Check that the file exists, is a file and may be read.",
        code="missing",
    )


def empty(name: str) -> AudioError:
    """The file has no bytes."""
    return AudioError(f"{name}: 0 bytes.", suggestion=_EXPORT_AGAIN, code="empty")


def too_small(name: str, size_bytes: int, limits: AudioSettings) -> AudioError:
    """The file has too few bytes to hold a clip."""
    return AudioError(
        f"{name}: {size_bytes} bytes; a clip needs more than {limits.min_size_bytes} bytes.",
        suggestion=_EXPORT_AGAIN,
        code="too_small",
    )


def not_audio(name: str) -> AudioError:
    """The content is of no container that is read here."""
    return AudioError(
        f"{name}: not an audio file.",
        suggestion=f"Choose a {_FORMATS} file; its content counts, not its name.",
        code="not_audio",
    )


def no_audio_stream(name: str, *, has_video: bool) -> AudioError:
    """The container is fine but there is no sound in it."""
    what = "a video without a sound track" if has_video else "a container without sound"
    return AudioError(
        f"{name}: {what}.",
        suggestion="Export it again with its sound track, or choose another file.",
        code="no_audio_stream",
    )


def unsupported(name: str, what: str) -> AudioError:
    """The sound is stored in a way that cannot be decoded."""
    return AudioError(
        f"{name}: {what} cannot be decoded.",
        suggestion=f"Convert the recording to {_FORMATS} at 8 to 48 kHz without copy protection.",
        code="unsupported",
    )


def damaged(name: str, what: str) -> AudioError:
    """The file is broken or cut off, and too little of it is left."""
    return AudioError(
        f"{name}: damaged or cut off; {what}.",
        suggestion="Copy or export the recording again from its source.",
        code="damaged",
    )


def too_short(name: str, duration_s: float, limits: AudioSettings) -> AudioError:
    """The clip is shorter than the limit."""
    return AudioError(
        f"{name}: {duration_s:.2f} s long; a clip needs more than {limits.min_duration_s:g} s.",
        suggestion="Choose a longer recording.",
        code="too_short",
    )


def too_long(name: str, duration_s: float | None, limits: AudioSettings) -> AudioError:
    """The clip is longer than the limit; without a duration, decoding was stopped there."""
    limit = _clock(limits.max_duration_s)
    length = f"{_clock(duration_s)} long" if duration_s is not None else f"longer than {limit}"
    return AudioError(
        f"{name}: {length}; at most {limit} (hours:minutes:seconds) is accepted.",
        suggestion="Cut the recording into shorter files, or raise audio.max_duration_s.",
        code="too_long",
    )


def not_finite(name: str) -> AudioError:
    """Some samples are NaN, infinite or beyond any scale."""
    return AudioError(
        f"{name}: holds samples that are not numbers (NaN or infinite).",
        suggestion="Export the recording again, for example as 16-bit WAV.",
        code="not_finite",
    )


def silent(name: str) -> AudioError:
    """Every sample is zero or next to it."""
    return AudioError(
        f"{name}: digital silence from beginning to end.",
        suggestion="Check that the microphone was on and that the right channel was exported.",
        code="silent",
    )


def _clock(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
