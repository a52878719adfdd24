from qe_core.estimation.labels import label_clip
from qe_core.types import Segment, Transcript, Word
from tests.builders import transcript


def _spoken(*words: str) -> Transcript:
    timed = tuple(Word(word, index, index + 0.5, 0.5) for index, word in enumerate(words))
    segment = Segment(0.0, float(len(words)), " ".join(words), timed)
    return Transcript((segment,), "en", "whisper", "base", "1")


def test_substituted_and_inserted_words_are_wrong() -> None:
    labels = label_clip("one two three", transcript("one too three four"))
    assert labels.is_wrong == (False, True, False, True)
    assert labels.counts.num_errors == 2


def test_missing_words_belong_to_the_gap_where_they_are_missing() -> None:
    labels = label_clip("zero one and two then three more", transcript("one two three"))
    assert labels.is_wrong == (False, False, False)
    assert labels.deletions_before == (1, 1, 1, 1)


def test_a_word_that_normalises_to_nothing_has_no_label() -> None:
    labels = label_clip("hello there", _spoken("Hello,", "[laughs]", "there."))
    assert labels.is_wrong == (False, None, False)
    assert labels.num_hypothesis_words == 2


def test_a_word_of_two_parts_is_wrong_when_one_part_is() -> None:
    labels = label_clip("twenty two apples", _spoken("Twenty-one", "apples"))
    assert labels.is_wrong == (True, False)
    assert labels.counts.substitutions == 1
    assert labels.counts.hits == 2


def test_missing_words_after_a_word_of_two_parts_come_before_the_next_word() -> None:
    labels = label_clip("twenty one red apples", _spoken("Twenty-one", "apples"))
    assert labels.deletions_before == (0, 1, 0)


def test_everything_is_missing_from_an_empty_transcript() -> None:
    labels = label_clip("one two", transcript(""))
    assert labels.is_wrong == ()
    assert labels.deletions_before == (2,)
    assert labels.counts.deletions == 2


def test_every_word_is_wrong_when_nothing_was_said() -> None:
    labels = label_clip("", transcript("ghost words"))
    assert labels.is_wrong == (True, True)
    assert labels.counts.wer is None
