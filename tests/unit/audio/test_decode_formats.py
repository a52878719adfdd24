"""Every container, codec, bit depth, channel count and sample rate gives the same clip."""

import io
from pathlib import Path

import numpy as np
import pytest

from qe_core.audio import decode, inspect
from qe_core.config import AudioSettings
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray
from tests.audio_files import (
    ENCODINGS,
    Encoding,
    encode,
    float_wav,
    pcm16_wav,
    tone,
    video_with_sound,
    wav,
)

LIMITS = AudioSettings()
LOSSY_PADDING_S = 0.1


def loudest_hz(audio: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples * np.hanning(len(audio.samples))))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / len(audio.samples)


def rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_format_keeps_pitch_level_and_length(name: str) -> None:
    encoding = ENCODINGS[name]
    audio = decode(encode(tone(1.2, encoding.rate_hz), encoding), name=name, limits=LIMITS)
    assert audio.samples.dtype == np.float32
    assert audio.duration_s == pytest.approx(1.2, abs=LOSSY_PADDING_S)
    assert loudest_hz(audio) == pytest.approx(1000.0, abs=1.0)
    assert rms(audio.samples[4000:16000]) == pytest.approx(0.5 / np.sqrt(2), rel=0.08)


def test_sound_of_a_video_is_decoded() -> None:
    audio = decode(video_with_sound(tone(1.2)), name="talk.mp4", limits=LIMITS)
    assert audio.source.codec == "aac"
    assert loudest_hz(audio) == pytest.approx(1000.0, abs=1.0)


@pytest.mark.parametrize(
    ("codec", "sample_format", "bits"),
    [
        ("pcm_u8", "u8", 8),
        ("pcm_s16le", "s16", 16),
        ("pcm_s24le", "s32", 24),
        ("pcm_s32le", "s32", 32),
        ("pcm_f32le", "flt", 32),
        ("pcm_f64le", "dbl", 64),
        ("pcm_alaw", "s16", 8),
        ("pcm_mulaw", "s16", 8),
    ],
)
def test_each_bit_depth_keeps_the_samples(codec: str, sample_format: str, bits: int) -> None:
    original = tone(0.6)
    data = encode(original, Encoding("wav", codec, sample_format))
    audio = decode(data, name="a.wav", limits=LIMITS)
    step = 0.03 if codec.endswith("law") else 2.0 ** (2 - min(bits, 22))
    np.testing.assert_allclose(audio.samples, original, atol=step)
    assert audio.source.codec == codec


@pytest.mark.parametrize("layout", ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"])
def test_each_channel_count_is_read(layout: str) -> None:
    original = tone(0.6)
    data = encode(original, Encoding("wav", "pcm_s16le", "s16", layout=layout))
    audio = decode(data, name="a.wav", limits=LIMITS)
    np.testing.assert_allclose(audio.samples, original, atol=1e-3)


def test_eight_planar_channels_are_read_without_touching_a_ninth() -> None:
    data = encode(tone(0.8, 48_000), Encoding("mp4", "aac", "fltp", 48_000, "7.1"))
    audio = decode(data, name="a.m4a", limits=LIMITS)
    assert audio.source.num_channels == 8
    assert loudest_hz(audio) == pytest.approx(1000.0, abs=1.0)


@pytest.mark.parametrize(("codec", "sample_format"), [("pcm_f32le", "flt"), ("pcm_u8", "u8")])
def test_downmix_is_the_plain_mean_of_channels(codec: str, sample_format: str) -> None:
    channels = np.stack([tone(0.6, level=0.1 * index) for index in range(1, 7)])
    data = encode(channels, Encoding("wav", codec, sample_format, layout="5.1"))
    audio = decode(data, name="a.wav", limits=LIMITS)
    np.testing.assert_allclose(audio.samples, channels.mean(axis=0), atol=0.01)
    assert audio.source.num_channels == 6


def test_planar_channels_are_averaged_too() -> None:
    channels = np.stack([tone(1.2, 48_000), np.zeros(57_600, dtype=np.float32)])
    data = encode(channels, Encoding("mp4", "aac", "fltp", 48_000, "stereo"))
    audio = decode(data, name="a.m4a", limits=LIMITS)
    assert rms(audio.samples[4000:16000]) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    "rate_hz", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]
)
def test_each_sample_rate_gives_the_same_clip(rate_hz: int) -> None:
    audio = decode(pcm16_wav(tone(1.0, rate_hz), rate_hz), name="a.wav", limits=LIMITS)
    assert len(audio.samples) == SAMPLE_RATE_HZ
    np.testing.assert_allclose(audio.samples[400:-400], tone(1.0)[400:-400], atol=1e-3)
    assert audio.source.sample_rate_hz == rate_hz


def test_nothing_above_the_new_band_folds_back() -> None:
    audio = decode(
        pcm16_wav(tone(1.0, 48_000, frequency_hz=11_000.0), 48_000), name="a.wav", limits=LIMITS
    )
    assert rms(audio.samples[1600:-1600]) < 1e-3


def test_a_rate_that_changes_on_the_way_keeps_the_pitch() -> None:
    first = encode(tone(1.0, 48_000), Encoding("mp3", "libmp3lame", "s16p", 48_000))
    second = encode(tone(1.0, 44_100), Encoding("mp3", "libmp3lame", "s16p", 44_100))
    audio = decode(first + second, name="joined.mp3", limits=LIMITS)
    assert audio.duration_s == pytest.approx(2.0, abs=0.15)
    for half in np.array_split(audio.samples, 2):
        assert loudest_hz(Audio(half[2000:-2000], audio.source)) == pytest.approx(1000.0, abs=2.0)


def test_samples_beyond_full_scale_turn_the_clip_down() -> None:
    audio = decode(float_wav(tone(0.6, level=4.0)), name="hot.wav", limits=LIMITS)
    np.testing.assert_allclose(audio.samples, tone(0.6, level=1.0), atol=1e-6)


def test_integers_stored_as_floats_become_sound() -> None:
    audio = decode(float_wav(tone(0.6) * 32768), name="ints.wav", limits=LIMITS)
    assert rms(audio.samples) == pytest.approx(1 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("name", ["speech.mp3", "speech", "speech.txt", "../x.exe"])
def test_the_name_does_not_decide_what_a_file_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / Path(name).name
    path.write_bytes(pcm16_wav(tone(0.6)))
    assert decode(path, name=name, limits=LIMITS).source.container == "wav"


def test_path_bytes_and_open_file_give_the_same_clip(tmp_path: Path) -> None:
    data = pcm16_wav(tone(0.6))
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    file = io.BytesIO(data)
    file.read(100)
    clips = [decode(source, name="a.wav", limits=LIMITS) for source in (path, data, file)]
    assert not file.closed
    for clip in clips:
        np.testing.assert_array_equal(clip.samples, clips[0].samples)


def test_a_name_on_an_open_file_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "playlist.m3u8"
    path.write_bytes(pcm16_wav(tone(0.6)))
    with path.open("rb") as file:
        assert decode(file, name="a.wav", limits=LIMITS).source.container == "wav"


def test_header_that_claims_four_gigabytes_is_read_to_the_real_end() -> None:
    samples = tone(1.5)
    data = wav(pcm16_wav(samples)[44:], claimed_bytes=0xFFFFFFF0)
    assert decode(data, name="stream.wav", limits=LIMITS).duration_s == pytest.approx(1.5)
    assert inspect(data, name="stream.wav", limits=LIMITS).duration_s == pytest.approx(
        1.5, abs=0.01
    )


def test_truncated_mp3_is_taken_as_far_as_it_goes() -> None:
    data = encode(tone(3.0), ENCODINGS["mp3"])
    audio = decode(data[: len(data) // 2], name="cut.mp3", limits=LIMITS)
    assert 1.2 < audio.duration_s < 1.6


def test_damage_in_the_middle_costs_only_the_damaged_part() -> None:
    data = bytearray(encode(tone(3.0), ENCODINGS["flac"]))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    audio = decode(bytes(data), name="scratched.flac", limits=LIMITS)
    assert 2.0 < audio.duration_s <= 3.0


def test_progress_rises_to_one() -> None:
    shares: list[float] = []
    decode(
        pcm16_wav(tone(4.0)),
        name="a.wav",
        limits=LIMITS,
        on_progress=lambda share, _: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.25, abs=0.05)
    assert shares[-1] == 1.0


def test_inspect_reads_the_facts_without_decoding() -> None:
    data = encode(tone(1.2, 44_100), Encoding("mp3", "libmp3lame", "s16p", 44_100, "stereo"))
    facts = inspect(data, name="a.mp3", limits=LIMITS)
    assert (facts.container, facts.codec) == ("mp3", "mp3")
    assert (facts.sample_rate_hz, facts.num_channels) == (44_100, 2)
    assert facts.duration_s == pytest.approx(1.2, abs=LOSSY_PADDING_S)
    assert facts.size_bytes == len(data)
