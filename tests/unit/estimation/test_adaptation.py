"""An adaptation finds a known distortion, trusts few reviews little, and keeps the order."""

import numpy as np
import pytest

from qe_core.errors import EstimatorError
from qe_core.estimation.adaptation import Adaptation
from qe_core.estimation.shrinkage import Reviewed, fit_adaptation
from qe_core.types import Estimate
from qe_core.wer import ErrorCounts

ESTIMATE = Estimate(
    expected_errors=3.0,
    expected_words=10.0,
    predicted_wer=0.3,
    low=0.1,
    high=0.6,
    interval_level=0.9,
    estimator="quality-test",
    word_error_probabilities=(0.1, 0.8),
    segment_expected_errors=(1.0, 2.0),
)


def reviews(
    rng: np.random.Generator,
    count: int,
    truth: Adaptation = Adaptation(),  # noqa: B008 - frozen
    *,
    noise: float = 0.1,
    half_width: float = 0.1645,
) -> Reviewed:
    """Clips whose true rates are a known function of the predicted ones, and normal noise."""
    predicted = rng.uniform(0.3, 1.2, count)
    actual = np.maximum(truth.rate(predicted) + rng.normal(0, noise, count), 0)
    return Reviewed(
        predicted_wer=predicted,
        low=np.maximum(predicted - half_width, 0),
        high=predicted + half_width,
        errors=20 * actual,
        words=np.full(count, 20.0),
        group=np.array([f"speaker-{index % 12}" for index in range(count)]),
        weight=np.ones(count),
    )


def test_without_reviews_nothing_changes(rng: np.random.Generator) -> None:
    adaptation = fit_adaptation(reviews(rng, 0))

    assert adaptation == Adaptation()
    assert adaptation.apply(ESTIMATE) is ESTIMATE
    assert adaptation.rate([0.0, 0.3, 1.7]).tolist() == [0.0, 0.3, 1.7]


@pytest.mark.parametrize(("intercept", "slope"), [(-1.0, 1.0), (0.8, 0.6), (-0.5, 2.0)])
def test_many_reviews_find_the_true_correction(
    rng: np.random.Generator, intercept: float, slope: float
) -> None:
    truth = Adaptation(intercept, slope)

    adaptation = fit_adaptation(reviews(rng, 3000, truth, noise=0.03))

    assert adaptation.rate([0.4, 0.8, 1.1]) == pytest.approx(truth.rate([0.4, 0.8, 1.1]), abs=0.02)


def test_thirty_reviews_go_half_the_way_and_three_hundred_most_of_it(
    rng: np.random.Generator,
) -> None:
    truth = Adaptation(-1.0, 1.0)
    way = []
    for count in (3, 30, 300):
        moved = fit_adaptation(reviews(rng, count, truth, noise=0.01)).rate(0.8)
        way.append(float((moved - 0.8) / (truth.rate(0.8) - 0.8)))

    assert way == pytest.approx([3 / 33, 30 / 60, 300 / 330], abs=0.03)


def test_reviews_that_agree_change_nothing(rng: np.random.Generator) -> None:
    adaptation = fit_adaptation(reviews(rng, 300, noise=0.1))

    assert adaptation.rate([0.4, 0.8]) == pytest.approx([0.4, 0.8], abs=0.02)
    assert adaptation.width == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("too_wide_by", [0.5, 1.0, 3.0])
def test_intervals_hold_their_promise_on_clips_that_come_later(
    rng: np.random.Generator, too_wide_by: float
) -> None:
    truth = Adaptation(0.5, 0.8)
    half_width = 0.1645 * too_wide_by
    adaptation = fit_adaptation(reviews(rng, 600, truth, half_width=half_width))

    later = reviews(rng, 4000, truth, half_width=half_width)
    low, high = adaptation.interval(later.predicted_wer, later.low, later.high)
    actual = later.errors / later.words

    assert np.mean((actual >= low) & (actual <= high)) == pytest.approx(0.9, abs=0.035)


def test_a_few_wild_reviews_widen_the_interval_soon(rng: np.random.Generator) -> None:
    calm = fit_adaptation(reviews(rng, 10, noise=0.1))
    wild = fit_adaptation(reviews(rng, 10, noise=0.6))

    assert wild.width > 2 * calm.width


def test_the_order_of_clips_never_changes(rng: np.random.Generator) -> None:
    upside_down = reviews(rng, 500)
    upside_down.errors[:] = 20 * (1.4 - upside_down.predicted_wer)

    rates = fit_adaptation(upside_down).rate(np.linspace(0, 2.5, 200))

    assert (np.diff(rates) > 0).all()


def test_nothing_stays_nothing_and_rates_beyond_the_largest_stay() -> None:
    adaptation = Adaptation(-0.7, 1.3, num_reviews=40)

    assert adaptation.rate([0.0, 2.0, 3.5]).tolist() == [0.0, 2.0, 3.5]
    assert adaptation.rate(1.999) == pytest.approx(2.0, abs=0.01)


def test_the_parts_of_an_adapted_estimate_fit_each_other() -> None:
    adapted = Adaptation(-0.7, 1.0, width=1.5, num_reviews=40).apply(ESTIMATE)

    assert adapted.predicted_wer < ESTIMATE.predicted_wer
    assert adapted.expected_errors == pytest.approx(10.0 * adapted.predicted_wer)
    assert sum(adapted.segment_expected_errors) == pytest.approx(adapted.expected_errors)
    assert 0 <= adapted.low <= adapted.predicted_wer <= adapted.high
    pairs = zip(adapted.word_error_probabilities, ESTIMATE.word_error_probabilities, strict=True)
    assert all(0 < after < before for after, before in pairs)


def test_cross_validation_shows_what_the_adaptation_brings(rng: np.random.Generator) -> None:
    adaptation = fit_adaptation(reviews(rng, 200, Adaptation(-1.0, 1.0), noise=0.05))

    assert adaptation.before is not None
    assert adaptation.after is not None
    assert adaptation.before.mae > 0.2
    assert adaptation.after.mae < 0.07
    assert adaptation.before.coverage < 0.2
    assert adaptation.after.coverage == pytest.approx(0.9, abs=0.06)
    assert adaptation.after.predicted_pooled_wer == pytest.approx(
        adaptation.after.pooled_wer, abs=0.08
    )


def test_one_speaker_alone_cannot_be_cross_validated(rng: np.random.Generator) -> None:
    lonely = reviews(rng, 40, Adaptation(-1.0, 1.0))
    lonely.group[:] = "speaker-0"

    adaptation = fit_adaptation(lonely)

    assert (adaptation.before, adaptation.after) == (None, None)
    assert adaptation.rate(0.8) < 0.7


def test_clips_without_words_teach_nothing(rng: np.random.Generator) -> None:
    silent = reviews(rng, 20)
    silent.words[:] = 0

    assert fit_adaptation(silent) == Adaptation()


def test_heavier_reviews_count_more(rng: np.random.Generator) -> None:
    mixed = reviews(rng, 200, noise=0.01)
    mixed.errors[:100] *= 0.5
    even = fit_adaptation(mixed).rate(0.8)
    mixed.weight[:100] = 9.0

    assert fit_adaptation(mixed).rate(0.8) < even - 0.1


def test_single_estimates_and_counts_make_arrays() -> None:
    made = Reviewed.of([ESTIMATE], [ErrorCounts(8, 1, 1, 2)], ["ann"])

    assert (made.predicted_wer[0], made.errors[0], made.words[0]) == (0.3, 4.0, 10.0)
    assert fit_adaptation(made).num_reviews == 1


def test_an_adaptation_survives_json(rng: np.random.Generator) -> None:
    adaptation = fit_adaptation(reviews(rng, 34, Adaptation(-1.0, 1.0)))

    assert Adaptation.from_json(adaptation.to_json()) == adaptation
    assert adaptation.progress == "Adapted with 34 of 300 reviews"
    assert Adaptation(num_reviews=1200).progress == "Adapted with 1,200 reviews"


def test_damaged_json_is_refused_with_advice() -> None:
    with pytest.raises(EstimatorError, match="Not an adaptation") as caught:
        Adaptation.from_json('{"slope": "steep"}')
    assert "werkbench calibrate" in caught.value.suggestion
