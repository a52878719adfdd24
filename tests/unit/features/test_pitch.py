import numpy as np
import pytest

from qe_core.features.pitch import measure_pitch
from tests.unit.features.sounds import noise, spans, voice


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(22)


@pytest.mark.parametrize("hz", [80, 110, 163, 240, 330, 390])
def test_steady_voice_has_its_pitch_and_no_spread(hz):
    pitch = measure_pitch(voice(hz, 2).astype(np.float32), ())
    assert pitch.median_hz == pytest.approx(hz, rel=0.02)
    assert pitch.spread_semitones < 0.2
    assert pitch.voiced_share == 1.0


def test_voice_without_its_fundamental_keeps_its_pitch():
    telephone = voice(150, 2) - 0.9 * voice(150, 2).max() * np.sin(
        2 * np.pi * 150 * np.arange(32_000) / 16_000
    ) / (4000 // 150)
    pitch = measure_pitch(telephone.astype(np.float32), ())
    assert pitch.median_hz == pytest.approx(150, rel=0.02)


def test_an_octave_apart_is_twelve_semitones():
    sound = np.concatenate([voice(110, 1), voice(220, 1)]).astype(np.float32)
    assert measure_pitch(sound, ()).spread_semitones == pytest.approx(6, abs=0.3)


def test_gliding_voice_has_the_middle_as_pitch_and_a_known_spread(rng):
    hz = np.linspace(120, 180, 32_000)
    phase = 2 * np.pi * np.cumsum(hz) / 16_000
    sound = sum(np.sin(k * phase) / k for k in range(1, 15)) * 0.2 + noise(rng, 2, 0.005)
    pitch = measure_pitch(sound.astype(np.float32), ())
    assert pitch.median_hz == pytest.approx(150, rel=0.02)
    # The middle 68 % of an even glide.
    spread = 6 * np.log2((120 + 0.84 * 60) / (120 + 0.16 * 60))
    assert pitch.spread_semitones == pytest.approx(spread, abs=0.2)


def test_noise_has_no_pitch(rng):
    pitch = measure_pitch(noise(rng, 3).astype(np.float32), ())
    assert pitch.voiced_share < 0.03
    assert np.isnan(pitch.median_hz) or pitch.voiced_share > 0


def test_only_speech_is_measured():
    sound = np.concatenate([voice(110, 1), voice(220, 1)]).astype(np.float32)
    assert measure_pitch(sound, spans((1.1, 1.9))).median_hz == pytest.approx(220, rel=0.02)


def test_level_does_not_matter():
    sound = voice(123, 1).astype(np.float32)
    assert measure_pitch(sound / 64, ()) == measure_pitch(sound, ())


def test_silence_is_unvoiced():
    pitch = measure_pitch(np.zeros(16_000, np.float32), ())
    assert pitch.voiced_share == 0.0
    assert np.isnan(pitch.median_hz)
    assert np.isnan(pitch.spread_semitones)


def test_too_short_for_a_frame_is_undefined():
    assert np.isnan(measure_pitch(np.ones(100, np.float32), ()).voiced_share)
