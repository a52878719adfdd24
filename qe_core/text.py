"""Versioned text normalisers: both sides of a WER go through the same one."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["DEFAULT_NORMALISER", "NORMALISERS", "normalise"]

DEFAULT_NORMALISER = "basic-1"

_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
# An apostrophe counts only between letters ("don't"); every other mark separates words.
_NOT_WORD = re.compile(r"(?<!\w)'|'(?!\w)|[^\w\s']|_")


def _basic_1(text: str) -> str:
    """Case, punctuation, bracketed remarks and typographic variants do not count as errors."""
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    text = _BRACKETED.sub(" ", text)
    return " ".join(_NOT_WORD.sub(" ", text).split())


NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType({"basic-1": _basic_1})


def normalise(text: str, version: str = DEFAULT_NORMALISER) -> str:
    """Bring a text into the form in which words are compared.

    Args:
        text: anything a person or an engine wrote
        version: name of the normaliser; stored beside every WER that was computed with it

    Returns:
        lower-case words separated by single spaces, possibly empty

    Raises:
        KeyError: there is no such normaliser

    Examples:
        >>> normalise("“Don’t,” she said [laughs] – twenty-one!")
        "don't she said twenty one"
    """
    return NORMALISERS[version](text)
