import numpy as np
import pytest

from qe_core.features.second import SecondOpinionFeatures, compare
from tests.unit.features.sounds import context, said, segment, transcript

FIRST = transcript(
    segment(
        ("The", 0.0, 0.2, 0.9),
        ("cat", 0.2, 0.6, 0.8),
        ("sat", 0.6, 1.0, 0.4),
        ("down.", 1.0, 1.5, 0.3),
    )
)
SECOND = transcript(
    segment(
        ("the", 0.0, 0.25, 0.5),
        ("cap", 0.25, 0.6, 0.7),
        ("sat", 0.6, 1.0, 1.0),
        alternatives=("the cat sat", "a cat"),
    )
)


def extract(first, second):
    found = context(np.zeros(16_000), (0.0, 1.0), transcript=first)
    return SecondOpinionFeatures().extract(
        type(found)(found.audio, found.speech, found.transcript, second)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("second_disagreement", 2 * 2 / 7),  # one other word, one missing
        ("second_length_ratio", 3 / 4),
        ("second_letter_disagreement", 2 * 5 / (13 + 9)),
        ("second_agreed_share", 2 / 4),
        ("second_similarity", (1 + 2 / 3 + 1 + 0) / 4),
        ("second_agreed_confidence", (0.9 + 0.4) / 2.4),
        ("second_confident_disagreement", 1 / 2),  # "the" is agreed, "cat" is not
        ("second_votes", (0.5 + 1 + 0.5 + 0) / 4),
        ("second_confidence", 2.2 / 3),
    ],
)
def test_two_transcripts_have_hand_computed_agreement(name, value):
    assert extract(FIRST, SECOND)[name] == pytest.approx(value)


def test_every_feature_is_checked_by_hand():
    assert len(SecondOpinionFeatures.features) == 9


def test_who_says_the_same_agrees_in_everything():
    values = extract(FIRST, FIRST)
    assert values["second_disagreement"] == values["second_letter_disagreement"] == 0
    assert values["second_agreed_share"] == values["second_similarity"] == 1
    assert values["second_confident_disagreement"] == 0


def test_disagreement_is_the_same_from_both_sides():
    one, other = extract(FIRST, SECOND), extract(SECOND, FIRST)
    for name in ("second_disagreement", "second_letter_disagreement"):
        assert one[name] == other[name]


def test_without_a_second_opinion_nothing_is_known():
    assert np.isnan(list(extract(FIRST, None).values())).all()


def test_a_second_opinion_without_words_agrees_with_nothing():
    values = extract(FIRST, transcript())
    assert values["second_disagreement"] == 2
    assert values["second_agreed_share"] == values["second_length_ratio"] == 0
    assert np.isnan(values["second_confidence"])


def test_words_of_a_hypothesis_without_words_are_undefined():
    values = extract(transcript(), SECOND)
    assert values["second_disagreement"] == 2
    assert np.isnan(values["second_agreed_share"])
    assert extract(transcript(), transcript())["second_disagreement"] == 0


def test_a_word_heard_as_two_is_like_them():
    two = transcript(segment(("some", 0.0, 0.3, 0.9), ("times", 0.3, 0.6, 0.5)))
    one = transcript(segment(("sometimes", 0.0, 0.6, 0.9)))
    found = compare(one, two)
    assert found.likeness.tolist() == [1.0]
    assert found.agreed.tolist() == [0.0]
    assert found.other_confidence[0] == pytest.approx(0.7)


def test_a_word_of_which_nothing_is_compared_is_unknown():
    found = compare(transcript(segment(("[laughs]", 0.0, 0.5, 0.9))), said("a"))
    assert np.isnan(found.agreed[0])
