import numpy as np
import pytest

from qe_core.features.coverage import CoverageFeatures
from tests.unit.features.sounds import context, segment, transcript

SOUND = np.zeros(10 * 16_000)

# Speech: 1-4 s and 5-9 s, 7 s in all. Words cover 1-2, 2.5-3, 5-6 and, outside speech, 9.5-9.9 s.
SPEECH = ((1.0, 4.0), (5.0, 9.0))
WORDS = (
    ("hello", 1.0, 2.0, 0.9),
    ("my", 2.5, 3.0, 0.4),
    ("friend", 5.0, 6.0, 0.5),
    ("yes", 9.5, 9.9, 0.1),
)


def measure(*words, speech=SPEECH):
    hypothesis = transcript(segment(*words)) if words else transcript()
    return CoverageFeatures().extract(context(SOUND, *speech, transcript=hypothesis))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uncovered_speech_s", 7 - 2.5),
        ("uncovered_speech_share", 4.5 / 7),
        ("longest_uncovered_speech_s", 3.0),
        ("confident_speech_share", 2 / 7),
        ("words_outside_speech_share", 0.4 / 2.9),
        ("gaps_per_word", 3 / 4),
        ("longest_gap_s", 3.5),
        ("gap_share", (0.5 + 2.0 + 3.5) / 8.9),
        ("words_per_speech_s", 4 / 7),
        ("letters_per_speech_s", 16 / 7),
        ("word_duration_mean_s", 2.9 / 4),
        ("word_duration_sd_s", np.std([1.0, 0.5, 1.0, 0.4])),
        (
            "letter_duration_spread",
            np.std([0.2, 0.25, 1 / 6, 0.4 / 3]) / np.mean([0.2, 0.25, 1 / 6, 0.4 / 3]),
        ),
        ("confidence_by_duration", (0.9 + 0.2 + 0.5 + 0.04) / 2.9),
    ],
)
def test_hand_made_transcript_has_hand_computed_coverage(name, value):
    assert measure(*WORDS)[name] == pytest.approx(value)


def test_every_feature_is_checked_by_hand():
    checked = test_hand_made_transcript_has_hand_computed_coverage.pytestmark[0].args[1]
    assert {name for name, _ in checked} == {info.name for info in CoverageFeatures.features}


def test_order_of_words_does_not_matter_for_gaps():
    assert measure(*reversed(WORDS)) == pytest.approx(measure(*WORDS))


def test_overlapping_words_cover_their_time_once():
    values = measure(("a", 1.0, 3.0, 0.9), ("b", 2.0, 2.5, 0.9), ("c", 3.0, 4.0, 0.9))
    assert values["uncovered_speech_s"] == pytest.approx(4)
    assert values["longest_gap_s"] == 0.0


def test_pauses_of_a_breath_are_no_gaps():
    values = measure(("a", 1.0, 2.0, 0.9), ("b", 2.05, 3.0, 0.9))
    assert values["gaps_per_word"] == 0.0
    assert values["longest_gap_s"] == pytest.approx(0.05)


def test_uncovered_stretch_runs_until_speech_ends():
    values = measure(("a", 1.0, 1.5, 0.9), ("b", 8.0, 9.0, 0.9))
    assert values["longest_uncovered_speech_s"] == pytest.approx(3.0)


def test_fully_covered_speech_has_nothing_uncovered():
    values = measure(("a", 0.5, 4.5, 0.9), ("b", 4.5, 9.5, 0.9))
    assert values["uncovered_speech_s"] == 0.0
    assert values["confident_speech_share"] == pytest.approx(1)


def test_without_words_all_speech_is_uncovered():
    values = measure()
    assert values["uncovered_speech_s"] == pytest.approx(7)
    assert values["uncovered_speech_share"] == 1.0
    assert values["longest_uncovered_speech_s"] == pytest.approx(4)
    assert values["words_per_speech_s"] == 0.0
    assert values["confident_speech_share"] == 0.0
    assert np.isnan(values["gaps_per_word"])
    assert np.isnan(values["words_outside_speech_share"])


def test_without_speech_all_words_are_outside_and_shares_are_undefined():
    values = measure(*WORDS, speech=())
    assert values["words_outside_speech_share"] == pytest.approx(1)
    assert values["uncovered_speech_s"] == 0.0
    assert np.isnan(values["uncovered_speech_share"])
    assert np.isnan(values["words_per_speech_s"])


def test_words_without_duration_are_no_reason_to_fail():
    values = measure(("a", 2.0, 2.0, 0.9), ("b", 2.0, 1.0, 0.9))
    assert values["word_duration_mean_s"] == 0.0
    assert np.isnan(values["gap_share"])
    assert np.isnan(values["confidence_by_duration"])
    assert np.isnan(values["words_outside_speech_share"])


def test_neither_words_nor_speech_is_no_reason_to_fail():
    values = measure(speech=())
    assert values["uncovered_speech_s"] == 0.0
    assert np.isnan(values["uncovered_speech_share"])
