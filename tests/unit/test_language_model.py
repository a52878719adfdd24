import numpy as np
import pytest

from qe_core.language_model import score_words


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Reading the model takes longer than any test here."""
    score_words(["the"])


def test_words_that_follow_each_other_are_likelier_than_by_themselves() -> None:
    after, alone = score_words(["i", "am", "going", "to", "the", "house"]).T
    assert (after[2:4] > alone[2:4] + 1).all()
    # Natural logarithms: between one word in ten and one in a million.
    assert -14 < alone.min() < alone.max() < -2


def test_salad_of_the_same_words_is_less_likely() -> None:
    said = score_words(["i", "would", "like", "to", "go", "home"])[:, 0].mean()
    salad = score_words(["home", "to", "like", "go", "would", "i"])[:, 0].mean()
    assert said > salad + 2


def test_two_words_before_a_word_count_and_no_more() -> None:
    long = score_words(["we", "met", "them", "in", "the", "middle", "of"])[-1]
    short = score_words(["in", "the", "middle", "of"])[-1]
    np.testing.assert_array_equal(long, short)


def test_an_unknown_word_is_the_rarest_and_hides_what_stood_before_it() -> None:
    scores = score_words(["the", "zzyzxq", "middle"])
    assert (scores[1] == scores[1, 0]).all()
    assert scores[1, 0] < scores[[0, 2]].min()
    assert scores[2, 0] == scores[2, 1]


def test_nothing_is_said_of_digits() -> None:
    scores = score_words(["page", "30", "of"])
    assert np.isnan(scores[1]).all()
    assert np.isfinite(scores[[0, 2]]).all()


def test_no_words_no_scores() -> None:
    assert score_words([]).shape == (0, 2)
