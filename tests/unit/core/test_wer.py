"""Counts, alignment and pooled rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.text import normalise
from qe_core.wer import ErrorCounts, align, count_errors, pool

sentences = st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=8).map(" ".join)
counts = st.builds(ErrorCounts, *[st.integers(0, 50)] * 4)


def num_words(text: str) -> int:
    return len(normalise(text).split())


def test_insertions_count_against_reference_length() -> None:
    assert count_errors("hello", "hello there big world").wer == 3.0


def test_wer_may_exceed_one() -> None:
    assert count_errors("yes", "no never ever").wer == 3.0


def test_empty_reference_has_no_rate_but_has_insertions() -> None:
    result = count_errors("", "three ghost words")
    assert result == ErrorCounts(insertions=3)
    assert result.wer is None


def test_empty_hypothesis_deletes_every_word() -> None:
    assert count_errors("all of it", "") == ErrorCounts(deletions=3)


def test_two_empty_sides_have_no_errors() -> None:
    assert count_errors("", "...") == ErrorCounts()
    assert align("", "") == ()


def test_case_punctuation_and_remarks_are_no_errors() -> None:
    assert count_errors("Well, [coughs] don't!", "well don’t").num_errors == 0


def test_each_operation_is_counted_once() -> None:
    result = count_errors("a b c d e f", "a x c e f g")
    assert result == ErrorCounts(hits=4, substitutions=1, deletions=1, insertions=1)
    assert result.num_reference_words == 6
    assert result.wer == 0.5


def test_unknown_normaliser_is_an_error() -> None:
    with pytest.raises(KeyError):
        count_errors("a", "a", normaliser="none")
    with pytest.raises(KeyError):
        align("a", "a", normaliser="none")


def test_pooled_rate_is_not_the_mean_of_rates() -> None:
    clips = [count_errors("yes", "no"), count_errors("a b c d e f g h i", "a b c d e f g h i")]
    assert pool(clips).wer == pytest.approx(0.1)


def test_pool_of_nothing_has_no_rate() -> None:
    assert pool([]) == ErrorCounts()
    assert pool([]).wer is None


def test_a_deletion_points_at_the_gap_in_the_hypothesis() -> None:
    deletion = align("one two three", "one three")[1]
    assert (deletion.operation, deletion.reference, deletion.hypothesis) == (
        "deletion",
        "two",
        None,
    )
    assert deletion.hypothesis_index == 1


def test_an_insertion_points_at_its_own_word() -> None:
    insertion = align("one two", "one more two")[1]
    assert (insertion.operation, insertion.hypothesis) == ("insertion", "more")
    assert insertion.hypothesis_index == 1


def test_alignment_with_an_empty_side_lists_the_other() -> None:
    assert [(word.operation, word.hypothesis_index) for word in align("", "a b")] == [
        ("insertion", 0),
        ("insertion", 1),
    ]
    assert [(word.operation, word.reference) for word in align("a b", "")] == [
        ("deletion", "a"),
        ("deletion", "b"),
    ]


@given(sentences, sentences)
def test_counts_add_up_to_both_lengths(reference: str, hypothesis: str) -> None:
    result = count_errors(reference, hypothesis)
    assert result.num_reference_words == num_words(reference)
    assert result.hits + result.substitutions + result.insertions == num_words(hypothesis)
    assert result.num_errors >= abs(num_words(reference) - num_words(hypothesis))


@given(sentences, sentences)
def test_swapping_sides_swaps_deletions_and_insertions(first: str, second: str) -> None:
    assert count_errors(first, second).num_errors == count_errors(second, first).num_errors


@given(sentences, sentences, sentences)
def test_errors_keep_the_triangle_inequality(first: str, second: str, third: str) -> None:
    direct = count_errors(first, third).num_errors
    detour = count_errors(first, second).num_errors + count_errors(second, third).num_errors
    assert direct <= detour


@given(sentences)
def test_a_text_has_no_errors_against_itself(text: str) -> None:
    assert count_errors(text, text) == ErrorCounts(hits=num_words(text))


@given(sentences, sentences)
def test_alignment_tells_the_same_story_as_the_counts(reference: str, hypothesis: str) -> None:
    aligned = align(reference, hypothesis)
    assert " ".join(word.reference for word in aligned if word.reference) == reference
    assert " ".join(word.hypothesis for word in aligned if word.hypothesis) == hypothesis
    operations = [word.operation for word in aligned]
    assert ErrorCounts(
        operations.count("hit"),
        operations.count("substitution"),
        operations.count("deletion"),
        operations.count("insertion"),
    ) == count_errors(reference, hypothesis)
    words = hypothesis.split()
    for word in aligned:
        if word.hypothesis is not None:
            assert words[word.hypothesis_index] == word.hypothesis
        assert 0 <= word.hypothesis_index <= len(words)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_from_outside_can_be_compared(reference: str, hypothesis: str) -> None:
    result = count_errors(reference, hypothesis)
    assert result.num_reference_words == num_words(reference)
    assert len(align(reference, hypothesis)) == result.num_errors + result.hits


@given(st.lists(counts, max_size=6))
def test_pooling_sums_every_count(clips: list[ErrorCounts]) -> None:
    pooled = pool(clips)
    assert pooled.num_errors == sum(clip.num_errors for clip in clips)
    assert pooled.num_reference_words == sum(clip.num_reference_words for clip in clips)
