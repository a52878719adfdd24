"""Why a clip is expected to be wrong, in plain words."""

from collections.abc import Mapping, Sequence

from qe_core.features import INFO
from qe_core.types import FloatArray, Reason

__all__ = ["find_reasons"]

# Less than this share of a word in a hundred is nothing that a person could hear.
_MIN_CONTRIBUTION = 0.01


def find_reasons(
    contributions: FloatArray,
    values: FloatArray,
    *,
    names: Sequence[str],
    medians: Mapping[str, float | None],
    limit: int,
) -> tuple[Reason, ...]:
    """Turn what features add to a prediction into sentences.

    Features that lead to the same sentence are one reason, with the sum of what they add.

    Args:
        contributions: what every feature adds to the predicted WER, shape ``(num_features,)``
        values: the features, same shape
        names: their names, in the same order
        medians: median of every feature in training; says whether a value is high or low
        limit: reasons at most

    Returns:
        the strongest reasons first, only those that push the prediction up
    """
    added: dict[str, float] = {}
    strongest: dict[str, tuple[float, str]] = {}
    for name, value, contribution in zip(names, values, contributions, strict=True):
        sentence = _sentence(name, float(value), medians.get(name))
        if not sentence:
            continue
        added[sentence] = added.get(sentence, 0.0) + float(contribution)
        if float(contribution) > strongest.get(sentence, (-1.0, ""))[0]:
            strongest[sentence] = (float(contribution), name)
    ranked = sorted(added.items(), key=lambda item: -item[1])
    return tuple(
        Reason(code=strongest[sentence][1], text=sentence, contribution=round(amount, 4))
        for sentence, amount in ranked[:limit]
        if amount >= _MIN_CONTRIBUTION
    )


def _sentence(name: str, value: float, median: float | None) -> str:
    info = INFO.get(name)
    if info is None or median is None or value != value:  # noqa: PLR0124  # NaN is not itself
        return ""
    return info.high if value > median else info.low
