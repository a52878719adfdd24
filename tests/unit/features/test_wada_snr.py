import numpy as np
import pytest
from scipy.special import psi

from qe_core.features.snr import wada_snr_db, wada_table
from tests.unit.features.sounds import at_snr, noise, speech_like


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.mark.parametrize(
    ("snr_db", "published"),
    [(0, 0.46221153), (10, 0.66750818), (20, 0.95655449), (60, 1.53389835), (100, 1.63204102)],
)
def test_table_equals_the_published_one(snr_db, published):
    levels, expected = wada_table()
    assert np.interp(snr_db, levels, expected) == pytest.approx(published, abs=0.006)


def test_table_grows_everywhere_so_that_it_can_be_inverted():
    assert (np.diff(wada_table()[1]) > 0).all()


def test_table_ends_near_the_value_of_the_bare_gamma_distribution():
    assert wada_table()[1][-1] == pytest.approx(np.log(0.4) - psi(0.4), abs=0.02)


@pytest.mark.parametrize("snr_db", [-5, 0, 5, 10, 20, 30, 40])
def test_gamma_speech_in_white_noise_is_measured_within_2_db(rng, snr_db):
    sound = at_snr(rng, speech_like(rng, 20), snr_db).astype(np.float32)
    assert wada_snr_db(sound)[0] == pytest.approx(snr_db, abs=2)


def test_pure_noise_reads_the_lowest_value(rng):
    assert wada_snr_db(noise(rng, 8).astype(np.float32))[0] <= -10


@pytest.mark.parametrize("gain", [1e-3, 0.1, 8.0])
def test_level_does_not_matter(rng, gain):
    sound = at_snr(rng, speech_like(rng, 3), 10).astype(np.float32)
    assert wada_snr_db(sound * np.float32(gain)) == pytest.approx(wada_snr_db(sound), abs=0.01)


def test_constant_offset_does_not_matter(rng):
    sound = at_snr(rng, speech_like(rng, 3), 10).astype(np.float32)
    assert wada_snr_db(sound + np.float32(0.1)) == pytest.approx(wada_snr_db(sound), abs=0.1)


def test_digital_silence_is_left_out(rng):
    sound = at_snr(rng, speech_like(rng, 3), 10).astype(np.float32)
    padded = np.concatenate([sound, np.zeros(80_000, np.float32)])
    assert wada_snr_db(padded) == pytest.approx(wada_snr_db(sound), abs=0.01)


def test_each_window_is_measured_by_itself(rng):
    speech = speech_like(rng, 6)
    sound = np.concatenate([at_snr(rng, speech, 20), at_snr(rng, speech, 0)]).astype(np.float32)
    assert wada_snr_db(sound, len(speech)) == pytest.approx([20, 0], abs=2)


@pytest.mark.parametrize("sound", [np.zeros(16_000), np.full(16_000, 0.3), np.empty(0)])
def test_without_sound_there_is_no_snr(sound):
    assert np.isnan(wada_snr_db(sound.astype(np.float32))).all()
