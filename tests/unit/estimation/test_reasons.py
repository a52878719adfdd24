import numpy as np
import pytest

from qe_core.estimation.reasons import find_reasons
from qe_core.features import INFO
from qe_core.types import Reason

USUAL = {
    "num_words": (4.0, 12.0),
    "snr_db": (10.0, 30.0),
    "wada_snr_db": (10.0, 30.0),
    "confidence_p5": (0.2, 0.4),
    "confidence_p10": (0.2, 0.4),
}


def _find(
    added: dict[str, float],
    values: dict[str, float],
    limit: int = 3,
    probabilities: tuple[float, ...] = (),
) -> list[Reason]:
    names = list(added)
    return list(
        find_reasons(
            np.array([added[name] for name in names], np.float32),
            np.array([values[name] for name in names], np.float32),
            names=names,
            usual_ranges=USUAL,
            word_error_probabilities=probabilities,
            limit=limit,
        )
    )


def test_a_low_value_gets_the_sentence_for_low() -> None:
    (reason,) = _find({"snr_db": 0.2}, {"snr_db": 3.0})
    assert reason.text == INFO["snr_db"].low
    assert reason.contribution == pytest.approx(0.2)


def test_the_strongest_reason_comes_first() -> None:
    reasons = _find({"snr_db": 0.1, "confidence_p5": 0.3}, {"snr_db": 3.0, "confidence_p5": 0.1})
    assert [reason.code for reason in reasons] == ["confidence_p5", "snr_db"]


def test_that_a_clip_is_long_comes_last_however_much_it_adds() -> None:
    reasons = _find({"num_words": 0.4, "snr_db": 0.1}, {"num_words": 40.0, "snr_db": 3.0})
    assert [reason.code for reason in reasons] == ["snr_db", "num_words"]
    less = {"num_words": 0.4, "snr_db": -0.2}
    (only,) = _find(less, {"num_words": 40.0, "snr_db": 3.0}, limit=1)
    assert only.text == INFO["num_words"].high
    first, _ = _find({"num_words": 0.4, "snr_db": 0.1}, {"num_words": 1.0, "snr_db": 3.0})
    assert first.text == INFO["num_words"].low


def test_features_with_one_sentence_are_one_reason_with_what_they_add_together() -> None:
    (reason,) = _find(
        {"confidence_p5": 0.1, "confidence_p10": 0.2},
        {"confidence_p5": 0.1, "confidence_p10": 0.1},
    )
    assert reason.contribution == pytest.approx(0.3)
    assert reason.code == "confidence_p10"


def test_what_pushes_the_prediction_down_is_no_reason() -> None:
    assert _find({"snr_db": -0.2}, {"snr_db": 3.0}) == []


def test_undefined_and_unknown_features_are_no_reason() -> None:
    assert _find({"snr_db": 0.2, "unheard_of": 0.5}, {"snr_db": np.nan, "unheard_of": 1.0}) == []


def test_a_value_as_in_most_clips_is_no_reason_however_much_it_adds() -> None:
    assert _find({"snr_db": 0.4}, {"snr_db": 29.0}) == []


@pytest.mark.parametrize(
    ("added", "probabilities", "codes"),
    [
        ({"num_words": 0.4}, (0.9, 0.5, 0.1), ["doubtful_words", "num_words"]),
        ({}, (0.9,), ["doubtful_words"]),
        ({"num_words": 0.4}, (0.9, 0.1, 0.1), ["num_words"]),
        ({"snr_db": 0.1, "num_words": 0.4}, (0.9, 0.9), ["snr_db", "num_words"]),
        ({}, (), []),
    ],
)
def test_doubtful_words_are_named_where_only_length_would_be(
    added: dict[str, float], probabilities: tuple[float, ...], codes: list[str]
) -> None:
    values = {"num_words": 40.0, "snr_db": 3.0}
    found = _find(added, values, limit=2, probabilities=probabilities)
    assert [reason.code for reason in found] == codes


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        ((0.9, 0.5, 0.1), "Most of the words are doubtful."),
        ((0.9, 0.5, 0.1, 0.1, 0.1), "Several words are doubtful."),
        ((0.5, 0.1, 0.1), "One of the words is doubtful."),
        ((0.4, 0.1, 0.1), None),
    ],
)
def test_what_is_said_of_words_is_one_reason_by_how_many_are_doubtful(
    probabilities: tuple[float, ...], sentence: str | None
) -> None:
    added = {"doubt_mean": 0.2, "snr_db": 0.25, "doubt_max": 0.1}
    # What is usual among clips that are mostly wrong does not matter here.
    values = dict.fromkeys(added, 0.3)
    found = _find(added, values, probabilities=probabilities)
    assert found[-1].text == INFO["snr_db"].low
    assert [reason.text for reason in found[:-1]] == ([sentence] if sentence else [])
    if sentence:
        assert (found[0].code, found[0].contribution) == ("doubtful_words", pytest.approx(0.3))
