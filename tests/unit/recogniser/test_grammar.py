import re

from qe_core.recogniser.grammar import is_held_out_sentence, sentences, vocabulary


def test_the_grammar_knows_some_hundred_words() -> None:
    words = vocabulary(num_sentences=3000)
    assert 400 <= len(words) <= 1000
    assert {"platform", "agenda", "seven"} <= set(words)


def test_no_slot_is_left_open_and_every_sentence_is_one() -> None:
    for text in sentences(300, held_out=False, seed=3):
        assert not re.search(r"[<>|]", text)
        assert text[0].isupper()
        assert text[-1] in ".?"


def test_sentences_of_the_two_sides_never_meet() -> None:
    training = set(sentences(500, held_out=False, seed=4))
    held_out = set(sentences(20, held_out=True, seed=4))
    assert not training & held_out
    assert all(map(is_held_out_sentence, held_out))


def test_the_same_seed_draws_the_same_sentences() -> None:
    first, second = (list(sentences(20, held_out=False, seed=5)) for _ in range(2))
    assert first == second
    assert first != list(sentences(20, held_out=False, seed=6))
