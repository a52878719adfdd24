"""What a reference says about a transcript: error counts, wrong words, and missing words."""

from dataclasses import dataclass

from qe_core.text import DEFAULT_NORMALISER, normalise
from qe_core.types import Transcript
from qe_core.wer import ErrorCounts, align, count_errors

__all__ = ["ClipLabels", "label_clip"]


@dataclass(frozen=True, slots=True)
class ClipLabels:
    """The truth about one transcript.

    Args:
        counts: errors of the whole clip
        num_hypothesis_words: normalised words of the hypothesis
        is_wrong: per transcript word, whether any part of it is a substitution or an insertion;
            ``None`` for a word that normalises to nothing
        deletions_before: per gap, how many reference words are missing there; one more entry than
            there are words, the last for the gap after the last word
    """

    counts: ErrorCounts
    num_hypothesis_words: int
    is_wrong: tuple[bool | None, ...]
    deletions_before: tuple[int, ...]


def label_clip(
    reference: str, transcript: Transcript, *, normaliser: str = DEFAULT_NORMALISER
) -> ClipLabels:
    """Compare a transcript with its reference, word by word.

    A transcript word may normalise to no word ("[laughs]"), to one, or to several ("twenty-one");
    it is wrong as soon as one of its parts is.

    Args:
        reference: human truth
        transcript: what the engine wrote
        normaliser: version of the text normaliser

    Returns:
        counts of the clip and labels of its words and gaps
    """
    words = transcript.words
    owners: list[int] = []
    parts: list[str] = []
    for index, word in enumerate(words):
        for part in normalise(word.word, normaliser).split():
            owners.append(index)
            parts.append(part)
    wrong: list[bool | None] = [None] * len(words)
    for index in owners:
        wrong[index] = False
    deletions = [0] * (len(words) + 1)
    for aligned in align(reference, " ".join(parts), normaliser=normaliser):
        if aligned.operation == "deletion":
            place = aligned.hypothesis_index
            deletions[owners[place] if place < len(owners) else len(words)] += 1
        elif aligned.operation != "hit":
            wrong[owners[aligned.hypothesis_index]] = True
    return ClipLabels(
        counts=count_errors(reference, transcript.text, normaliser=normaliser),
        num_hypothesis_words=len(normalise(transcript.text, normaliser).split()),
        is_wrong=tuple(wrong),
        deletions_before=tuple(deletions),
    )
