"""Normalising removes what does not count as a word error, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.text import DEFAULT_NORMALISER, NORMALISERS, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", "hello world"),
        ("don't", "don't"),
        ("don’t", "don't"),
        ("rock ’n’ roll", "rock n roll"),
        ("the dogs' bone", "the dogs bone"),
        ("''quoted''", "quoted"),
        ("a''b", "a b"),
        ("o'clock'", "o'clock"),
        ("twenty-one", "twenty one"),
        ("snake_case", "snake case"),
        ("[laughs] yes (pause) <unk> no", "yes no"),
        ("an open [bracket stays", "an open bracket stays"),
        ("  many \t spaces \n here ", "many spaces here"),
        ("ﬁne ① ｗｉｄｅ", "fine 1 wide"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("co\u00adoperate", "cooperate"),
        ("50%", "50"),
        ("I ❤️ you 👩‍💻", "i you"),
        ("", ""),
        ("...!?", ""),
        ("\u0301", ""),
    ],
)
def test_text_becomes_comparable_words(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("text", ["हिन्दी में बात", "مُحَمَّد", "தமிழ்", "i̇stanbul", "ภาษาไทยที่"])
def test_vowel_signs_and_accents_do_not_split_words(text: str) -> None:
    assert normalise(f"{text}!") == text


def test_unknown_version_is_an_error() -> None:
    with pytest.raises(KeyError, match="basic-0"):
        normalise("text", "basic-0")


def test_the_default_version_is_registered() -> None:
    assert DEFAULT_NORMALISER in NORMALISERS


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=60))
def test_result_is_words_between_single_spaces(text: str) -> None:
    words = normalise(text).split(" ") if normalise(text) else []
    assert all(words)
    assert all(any(char.isalnum() for char in word) for word in words)


@given(st.text("abc xyz'", max_size=40))
def test_case_and_punctuation_do_not_count(text: str) -> None:
    assert normalise(text.upper() + "!") == normalise(text)
