"""Why a clip is expected to be wrong, in plain words."""

from collections.abc import Mapping, Sequence

from qe_core.estimation.words import DOUBTS
from qe_core.features import INFO
from qe_core.types import FloatArray, Reason

__all__ = ["find_reasons"]

# Less than this share of a word in a hundred is nothing that a person could hear.
_MIN_CONTRIBUTION = 0.01
# That there is much of it says nothing about what is wrong with it.
_MUCH = frozenset(INFO[name].high for name in ("num_words", "speech_s", "text_compression"))
_DOUBTFUL = 0.5
_DOUBTFUL_WORDS = "doubtful_words"
_MOST = "Most of the words are doubtful."


def find_reasons(
    contributions: FloatArray,
    values: FloatArray,
    *,
    names: Sequence[str],
    usual_ranges: Mapping[str, tuple[float, float] | None],
    word_error_probabilities: Sequence[float],
    limit: int,
) -> tuple[Reason, ...]:
    """Turn what features add to a prediction into sentences.

    Features that lead to the same sentence are one reason, with the sum of what they add. Where
    nothing but length is a reason, it is said that most of the words are doubtful, if they are.

    Args:
        contributions: what every feature adds to the predicted WER, shape ``(num_features,)``
        values: the features, same shape
        names: their names, in the same order
        usual_ranges: where most training clips lie, by feature; what lies within is no reason
            that a person would understand
        word_error_probabilities: of every word, as far as they are known; what is said of words is
            a reason by how many are doubtful, and not by what is usual
        limit: reasons at most

    Returns:
        the strongest reasons first, only those that push the prediction up; that the clip
        is long comes last
    """
    of_words = _of_words(word_error_probabilities)
    added: dict[str, float] = {}
    strongest: dict[str, tuple[float, str]] = {}
    for name, value, contribution in zip(names, values, contributions, strict=True):
        is_doubt = name in DOUBTS
        sentence = of_words if is_doubt else _sentence(name, float(value), usual_ranges.get(name))
        if not sentence:
            continue
        added[sentence] = added.get(sentence, 0.0) + float(contribution)
        if float(contribution) > strongest.get(sentence, (-1.0, ""))[0]:
            strongest[sentence] = (float(contribution), _DOUBTFUL_WORDS if is_doubt else name)
    enough = [item for item in added.items() if item[1] >= _MIN_CONTRIBUTION]
    ranked = sorted(enough, key=lambda item: (item[0] in _MUCH, -item[1]))
    reasons = tuple(
        Reason(code=strongest[sentence][1], text=sentence, contribution=round(amount, 4))
        for sentence, amount in ranked
    )
    if of_words == _MOST and all(reason.text in _MUCH for reason in reasons):
        reasons = (Reason(_DOUBTFUL_WORDS, _MOST), *reasons)
    return reasons[:limit]


def _of_words(probabilities: Sequence[float]) -> str:
    """How many of the words are doubtful, as a sentence; empty where none is."""
    num_doubtful = sum(value >= _DOUBTFUL for value in probabilities)
    if not num_doubtful:
        return ""
    if 2 * num_doubtful >= len(probabilities):
        return _MOST
    return "Several words are doubtful." if num_doubtful > 1 else "One of the words is doubtful."


def _sentence(name: str, value: float, usual_range: tuple[float, float] | None) -> str:
    info = INFO.get(name)
    if info is None or usual_range is None:
        return ""
    low, high = usual_range
    if value > high:
        return info.high
    # NaN is neither above nor below, and says nothing.
    return info.low if value < low else ""
