import numpy as np
import pytest
from scipy.signal import fftconvolve

from qe_core.features.frames import analyse
from qe_core.features.room import decay_s, modulation
from tests.unit.features.sounds import at_snr, noise, syllables


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(23)


def _in_room(rng, samples, t60_s):
    """The sound in a room where it falls by 60 dB in ``t60_s``."""
    length = int(1.2 * t60_s * 16_000)
    response = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / (t60_s * 16_000))
    return 0.1 * fftconvolve(samples, response)[: len(samples)] / np.sqrt(np.sum(response**2))


@pytest.mark.parametrize("t60_s", [0.3, 0.5, 0.8])
def test_exponential_room_decay_is_measured_within_a_quarter(rng, t60_s):
    sound = _in_room(rng, syllables(rng, 8, rate_hz=1), t60_s).astype(np.float32)
    assert decay_s(analyse(sound, ())) == pytest.approx(t60_s, rel=0.25)


def test_more_reverberation_makes_the_swing_shallower(rng):
    dry = syllables(rng, 3)
    frames = [
        analyse(_in_room(rng, dry, t60_s).astype(np.float32), ()) for t60_s in (0.2, 0.6, 1.5)
    ]
    depths = [modulation(part)[0] for part in frames]
    assert depths[0] > depths[1] > depths[2]


def test_noise_makes_the_swing_shallower(rng):
    dry = syllables(rng, 5)
    depths = [
        modulation(analyse(at_snr(rng, dry, snr_db).astype(np.float32), ()))[0]
        for snr_db in (30, 10, 0, -10)
    ]
    assert depths == sorted(depths, reverse=True)


def test_swing_of_a_known_depth_is_measured(rng):
    time_s = np.arange(10 * 16_000) / 16_000
    sound = noise(rng, 10) * (1 + 0.8 * np.sin(2 * np.pi * 4 * time_s))
    depth, _ = modulation(analyse(sound.astype(np.float32), ()))
    # The RMS of a sine of 0.8, and the share of the noise's own flicker below 10 Hz.
    assert depth == pytest.approx(0.8 / np.sqrt(2), abs=0.07)


def test_level_does_not_matter(rng):
    sound = _in_room(rng, syllables(rng, 4, rate_hz=1), 0.4).astype(np.float32)
    loud, quiet = analyse(sound, ()), analyse(sound / 16, ())
    assert not np.isnan(decay_s(loud))
    assert decay_s(quiet) == pytest.approx(decay_s(loud), rel=0.01)
    assert modulation(quiet) == pytest.approx(modulation(loud), rel=0.01)


@pytest.mark.parametrize("num_samples", [512, 16_000])
def test_silence_has_neither_decay_nor_swing(num_samples):
    frames = analyse(np.zeros(num_samples, np.float32), ())
    assert np.isnan(decay_s(frames))
    assert np.isnan(modulation(frames)).all()


def test_less_than_half_a_second_has_no_swing(rng):
    assert np.isnan(modulation(analyse(noise(rng, 0.3).astype(np.float32), ()))).all()
