import numpy as np
import pytest

from qe_core.estimation.intervals import calibrate


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_intervals_cover_what_they_promise_on_unseen_clips(
    rng: np.random.Generator, level: float
) -> None:
    predicted = rng.uniform(1, 2, 8000)
    spread = rng.uniform(0.05, 0.4, 8000)
    actual = predicted + rng.normal(0, spread)
    scale = calibrate(predicted[:4000], actual[:4000], spread[:4000])
    low, high = scale.interval(predicted[4000:], spread[4000:], level)
    covered = np.mean((actual[4000:] >= low) & (actual[4000:] <= high))
    assert covered == pytest.approx(level, abs=0.02)


def test_doubtful_clips_get_wider_intervals(rng: np.random.Generator) -> None:
    scale = calibrate(np.ones(100), 1 + rng.normal(0, 0.1, 100), np.full(100, 0.1))
    low, high = scale.interval(np.array([1.0, 1.0]), np.array([0.1, 0.2]), 0.9)
    assert high[1] - low[1] == pytest.approx(2 * (high[0] - low[0]))


def test_no_interval_reaches_below_zero(rng: np.random.Generator) -> None:
    scale = calibrate(np.ones(50), rng.uniform(0, 2, 50), np.ones(50))
    low, _ = scale.interval(np.array([0.05]), np.array([1.0]), 0.9)
    assert low[0] == 0


def test_the_prediction_lies_inside_even_when_it_was_always_too_low() -> None:
    scale = calibrate(np.zeros(50), np.linspace(1, 2, 50), np.ones(50))
    low, high = scale.interval(np.array([0.3]), np.array([1.0]), 0.9)
    assert low[0] == pytest.approx(0.3)
    assert high[0] > 1


def test_higher_levels_are_wider(rng: np.random.Generator) -> None:
    scale = calibrate(np.ones(200), rng.normal(1, 0.2, 200), np.ones(200))
    widths = [
        float(np.diff(scale.interval(np.array([1.0]), np.array([1.0]), level), axis=0)[0, 0])
        for level in (0.5, 0.7, 0.9, 0.99)
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
