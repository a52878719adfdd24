"""The slice that is named is the one that is worse than predicted beyond chance."""

import numpy as np

from qe_core.monitoring.slices import SliceResidual, residuals, worst


def found(bias: float, *, num_clips: int = 60, seed: int = 1) -> tuple[SliceResidual, ...]:
    rng = np.random.default_rng(seed)
    slices = np.repeat(["bad", "good", "other"], num_clips)
    recordings = np.array([f"r{index // 3}" for index in range(3 * num_clips)])
    words = np.full(3 * num_clips, 20.0)
    expected = rng.uniform(2, 8, 3 * num_clips)
    errors = rng.poisson(expected + np.where(slices == "bad", 20 * bias, 0)).astype(float)
    return residuals(slices, recordings, errors, expected, words)


def test_a_biased_slice_comes_first_and_is_named() -> None:
    rows = found(0.3)
    named = worst(rows)
    assert named is not None
    assert named.name == rows[0].name == "bad"
    assert named.low is not None
    assert 0.2 < named.low < 0.3 < (named.high or 0) < 0.4
    assert named.residual == named.actual_wer - named.predicted_wer


def test_without_bias_hardly_any_slice_is_named() -> None:
    assert sum(worst(found(0.0, seed=seed)) is not None for seed in range(40)) <= 3


def test_a_slice_that_is_better_than_predicted_is_not_the_worst() -> None:
    assert worst(found(-0.1)) is None


def test_a_small_slice_has_no_interval_and_comes_last() -> None:
    rows = residuals(
        np.array(["big"] * 30 + ["small"] * 4),
        np.arange(34).astype(str),
        np.array([1.0] * 30 + [9.0] * 4),
        np.ones(34),
        np.full(34, 10.0),
    )
    assert [row.name for row in rows] == ["big", "small"]
    assert (rows[1].is_small, rows[1].low, rows[1].num_clips) == (True, None, 4)


def test_a_slice_in_which_nothing_was_said_is_left_out() -> None:
    rows = residuals(
        np.array(["silent"] * 3), np.arange(3).astype(str), np.ones(3), np.ones(3), np.zeros(3)
    )
    assert rows == ()
    assert worst(rows) is None
