import numpy as np
import pytest

from qe_core.features.decoder import DecoderFeatures, disagreement
from qe_core.types import Segment
from tests.unit.features.sounds import context, said, segment, transcript

SOUND = np.zeros(16_000)


def measure(hypothesis):
    return DecoderFeatures().extract(context(SOUND, transcript=hypothesis))


def confident(*confidences):
    rows = [(f"w{index}", index, index + 0.5, value) for index, value in enumerate(confidences)]
    return transcript(segment(*rows))


def test_confidence_is_summarised_by_its_distribution():
    values = measure(confident(0.9, 0.1, 0.5, 0.7, 1.0))
    assert values["confidence_mean"] == pytest.approx(0.64)
    assert values["confidence_min"] == pytest.approx(0.1)
    assert values["confidence_p25"] == pytest.approx(0.5)
    # Position 0.4 of four steps between 0.1 and 0.5.
    assert values["confidence_p10"] == pytest.approx(0.1 + 0.4 * 0.4)
    assert values["confidence_p5"] == pytest.approx(0.1 + 0.2 * 0.4)
    assert values["last_confidence"] == 1.0
    assert values["confidence_sd"] == pytest.approx(np.std([0.9, 0.1, 0.5, 0.7, 1.0]))


def test_doubtful_means_below_one_half():
    assert measure(confident(0.5, 0.49, 0.2, 0.9))["low_confidence_share"] == 0.5


def test_longest_doubtful_run_is_relative_to_the_length():
    values = measure(confident(0.1, 0.9, 0.1, 0.2, 0.3, 0.9, 0.1, 0.1))
    assert values["low_confidence_run"] == pytest.approx(3 / 8)


def test_drop_compares_a_word_with_its_neighbours():
    assert measure(confident(0.9, 0.3, 0.7))["confidence_drop"] == pytest.approx(0.5)
    assert measure(confident(0.2, 0.8))["confidence_drop"] == pytest.approx(0.6)
    assert measure(confident(0.2))["confidence_drop"] == 0.0


def test_entropy_is_one_bit_for_a_coin_and_none_for_certainty():
    assert measure(confident(0.5, 0.5))["confidence_entropy"] == pytest.approx(1)
    assert measure(confident(0.0, 1.0))["confidence_entropy"] == pytest.approx(0, abs=1e-6)


def test_scores_of_segments_are_pooled_by_their_worst_and_by_words():
    hypothesis = transcript(
        segment(("a", 0, 1, 0.9), avg_logprob=-0.2, no_speech_prob=0.1, temperature=0.0),
        segment(
            ("b", 1, 2, 0.9),
            ("c", 2, 3, 0.9),
            ("d", 3, 4, 0.9),
            avg_logprob=-1.0,
            no_speech_prob=0.7,
            compression_ratio=2.5,
            temperature=0.4,
        ),
        language_probability=0.8,
    )
    values = measure(hypothesis)
    assert values["avg_logprob"] == pytest.approx(-0.8)
    assert values["avg_logprob_min"] == -1.0
    assert values["no_speech_prob"] == 0.7
    assert values["compression_ratio"] == 2.5
    assert values["temperature"] == 0.4
    assert values["language_probability"] == 0.8


def test_what_an_engine_does_not_report_is_undefined():
    values = measure(said("hello world"))
    for name in (
        "avg_logprob",
        "avg_logprob_min",
        "no_speech_prob",
        "compression_ratio",
        "temperature",
        "language_probability",
        "nbest_disagreement",
        "nbest_size",
    ):
        assert np.isnan(values[name]), name


def test_disagreement_is_twice_the_edits_over_all_words():
    assert disagreement("one two three", "one three") == pytest.approx(2 / 5)
    assert disagreement("One, two!", "one two") == 0.0
    assert disagreement("a b", "") == 2.0
    assert disagreement("", "") == 0.0


def test_alternatives_are_compared_with_the_hypothesis():
    values = measure(said("one two three", alternatives=("one two tree", "one two three four")))
    assert values["nbest_disagreement"] == pytest.approx((2 / 6 + 2 / 7) / 2)
    assert values["nbest_spread"] == pytest.approx((2 / 6 - 2 / 7) / 2)
    assert values["nbest_size"] == 2.0


def test_segments_without_alternatives_count_in_the_size():
    first = segment(("one", 0, 1, 0.9), alternatives=("two",))
    assert measure(transcript(first, segment(("three", 1, 2, 0.9))))["nbest_size"] == 0.5


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("one two three", 1),
        ("no no no", 3),
        ("thank you thank you thank you thank you", 4),
        ("one two one three one", 1),
        ("a b c d a b c d", 2),
        ("hello", 1),
    ],
)
def test_repeats_in_a_row_are_counted(text, repeats):
    assert measure(said(text))["max_repeats"] == repeats


def test_repetition_compresses():
    loop, prose = said("thank you " * 40), said("the quick brown fox jumps over the lazy dog")
    assert measure(loop)["text_compression"] > 5
    assert measure(prose)["text_compression"] < 1.2


def test_words_are_counted_after_normalising():
    values = measure(said("I am, uh, here"))
    assert values["num_words"] == 4
    assert values["letters_per_word"] == pytest.approx((1 + 2 + 2 + 4) / 4)
    assert values["short_word_share"] == 0.75
    assert values["distinct_word_share"] == 1.0


def test_text_without_timed_words_still_has_text_features():
    values = measure(transcript(Segment(0.0, 1.0, "hello there")))
    assert values["num_words"] == 2
    assert np.isnan(values["confidence_mean"])


@pytest.mark.parametrize("hypothesis", [None, transcript(), transcript(Segment(0.0, 1.0, " "))])
def test_without_words_only_their_number_is_known(hypothesis):
    values = measure(hypothesis)
    assert values.pop("num_words") == 0.0
    assert np.isnan(list(values.values())).all()
