"""The quiet line after a save: what was predicted, what was true, which words were wrong."""

from collections.abc import Sequence

from qe_core.wer import AlignedWord
from ui.formats import interval, percent
from workbench.review import REJECT_REASONS, ReviewResult

__all__ = ["result_line", "wrong_words"]

_NUM_SHOWN = 6


def result_line(result: ReviewResult) -> str:
    """Say in one line how the prediction did.

    Args:
        result: of a saved verdict

    Returns:
        plain text, e.g. ``"Predicted 31 % (18–47 %), actual 25 %: 1 wrong word: too → two"``
    """
    if result.review.verdict == "reject":
        code, _, note = (result.review.reject_reason or "").partition(": ")
        label = REJECT_REASONS.get(code, code)
        return f"Rejected: {label}{f' ({note})' if note else ''}."
    predicted = (
        f"Predicted {percent(result.predicted_wer)} ({interval(result.low, result.high)})"
        if result.predicted_wer is not None
        else "No prediction"
    )
    if result.actual_wer is None:
        return f"{predicted}; nothing is said in this clip, so it has no WER."
    wrong = wrong_words(result.alignment)
    if not wrong:
        return f"{predicted}, actual {percent(result.actual_wer)}: every word was right."
    shown = ", ".join(wrong[:_NUM_SHOWN])
    more = f" and {len(wrong) - _NUM_SHOWN} more" if len(wrong) > _NUM_SHOWN else ""
    noun = "wrong word" if len(wrong) == 1 else "wrong words"
    return f"{predicted}, actual {percent(result.actual_wer)}: {len(wrong)} {noun}: {shown}{more}"


def wrong_words(alignment: Sequence[AlignedWord]) -> list[str]:
    """Every error of the hypothesis in plain words.

    Examples:
        >>> from qe_core.wer import align
        >>> wrong_words(align("two words here", "too words well here"))
        ['too → two', 'well too many']
        >>> wrong_words(align("one two", "one"))
        ['two missing']
    """
    words = []
    for word in alignment:
        if word.operation == "substitution":
            words.append(f"{word.hypothesis} → {word.reference}")
        elif word.operation == "insertion":
            words.append(f"{word.hypothesis} too many")
        elif word.operation == "deletion":
            words.append(f"{word.reference} missing")
    return words
