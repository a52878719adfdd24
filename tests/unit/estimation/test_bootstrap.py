import numpy as np
import pytest

from qe_core.estimation.bootstrap import bootstrap, paired_bootstrap


def test_whole_groups_are_drawn() -> None:
    group = np.repeat([f"speaker-{index}" for index in range(10)], 20)
    values = np.repeat(np.arange(10.0), 20)
    grouped = bootstrap(lambda rows: float(values[rows].mean()), group, num_draws=300)
    single = bootstrap(
        lambda rows: float(values[rows].mean()), np.arange(200).astype(str), num_draws=300
    )
    assert grouped.value == single.value == pytest.approx(4.5)
    assert grouped.high - grouped.low > 2 * (single.high - single.low)


def test_the_same_seed_draws_the_same() -> None:
    group, values = np.arange(30).astype(str), np.arange(30.0)
    draws = [bootstrap(lambda rows: float(values[rows].mean()), group, seed=3) for _ in range(2)]
    assert draws[0] == draws[1]


def test_a_difference_that_is_always_there_is_sure(rng: np.random.Generator) -> None:
    values = rng.normal(0, 5, 100)
    interval = paired_bootstrap(
        lambda rows: float(values[rows].mean()) + 0.1,
        lambda rows: float(values[rows].mean()),
        np.arange(100).astype(str),
        num_draws=200,
    )
    assert interval.low == pytest.approx(0.1)
    assert interval.high == pytest.approx(0.1)
