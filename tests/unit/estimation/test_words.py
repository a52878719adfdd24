from dataclasses import replace

import numpy as np
import pytest

from qe_core.estimation.words import (
    DOUBTS,
    WORD_FEATURES,
    all_columns,
    doubts,
    num_word_features,
    spread_over_segments,
    word_columns,
    word_features,
)
from qe_core.language_model import score_words
from qe_core.types import Segment, SpeechSpan, Transcript, Word


def _clip(*segments: Segment) -> Transcript:
    return Transcript(segments, "en", "pocketsphinx", "en-us", "1")


def _segment(start_s: float, text: str, *, alternatives: tuple[str, ...] = ()) -> Segment:
    words = tuple(
        Word(word, start_s + index, start_s + index + 0.5, 0.2 * (index + 1))
        for index, word in enumerate(text.split())
    )
    end_s = words[-1].end_s if words else start_s
    return Segment(start_s, end_s, text, words, -2.0, alternatives=alternatives)


def _column(transcript: Transcript, name: str) -> list[float]:
    return [float(value) for value in word_features(transcript)[:, WORD_FEATURES.index(name)]]


def test_every_word_has_a_row() -> None:
    features = word_features(_clip(_segment(0, "a b c"), _segment(5, "d")))
    assert features.shape == (4, len(WORD_FEATURES))


def test_no_words_no_rows() -> None:
    assert word_features(_clip()).shape == (0, len(WORD_FEATURES))


def test_neighbours_reach_across_segments() -> None:
    clip = _clip(_segment(0, "a b"), _segment(5, "c"))
    assert _column(clip, "confidence_after")[:2] == pytest.approx([0.4, 0.2])
    assert _column(clip, "gap_after_s")[:2] == pytest.approx([0.5, 3.5])
    assert np.isnan(_column(clip, "confidence_before")[0])


def test_agreement_is_the_share_of_readings_that_have_the_word() -> None:
    clip = _clip(_segment(0, "one two three", alternatives=("one too three", "one two", "")))
    assert _column(clip, "agreement") == pytest.approx([1.0, 0.5, 0.5])


def test_agreement_is_undefined_without_other_readings() -> None:
    assert np.isnan(_column(_clip(_segment(0, "one")), "agreement")).all()


def test_agreement_keeps_its_rows_when_a_word_holds_a_space() -> None:
    word = Word("New York", 0, 1, 0.5)
    clip = _clip(Segment(0, 1, "New York", (word,), alternatives=("NewYork",)))
    assert _column(clip, "agreement") == [1.0]


def test_repeated_words_are_marked_on_both_sides() -> None:
    assert _column(_clip(_segment(0, "no no yes")), "is_repeated") == [1.0, 1.0, 0.0]


def test_segments_sum_to_the_expected_errors() -> None:
    clip = _clip(_segment(0, "a b"), _segment(10, "c"))
    parts = spread_over_segments(
        3.7,
        clip,
        (SpeechSpan(0, 12),),
        word_error_probabilities=(0.1, 0.2, 0.9),
        words_per_speech_s=2.0,
    )
    assert sum(parts) == pytest.approx(3.7)


def test_uncovered_speech_counts_for_the_nearest_segment() -> None:
    clip = _clip(_segment(0, "a"), _segment(10, "b"))
    covered = (SpeechSpan(0, 0.5), SpeechSpan(10, 10.5))
    options = {"word_error_probabilities": (0.5, 0.5), "words_per_speech_s": 2.0}
    assert spread_over_segments(2, clip, covered, **options) == pytest.approx((1, 1))
    more = (*covered, SpeechSpan(8, 9))
    assert spread_over_segments(2, clip, more, **options) == pytest.approx((1 / 3, 5 / 3))


def test_segments_without_words_share_by_length() -> None:
    clip = _clip(Segment(0, 1, ""), Segment(1, 4, ""))
    parts = spread_over_segments(4.0, clip, (), word_error_probabilities=(), words_per_speech_s=2.0)
    assert parts == pytest.approx((1, 3))


def test_no_segment_no_parts() -> None:
    assert (
        spread_over_segments(1, _clip(), (), word_error_probabilities=(), words_per_speech_s=2.0)
        == ()
    )


def test_words_are_held_against_the_language() -> None:
    clip = _clip(_segment(0, "In the"), _segment(5, "middle-of 30"))
    scores = score_words(["in", "the", "middle", "of"])
    logprob, rarity = _column(clip, "lm_logprob"), _column(clip, "lm_rarity")
    np.testing.assert_allclose(logprob, [*scores[:2, 0], scores[2:, 0].mean(), np.nan], rtol=1e-6)
    np.testing.assert_allclose(rarity, [*scores[:2, 1], scores[2:, 1].mean(), np.nan], rtol=1e-6)
    gain = np.subtract(logprob, rarity)
    np.testing.assert_allclose(_column(clip, "lm_gain"), gain, atol=1e-5)
    np.testing.assert_allclose(_column(clip, "lm_gain_after"), [*gain[1:], np.nan], atol=1e-5)


def test_other_languages_are_not_judged_by_english() -> None:
    clip = replace(_clip(_segment(0, "der Hund")), language="de")
    assert np.isnan(_column(clip, "lm_logprob")).all()
    assert np.isnan(_column(clip, "lm_gain_after")).all()


def test_a_sign_alone_is_no_word_of_the_language() -> None:
    clip = _clip(_segment(0, "yes – sir"))
    assert np.isnan(_column(clip, "lm_logprob")[1])
    assert np.isfinite(_column(clip, "lm_logprob")[2])


@pytest.mark.parametrize("num_columns", [17, 22])
def test_older_tables_and_models_find_their_columns(num_columns: int) -> None:
    older = np.arange(2 * num_columns, dtype=np.float32).reshape(2, num_columns)
    now = all_columns(older)
    assert now.shape == (2, len(WORD_FEATURES))
    np.testing.assert_array_equal(word_columns(now, num_columns), older)
    assert np.isnan(now[:, WORD_FEATURES.index("lm_gain")]).all()
    assert np.isnan(now[:, WORD_FEATURES.index("second_agreed")]).all() == (num_columns == 17)


def test_doubts_sum_up_the_words_of_a_clip() -> None:
    probabilities = np.array([0.5, 0.2, 0.9], np.float32)
    found = doubts(probabilities, np.array([0, 2, 0], np.int32), 3)
    assert found.shape == (3, len(DOUBTS))
    assert found[0] == pytest.approx([0.7, 0.9, 0.5, 1.4, 1 - 0.5 * 0.1])
    assert found[2] == pytest.approx([0.2] * 5)
    assert np.isnan(found[1]).all()


def test_a_word_that_is_surely_wrong_can_be_summed_up() -> None:
    found = doubts(np.ones(1, np.float32), np.zeros(1, np.int32), 1)
    assert found[0] == pytest.approx([1.0] * 5, abs=1e-2)


def test_a_second_opinion_adds_the_last_columns() -> None:
    clip, other = _clip(_segment(0, "one two three")), _clip(_segment(0, "one tow three"))
    features = word_features(clip, other)
    own = num_word_features("standard")
    assert num_word_features("thorough") == len(WORD_FEATURES)
    np.testing.assert_array_equal(features[:, :own], word_features(clip)[:, :own])
    assert np.isnan(word_features(clip)[:, own:]).all()
    agreed, nearby, likeness = features[:, own : own + 3].T
    assert agreed.tolist() == [1, 0, 1]
    assert nearby == pytest.approx([2 / 3] * 3)
    assert likeness == pytest.approx([1, 1 / 3, 1])
