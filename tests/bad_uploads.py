"""Files that must be refused wherever they come in, with the code of the refusal."""

import io
import zipfile

import numpy as np

from tests.audio_files import encode_as, float_wav, pcm16_wav, tone

__all__ = ["BAD_UPLOADS", "ODD_NAMES"]


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("speech.wav", pcm16_wav(tone(1.0)))
    return file.getvalue()


def _nan() -> bytes:
    samples = tone(1.0)
    samples[5000] = np.nan
    return float_wav(samples)


def _header_that_claims_4_gb() -> bytes:
    data = bytearray(pcm16_wav(tone(0.2)))
    data[4:8] = data[40:44] = (0xFFFF_FFF0).to_bytes(4, "little")
    return bytes(data)


BAD_UPLOADS: dict[str, tuple[bytes, str]] = {
    "0 bytes": (b"", "empty"),
    "text named .wav": (b"This is not sound.\n" * 200, "not_audio"),
    "truncated mp3": (encode_as("mp3", tone(3.0))[:1100], "too_short"),
    "header that claims 4 GB": (_header_that_claims_4_gb(), "too_short"),
    "NaN samples": (_nan(), "not_finite"),
    "0.1 s": (pcm16_wav(tone(0.1)), "too_short"),
    "pure silence": (pcm16_wav(np.zeros(16_000, np.float32)), "silent"),
    "zip": (_zip(), "not_audio"),
}

ODD_NAMES: dict[str, str] = {
    "path": "../../etc/passwd.wav",
    "backslashes": "..\\..\\boot.wav",
    "emoji": "🎤 Grüße.wav",
    "300 characters": "a" * 296 + ".wav",
    "markup": "<img src=x onerror=alert(1)>.wav",
    "control characters": "a\x1b[31m\r\nb.wav",
}
