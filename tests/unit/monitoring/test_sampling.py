"""The queue mix draws what it says, with the probability it says."""

from collections import Counter

import numpy as np
import pytest

from qe_core.config import ReviewSettings
from qe_core.monitoring.sampling import draw, errors_per_second, mixture_propensities

SHARES = ReviewSettings()
YIELDS = np.array([0.5, 3.0, 1.0, 0.0])
WIDTHS = np.array([0.2, 0.1, 0.9, 0.0])


def test_equal_generators_draw_equal_clips() -> None:
    first = [draw(YIELDS, WIDTHS, SHARES, np.random.default_rng(7)) for _ in range(5)]
    second = [draw(YIELDS, WIDTHS, SHARES, np.random.default_rng(7)) for _ in range(5)]

    assert first == second


def test_propensity_is_the_frequency_with_which_a_clip_is_drawn() -> None:
    rng = np.random.default_rng(1)
    drawn = Counter(draw(YIELDS, WIDTHS, SHARES, rng).index for _ in range(1000))

    frequencies = np.array([drawn[index] / 1000 for index in range(4)])

    assert frequencies == pytest.approx(mixture_propensities(YIELDS, WIDTHS, SHARES), abs=0.04)


def test_logged_propensity_is_that_of_the_whole_mixture_whatever_policy_drew() -> None:
    rng = np.random.default_rng(2)
    expected = mixture_propensities(YIELDS, WIDTHS, SHARES)

    for _ in range(100):
        drawn = draw(YIELDS, WIDTHS, SHARES, rng)
        assert drawn.propensity == pytest.approx(expected[drawn.index])


def test_most_draws_take_the_most_errors_per_second() -> None:
    assert mixture_propensities(YIELDS, WIDTHS, SHARES)[1] == pytest.approx(0.70 + 0.15 / 4)


def test_uncertain_draws_take_the_widest_interval() -> None:
    assert mixture_propensities(YIELDS, WIDTHS, SHARES)[2] == pytest.approx(0.15 + 0.15 / 4)


def test_a_confident_clip_can_be_drawn_as_an_audit() -> None:
    assert mixture_propensities(YIELDS, WIDTHS, SHARES)[3] == pytest.approx(0.15 / 4)


def test_clips_that_tie_share_the_probability() -> None:
    propensities = mixture_propensities(np.ones(5), np.ones(5), SHARES)

    assert propensities == pytest.approx(np.full(5, 0.2))


def test_shares_that_do_not_sum_to_one_are_scaled() -> None:
    settings = ReviewSettings(share_expected_errors=0.5, share_uncertain=0.0, share_audit=0.5)
    halved = ReviewSettings(share_expected_errors=0.2, share_uncertain=0.0, share_audit=0.2)

    assert mixture_propensities(YIELDS, WIDTHS, halved) == pytest.approx(
        mixture_propensities(YIELDS, WIDTHS, settings)
    )


def test_without_any_share_the_most_errors_per_second_come_first() -> None:
    nothing = ReviewSettings(share_expected_errors=0.0, share_uncertain=0.0, share_audit=0.0)

    assert mixture_propensities(YIELDS, WIDTHS, nothing).tolist() == [0.0, 1.0, 0.0, 0.0]


def test_the_only_clip_is_drawn_for_sure() -> None:
    drawn = draw(np.array([0.3]), np.array([0.1]), SHARES, np.random.default_rng(0))

    assert drawn.index == 0
    assert drawn.propensity == pytest.approx(1.0)


def test_an_empty_queue_has_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no clip to draw"):
        draw(np.array([]), np.array([]), SHARES, np.random.default_rng(0))


def test_a_clip_without_length_does_not_divide_by_zero() -> None:
    assert np.isfinite(errors_per_second(np.array([1.0]), np.array([0.0]))).all()
