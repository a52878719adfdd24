"""Bandwidth is what the recording carries, whatever rate it is stored at."""

import numpy as np
import pytest
from scipy.signal import butter, resample, sosfiltfilt

from qe_core.audio import decode, measure_bandwidth_hz
from qe_core.bandwidth import BandwidthMeter
from qe_core.config import AudioSettings
from qe_core.types import FloatArray
from tests.audio_files import Encoding, encode, pcm16_wav, tone

LIMITS = AudioSettings()


def noise(duration_s: float, rate_hz: int, level: float = 0.2) -> FloatArray:
    rng = np.random.default_rng(7)
    return rng.normal(0, level, round(duration_s * rate_hz)).astype(np.float32)


def low_passed(samples: FloatArray, rate_hz: int, cutoff_hz: float) -> FloatArray:
    filtered = sosfiltfilt(butter(12, cutoff_hz, fs=rate_hz, output="sos"), samples)
    return filtered.astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_noise_low_passed_at_4_khz_has_4_khz(rate_hz: int) -> None:
    bandwidth_hz = measure_bandwidth_hz(low_passed(noise(2, rate_hz), rate_hz, 4000), rate_hz)
    assert bandwidth_hz == pytest.approx(4500, abs=600)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_white_noise_fills_the_whole_band(rate_hz: int) -> None:
    assert measure_bandwidth_hz(noise(1, rate_hz), rate_hz) == rate_hz / 2


def test_a_native_8_khz_file_has_at_most_4_khz() -> None:
    audio = decode(pcm16_wav(noise(1, 8_000), 8_000), name="phone.wav", limits=LIMITS)
    assert audio.source.bandwidth_hz == 4000


def test_a_telephone_band_stays_narrow_when_it_is_stored_at_48_khz() -> None:
    upsampled = resample(noise(1, 8_000), 48_000).astype(np.float32)
    audio = decode(pcm16_wav(upsampled, 48_000), name="phone.wav", limits=LIMITS)
    assert audio.source.bandwidth_hz == pytest.approx(4000, abs=300)


def test_bandwidth_is_measured_before_resampling() -> None:
    audio = decode(pcm16_wav(noise(1, 48_000), 48_000), name="a.wav", limits=LIMITS)
    assert audio.source.bandwidth_hz == 24_000


def test_a_low_bit_rate_codec_shows() -> None:
    encoding = Encoding("mp3", "libmp3lame", "s16p", 44_100, "mono", 32_000)
    audio = decode(encode(noise(1, 44_100), encoding), name="a.mp3", limits=LIMITS)
    assert audio.source.bandwidth_hz is not None
    assert audio.source.bandwidth_hz < 14_000


def test_a_constant_offset_and_mains_hum_do_not_hide_speech() -> None:
    quiet = low_passed(noise(2, 16_000, 0.001), 16_000, 4000)
    disturbed = quiet + 0.5 + tone(2, frequency_hz=50.0, level=0.4)
    assert measure_bandwidth_hz(disturbed.astype(np.float32), 16_000) == pytest.approx(
        4500, abs=600
    )


@pytest.mark.parametrize("samples", [np.zeros(16_000), np.zeros(0), np.ones(400)])
def test_nothing_to_measure_has_no_bandwidth(samples: FloatArray) -> None:
    assert measure_bandwidth_hz(samples.astype(np.float32), 16_000) is None


def test_level_does_not_change_the_bandwidth() -> None:
    samples = low_passed(noise(2, 16_000), 16_000, 3000)
    assert measure_bandwidth_hz(samples, 16_000) == measure_bandwidth_hz(
        samples / np.float32(300), 16_000
    )


def test_a_long_recording_is_represented_by_its_late_part_too() -> None:
    meter = BandwidthMeter(16_000)
    narrow, wide = low_passed(noise(1, 16_000), 16_000, 3000), noise(1, 16_000)
    for block in [narrow] * 200 + [wide] * 200:
        meter.add(block)
    assert meter.result_hz() == 8000
