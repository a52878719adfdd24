"""Every bad file gets its own message and a suggestion, and FFmpeg stays silent."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from qe_core.audio import decode, inspect
from qe_core.config import AudioSettings
from qe_core.errors import AudioError
from tests.audio_files import ENCODINGS, encode, encode_as, float_wav, pcm16_wav, silent_video, tone
from tests.audio_files import wav as make_wav

LIMITS = AudioSettings()


def refusal(
    source: Path | bytes, name: str = "clip.wav", limits: AudioSettings = LIMITS
) -> AudioError:
    with pytest.raises(AudioError) as caught:
        decode(source, name=name, limits=limits)
    error = caught.value
    assert error.suggestion.endswith(".")
    assert error.message.startswith(name)
    return error


def zip_archive() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("speech.wav", pcm16_wav(tone(1.0)))
    return output.getvalue()


def with_sample(value: float) -> bytes:
    samples = tone(1.0)
    samples[5000] = value
    return float_wav(samples)


MP3 = encode_as("mp3", tone(3.0))
M4A = encode_as("m4a", tone(1.0))
HEADER = 44

BAD_FILES = {
    "0 bytes": (b"", "empty", "0 bytes"),
    "few bytes": (b"RIFF" * 10, "too_small", "40 bytes; a clip needs more than 1024 bytes"),
    "text": (b"This is not sound.\n" * 200, "not_audio", "not an audio file"),
    "zip": (zip_archive(), "not_audio", "not an audio file"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(4000), "not_audio", "not an audio file"),
    "zeros": (bytes(4000), "not_audio", "not an audio file"),
    "html": (b"<!doctype html><html><body>404</body></html>" * 50, "not_audio", "not an audio"),
    "0.1 s": (pcm16_wav(tone(0.1)), "too_short", "0.10 s long; a clip needs more than 0.5 s"),
    "exactly the minimum": (pcm16_wav(tone(0.5)), "too_short", "0.50 s long"),
    "silence": (pcm16_wav(np.zeros(16_000, np.float32)), "silent", "digital silence"),
    "8-bit silence": (make_wav(b"\x7f" * 16_000, bits=8), "silent", "digital silence"),
    "silent mp3": (encode_as("mp3", np.zeros(32_000, np.float32)), "silent", "digital silence"),
    "nan": (with_sample(np.nan), "not_finite", "not numbers"),
    "infinite": (with_sample(np.inf), "not_finite", "not numbers"),
    "absurd": (with_sample(1e30), "not_finite", "not numbers"),
    "video": (silent_video(), "no_audio_stream", "a video without a sound track"),
    "cut mp3": (MP3[:1100], "too_short", "clip needs more than 0.5 s"),
    "cut m4a": (M4A[: len(M4A) // 2], "damaged", "header or index cannot be read"),
    "scrambled": (
        encode_as("flac", tone(1.0))[:200] + np.random.default_rng(1).bytes(9000),
        "damaged",
        "damaged or cut off",
    ),
    "absurd rate": (make_wav(bytes(40_000), rate_hz=3), "unsupported", "sample rate of 3 Hz"),
    "absurd channels": (make_wav(bytes(40_000), num_channels=9), "unsupported", "9 channels"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_is_refused_with_its_reason(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, code, words = BAD_FILES[case]
    error = refusal(data)
    assert error.code == code
    assert words in error.message
    assert capfd.readouterr() == ("", "")


def test_unknown_codec_is_refused() -> None:
    data = bytearray(make_wav(bytes(40_000)))
    data[20:22] = b"\x44\x44"  # the format tag, which nobody has
    error = refusal(bytes(data))
    assert error.code == "unsupported"
    assert "its audio codec cannot be decoded" in error.message


def test_frames_that_claim_too_many_channels_are_left_out() -> None:
    # Found by the fuzz test: one packet of this file claims 31 channels, and reading the planes of
    # such a frame crashed the process.
    path = Path(__file__).with_name("aac_31_channels.m4a")
    audio = decode(path, name=path.name, limits=LIMITS)
    assert audio.source.num_channels == 1
    assert 0.5 < audio.duration_s < 2.1


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"[playlist]\nFile1=http://127.0.0.1:1/x.mp3\nNumberOfEntries=1\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_playlist_never_opens_what_it_names(playlist: bytes) -> None:
    assert refusal(playlist * 40, name="list.wav").code == "not_audio"


def test_missing_file_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.wav", name="gone.wav")
    assert error.code == "missing"
    assert str(tmp_path) not in error.message


def test_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, name="folder").code == "missing"


def test_three_hours_are_refused_by_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "meeting.wav"
    num_bytes = 3 * 3600 * 8000
    with path.open("wb") as file:
        file.write(make_wav(b"", rate_hz=8000, bits=8, claimed_bytes=num_bytes))
        file.truncate(HEADER + num_bytes)
    error = refusal(path, name="meeting.wav")
    assert error.code == "too_long"
    assert "3:00:00 long; at most 2:00:00" in error.message
    with pytest.raises(AudioError, match="3:00:00"):
        inspect(path, name="meeting.wav", limits=LIMITS)


@pytest.mark.parametrize("name", ["mp3", "flac", "ogg-opus", "m4a"])
def test_header_of_compressed_audio_refuses_what_is_too_long(name: str) -> None:
    encoding = ENCODINGS[name]
    noise = np.random.default_rng(3).normal(0, 0.2, 2 * encoding.rate_hz).astype(np.float32)
    error = refusal(encode(noise, encoding), limits=AudioSettings(max_duration_s=1.0))
    assert error.code == "too_long"
    assert "0:00:02 long" in error.message


def test_decoding_stops_at_the_limit_when_the_header_is_silent() -> None:
    data = make_wav(pcm16_wav(tone(6.0))[HEADER:], claimed_bytes=0)
    # A minute of silence takes so few bytes as FLAC that its header is not believed.
    for source in (data, encode_as("flac", np.zeros(16_000 * 60, np.float32))):
        steps: list[float] = []
        with pytest.raises(AudioError) as caught:
            decode(
                source,
                name="a.wav",
                limits=AudioSettings(max_duration_s=2.0),
                on_progress=lambda share, _, steps=steps: steps.append(share),
            )
        assert caught.value.code == "too_long"
        assert len(steps) <= 3


def test_header_that_claims_hours_for_few_bytes_is_not_believed() -> None:
    data = bytearray(encode_as("flac", tone(1.5)))
    # STREAMINFO: the low 32 bits of the number of samples lie at bytes 22 to 25.
    data[22:26] = (0xFFFFFFF0).to_bytes(4, "big")
    assert inspect(bytes(data), name="a.flac", limits=LIMITS).duration_s is None
    assert decode(bytes(data), name="a.flac", limits=LIMITS).duration_s == pytest.approx(1.5)


def test_refusal_names_the_file_without_its_folders() -> None:
    with pytest.raises(AudioError) as caught:
        decode(b"", name="../../secret/🎤 call.wav", limits=LIMITS)
    assert caught.value.message == "🎤 call.wav: 0 bytes."


def test_limits_come_from_the_settings() -> None:
    data = pcm16_wav(tone(1.0))
    assert refusal(data, limits=AudioSettings(min_duration_s=1.0)).code == "too_short"
    assert refusal(data, limits=AudioSettings(min_size_bytes=len(data))).code == "too_small"
    assert (
        decode(data, name="a", limits=AudioSettings(min_size_bytes=len(data) - 1)).duration_s == 1
    )


def test_an_error_from_the_progress_callback_is_not_taken_for_a_damaged_file() -> None:
    def cancel(share: float, step: str) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        decode(pcm16_wav(tone(2.0)), name="a.wav", limits=LIMITS, on_progress=cancel)
