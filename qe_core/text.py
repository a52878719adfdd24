"""Versioned text normalisers: both sides of a WER go through the same one."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import takewhile
from types import MappingProxyType

__all__ = ["DEFAULT_NORMALISER", "NORMALISERS", "normalise"]

DEFAULT_NORMALISER = "basic-1"

_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
# Soft hyphens, joiners and the like are not seen and therefore part nothing.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
# Every sign separates words, but for an apostrophe between letters ("don't") and for the vowel
# signs and accents that follow letters in many scripts.
_SIGNS = re.compile(r"[^\w\s']+|_")
_LOOSE_APOSTROPHE = re.compile(r"(?<![^\s'])'|'(?!\w)")


def _basic_1(text: str) -> str:
    """Case, punctuation, bracketed remarks and typographic variants do not count as errors."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _BRACKETED.sub(" ", _INVISIBLE.sub("", text.translate(_APOSTROPHES)))
    text = _LOOSE_APOSTROPHE.sub(" ", _SIGNS.sub(_marks_or_space, text))
    return " ".join(text.split())


def _marks_or_space(match: re.Match[str]) -> str:
    signs, start = match.group(), match.start()
    if start == 0 or not match.string[start - 1].isalnum():
        return " "
    marks = "".join(takewhile(lambda sign: unicodedata.category(sign) in ("Mn", "Mc"), signs))
    return marks if marks == signs else marks + " "


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
