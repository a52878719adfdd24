"""How usual words are, and how well they follow each other: an English trigram model.

It is the one that comes with PocketSphinx and judges any recogniser's words: what a recogniser
makes up where it understood nothing is often made of words that hardly ever stand together.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pocketsphinx

__all__ = ["LANGUAGE", "score_words"]

LANGUAGE = "en"
"""The only language that it knows, ISO 639-1."""

_PATH = "en-us/en-us.lm.bin"
_BEGINNING = "<s>"
_NUM_BEFORE = 2
# The rarest word that the model knows has a logarithm of about -14.
_UNKNOWN = -16.0
# What the model says of words that it does not know is far below that of any other.
_LOWEST = -1000.0


def score_words(words: Sequence[str]) -> npt.NDArray[np.float64]:
    """Natural logarithms of the probability of every word, after the two before it and by itself.

    A word that the model does not know is taken for rarer than any that it knows, and the next one
    is judged by itself. So is what comes after digits, of which nothing can be said.

    Args:
        words: in lower case and without punctuation, see :func:`qe_core.text.normalise`

    Returns:
        shape ``(num_words, 2)``; NaN for words with a digit
    """
    score = _scores()
    found = np.full((len(words), 2), np.nan)
    before = [_BEGINNING]
    for place, word in enumerate(words):
        if any(map(str.isdigit, word)):
            before = []
            continue
        alone = score([word])
        if alone < _LOWEST:
            found[place] = _UNKNOWN
            before = []
            continue
        found[place] = score([word, *before[::-1]]), alone
        before = [*before, word][-_NUM_BEFORE:]
    return found


class _Scores:
    """The model, kept with what turns its whole numbers into logarithms."""

    def __init__(self) -> None:
        self._logarithm = pocketsphinx.LogMath()
        path = pocketsphinx.get_model_path(_PATH)
        config = pocketsphinx.Config(lm=None, loglevel="FATAL")
        self._model = pocketsphinx.NGramModel(config, self._logarithm, path)

    def __call__(self, words: list[str]) -> float:
        """Of the first word after the others, the nearest first."""
        return float(self._logarithm.log_to_ln(self._model.prob(words)))


@cache
def _scores() -> _Scores:
    """Read once, when it is first asked: 27 MB, 0.1 s."""
    return _Scores()
