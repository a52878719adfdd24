import librosa
import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from qe_core.features.acoustic import AcousticFeatures
from tests.unit.features.sounds import (
    at_snr,
    context,
    noise,
    speech_like,
    syllables,
    tone,
)

# What does not depend on how loud the recording is.
RELATIVE = (
    "crest_db",
    "dynamic_range_db",
    "snr_db",
    "wada_snr_db",
    "wada_snr_p10_db",
    "codec_cliff_db",
    "high_band_db",
    "rumble_db",
    "spectral_centroid_hz",
    "spectral_rolloff_hz",
    "spectral_flatness",
    "zero_crossings_hz",
    "modulation_depth",
    "modulation_tilt_db",
    "voiced_share",
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(24)


def measure(samples, *speech, bandwidth_hz=None):
    return AcousticFeatures().extract(context(samples, *speech, bandwidth_hz=bandwidth_hz))


def test_duration_and_speech_are_counted(rng):
    values = measure(noise(rng, 6), (1.0, 2.0), (3.0, 5.0))
    assert values["duration_s"] == pytest.approx(6)
    assert values["speech_s"] == pytest.approx(3)
    assert values["speech_share"] == pytest.approx(0.5)
    assert values["speech_spans_per_minute"] == pytest.approx(20)


def test_full_scale_sine_has_its_textbook_level_and_crest():
    values = measure(tone(440, 2, 1.0))
    assert values["level_dbfs"] == pytest.approx(-3.01, abs=0.05)
    assert values["crest_db"] == pytest.approx(3.01, abs=0.05)
    assert values["noise_floor_dbfs"] == pytest.approx(-3.01, abs=0.1)
    assert values["dynamic_range_db"] == pytest.approx(0, abs=0.1)


def test_every_sample_weighs_the_same_in_the_level(rng):
    sound = np.concatenate([noise(rng, 10, rms=0.1), noise(rng, 1, rms=0.4)])
    expected = 10 * np.log10(np.mean(sound**2))
    assert measure(sound)["level_dbfs"] == pytest.approx(expected, abs=0.01)


def test_constant_offset_is_not_taken_for_sound():
    values = measure(np.full(16_000, 0.5))
    assert values["level_dbfs"] == values["noise_floor_dbfs"] == -100
    assert values["zero_crossings_hz"] == 0


def test_constant_offset_changes_nothing(rng):
    sound = at_snr(rng, syllables(rng, 3), 25) * 0.2
    before, after = (measure(part, (0.2, 1.4)) for part in (sound, sound + 0.2))
    for name in set(before) - {"wada_snr_db", "wada_snr_p10_db", "pitch_hz", "decay_s"}:
        assert after[name] == pytest.approx(before[name], rel=0.01, abs=0.1, nan_ok=True), name


@pytest.mark.parametrize("snr_db", [0, 10, 25])
def test_snr_of_a_tone_in_white_noise_is_measured_within_1_db(rng, snr_db):
    is_on = np.repeat([0, 1, 0, 1], 16_000)
    hum = tone(1000, 4, 0.2) * is_on
    rms = 0.2 / np.sqrt(2) / 10 ** (snr_db / 20)
    values = measure(hum + noise(rng, 4, rms), (1.0, 2.0), (3.0, 4.0))
    assert values["snr_db"] == pytest.approx(snr_db, abs=1)


def test_snr_needs_both_speech_and_a_pause(rng):
    sound = noise(rng, 2)
    assert np.isnan(measure(sound)["snr_db"])
    assert np.isnan(measure(sound, (0.0, 2.0))["snr_db"])


def test_speech_weaker_than_the_pauses_reads_the_lowest_snr(rng):
    sound = np.concatenate([noise(rng, 1, 0.3), noise(rng, 1, 0.03)])
    assert measure(sound, (1.0, 2.0))["snr_db"] == -20


def test_worst_three_seconds_are_reported_beside_the_whole(rng):
    sound = at_snr(rng, speech_like(rng, 12), 30)
    sound[: 3 * 16_000] = at_snr(rng, speech_like(rng, 3), 0)
    values = measure(sound)
    assert values["wada_snr_p10_db"] < values["wada_snr_db"] - 3


def test_bandwidth_is_the_one_measured_before_resampling(rng):
    assert measure(noise(rng, 1), bandwidth_hz=3400.0)["bandwidth_hz"] == 3400.0
    assert np.isnan(measure(noise(rng, 1))["bandwidth_hz"])


def test_low_pass_at_4_khz_leaves_a_cliff_and_no_treble(rng):
    wide = noise(rng, 3)
    low_pass = butter(16, 4000, fs=16_000, output="sos")
    narrow = measure(sosfilt(low_pass, wide))
    assert measure(wide)["codec_cliff_db"] < 3
    assert narrow["codec_cliff_db"] > 15
    assert narrow["high_band_db"] < -15
    assert narrow["spectral_rolloff_hz"] < 4000


def test_white_noise_has_its_band_ratio_in_bins(rng):
    # Equal density: 3500 Hz of treble against 3100 Hz of speech band.
    expected = 10 * np.log10(3500 / 3100)
    assert measure(noise(rng, 4))["high_band_db"] == pytest.approx(expected, abs=0.2)


def test_hum_is_rumble(rng):
    quiet = measure(noise(rng, 2, 0.01))["rumble_db"]
    assert measure(noise(rng, 2, 0.01) + tone(100, 2, 0.3))["rumble_db"] > quiet + 20


def test_noise_is_flat_and_a_tone_is_not(rng):
    assert measure(noise(rng, 2))["spectral_flatness"] == pytest.approx(0.56, abs=0.05)
    assert measure(tone(1000, 2))["spectral_flatness"] < 0.01


def test_a_tone_crosses_zero_twice_per_period():
    assert measure(tone(1000, 2))["zero_crossings_hz"] == pytest.approx(2000, rel=0.01)


@pytest.mark.slow  # librosa compiles itself at first use
def test_spectral_shape_agrees_with_librosa(rng):
    sound = syllables(rng, 3).astype(np.float32) + noise(rng, 3, 0.01).astype(np.float32)
    power = np.abs(librosa.stft(sound, n_fft=512, hop_length=160, center=False, window="hann")) ** 2
    values = measure(sound)
    centroid = librosa.feature.spectral_centroid(S=power, sr=16_000).mean()
    rolloff = librosa.feature.spectral_rolloff(S=power, sr=16_000).mean()
    assert values["spectral_centroid_hz"] == pytest.approx(centroid, rel=0.01)
    assert values["spectral_rolloff_hz"] == pytest.approx(rolloff, rel=0.01)


def test_shape_is_that_of_the_speech_where_there_is_any():
    sound = np.concatenate([tone(500, 1), tone(3000, 1)])
    assert measure(sound, (1.05, 1.95))["spectral_centroid_hz"] == pytest.approx(3000, rel=0.02)


@pytest.mark.parametrize("gain", [1 / 32, 4.0])
def test_relative_features_do_not_depend_on_the_level(rng, gain):
    sound = at_snr(rng, syllables(rng, 3), 25) * 0.2
    before, after = (measure(part, (0.2, 1.4), (2.0, 2.8)) for part in (sound, sound * gain))
    for name in RELATIVE:
        assert after[name] == pytest.approx(before[name], rel=1e-3, abs=0.02), name
    assert after["level_dbfs"] - before["level_dbfs"] == pytest.approx(20 * np.log10(gain))


def test_silence_has_a_level_and_nothing_relative():
    values = measure(np.zeros(16_000))
    assert values["level_dbfs"] == -100
    assert values["noise_floor_dbfs"] == -100
    for name in ("crest_db", "wada_snr_db", "spectral_centroid_hz", "codec_cliff_db", "pitch_hz"):
        assert np.isnan(values[name]), name


def test_a_click_in_silence_has_a_high_crest():
    click = np.zeros(32_000)
    click[16_000] = 0.9
    assert measure(click)["crest_db"] > 40
