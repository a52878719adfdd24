import numpy as np
import pytest

from qe_core.features.clipping import _is_never_topped, _piles_up, clipped_share
from tests.unit.features.sounds import noise, tone


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(21)


def _clip(samples, ceiling):
    return np.clip(samples, -ceiling, ceiling).astype(np.float32)


def test_clipped_sine_is_found_in_every_frame():
    assert clipped_share(_clip(tone(220, 3, 1.0), 0.5)) == 1.0


def test_clipped_noise_is_found_in_every_frame(rng):
    assert clipped_share(_clip(noise(rng, 3), 0.1)) > 0.95


def test_unclipped_noise_is_not_clipped(rng):
    assert clipped_share(noise(rng, 3).astype(np.float32)) == 0.0


def test_clipping_on_one_side_is_found(rng):
    assert clipped_share(np.minimum(noise(rng, 3), 0.1).astype(np.float32)) > 0.95


def test_share_counts_the_clipped_part_only(rng):
    sound = np.concatenate([noise(rng, 3), _clip(noise(rng, 1), 0.08)])
    assert clipped_share(sound.astype(np.float32)) == pytest.approx(0.25, abs=0.03)


def test_turning_it_down_afterwards_does_not_hide_it(rng):
    sound = _clip(noise(rng, 3), 0.1)
    assert clipped_share(sound * np.float32(0.1)) == clipped_share(sound)


def test_quiet_frames_do_not_count(rng):
    assert np.isnan(clipped_share(noise(rng, 1, rms=1e-3).astype(np.float32)))


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_without_a_wave_there_is_no_share(value):
    assert np.isnan(clipped_share(np.full(16_000, value, np.float32)))


def test_frames_without_a_high_edge_are_judged_as_if_they_had_been_looked_at_closely(rng):
    # Half of the frames have all of their edge within the first bins, half of them anywhere.
    counts = rng.poisson(rng.uniform(0, 6, (400, 1)), (400, 100))
    counts[:200, rng.integers(0, 14, 200)] += rng.integers(0, 30, (200, 1))
    counts[200:, rng.integers(0, 100, 200)] += rng.integers(0, 30, (200, 1))
    assert np.array_equal(_piles_up(counts), _is_never_topped(counts))
    assert 0 < _piles_up(counts).sum() < 400
