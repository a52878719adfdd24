import numpy as np
import pytest

from qe_core.features.frames import analyse, is_in_speech, stretches
from tests.unit.features.sounds import noise, spans, tone


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(25)


@pytest.mark.parametrize("num_samples", [1, 160_000, 160_001, 9_600_000])
def test_clips_up_to_ten_minutes_are_looked_at_whole(num_samples):
    parts = list(stretches(np.zeros(num_samples, np.float32)))
    assert sum(len(part) for _, part in parts) == num_samples
    assert [start for start, _ in parts] == list(range(0, num_samples, 160_000))


def test_of_longer_clips_sixty_stretches_are_spread_from_start_to_end():
    num_samples = 2 * 3600 * 16_000
    starts, parts = zip(*stretches(np.zeros(num_samples, np.float32)), strict=True)
    assert len(parts) == 60
    assert {len(part) for part in parts} == {160_000}
    assert starts[0] == 0
    assert starts[-1] + 160_000 == num_samples
    assert np.ptp(np.diff(starts)) <= 1


def test_stretches_do_not_copy():
    samples = np.zeros(400_000, np.float32)
    assert all(np.shares_memory(part, samples) for _, part in stretches(samples))


def test_moments_in_speech_include_the_start_and_exclude_the_end():
    moments = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    assert is_in_speech(moments, spans((1.0, 2.0), (2.5, 2.7))).tolist() == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    assert not is_in_speech(moments, ()).any()


def test_there_is_a_frame_every_10_ms(rng):
    frames = analyse(noise(rng, 1).astype(np.float32), ())
    assert len(frames.time_s) == 1 + (16_000 - 512) // 160
    assert np.diff(frames.time_s) == pytest.approx(0.01)


def test_level_of_a_frame_is_its_rms(rng):
    frames = analyse(tone(1000, 1, 0.5).astype(np.float32), ())
    assert frames.level_dbfs == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)


def test_bands_share_out_the_power(rng):
    frames = analyse(noise(rng, 2).astype(np.float32), ())
    power = frames.bands.sum(axis=1).mean()
    # 62 to 7500 Hz of white noise up to 8000 Hz.
    assert power == pytest.approx(0.01 * (7500 - 62) / 8000, rel=0.05)


def test_spectrum_is_that_of_the_speech(rng):
    sound = np.concatenate([tone(500, 1), tone(3000, 1)]).astype(np.float32)
    assert analyse(sound, spans((1.05, 1.95))).spectrum.argmax() == round(3000 / 31.25)
    assert analyse(sound, spans((0.05, 0.95))).spectrum.argmax() == round(500 / 31.25)


def test_stretches_begin_where_the_analysis_says(rng):
    frames = analyse(noise(rng, 21).astype(np.float32), ())
    assert [frames.time_s[start] for start in frames.starts] == pytest.approx(
        [0.016, 10.016, 20.016]
    )


@pytest.mark.parametrize("num_samples", [0, 1, 511, 512, 160_100])
def test_any_length_gives_at_least_one_frame(num_samples):
    assert len(analyse(np.zeros(num_samples, np.float32), ()).level_dbfs) >= 1
