"""Word error counts, alignment, and rates that are pooled and never averaged."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import jiwer

from qe_core.text import DEFAULT_NORMALISER, normalise

__all__ = [
    "AlignedWord",
    "ErrorCounts",
    "Operation",
    "align",
    "count_errors",
    "count_mistakes",
    "pool",
]


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Hits, substitutions, deletions and insertions of one or many transcripts."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def num_errors(self) -> int:
        """S + D + I."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def num_reference_words(self) -> int:
        """H + S + D."""
        return self.hits + self.substitutions + self.deletions

    @property
    def wer(self) -> float | None:
        """Word error rate; may exceed 1, ``None`` when the reference has no words."""
        if self.num_reference_words == 0:
            return None
        return self.num_errors / self.num_reference_words

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


Operation = Literal["hit", "substitution", "deletion", "insertion"]


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """One column of an alignment.

    Args:
        operation: what happened to the word
        reference: the reference word, ``None`` for an insertion
        hypothesis: the hypothesis word, ``None`` for a deletion
        hypothesis_index: position among the normalised hypothesis words; for a deletion, the
            position before which the word is missing
    """

    operation: Operation
    reference: str | None
    hypothesis: str | None
    hypothesis_index: int


def count_errors(
    reference: str, hypothesis: str, *, normaliser: str = DEFAULT_NORMALISER
) -> ErrorCounts:
    """Count word errors after normalising both sides.

    Args:
        reference: human truth
        hypothesis: what the engine wrote
        normaliser: version of the text normaliser

    Returns:
        the four counts; an empty reference counts every hypothesis word as an insertion

    Examples:
        >>> count_errors("one two three", "One too three four")
        ErrorCounts(hits=2, substitutions=1, deletions=0, insertions=1)
        >>> count_errors("", "ghost").wer is None
        True
    """
    reference_text = normalise(reference, normaliser)
    hypothesis_text = normalise(hypothesis, normaliser)
    # jiwer's measures for an empty side are its own convention; counts need none.
    if not reference_text:
        return ErrorCounts(insertions=len(hypothesis_text.split()))
    if not hypothesis_text:
        return ErrorCounts(deletions=len(reference_text.split()))
    output = jiwer.process_words(reference_text, hypothesis_text)
    return ErrorCounts(output.hits, output.substitutions, output.deletions, output.insertions)


def align(
    reference: str, hypothesis: str, *, normaliser: str = DEFAULT_NORMALISER
) -> tuple[AlignedWord, ...]:
    """Align the normalised words of both sides, minimising errors.

    Args:
        reference: human truth
        hypothesis: what the engine wrote
        normaliser: version of the text normaliser

    Returns:
        one entry per hit, substitution, deletion or insertion, in order

    Examples:
        >>> [word.operation for word in align("a b c", "a x c d")]
        ['hit', 'substitution', 'hit', 'insertion']
    """
    reference_words = normalise(reference, normaliser).split()
    hypothesis_words = normalise(hypothesis, normaliser).split()
    if not reference_words:
        return tuple(
            AlignedWord("insertion", None, word, index)
            for index, word in enumerate(hypothesis_words)
        )
    if not hypothesis_words:
        return tuple(AlignedWord("deletion", word, None, 0) for word in reference_words)
    output = jiwer.process_words(" ".join(reference_words), " ".join(hypothesis_words))
    aligned: list[AlignedWord] = []
    for chunk in output.alignments[0]:
        references = reference_words[chunk.ref_start_idx : chunk.ref_end_idx]
        hypotheses = hypothesis_words[chunk.hyp_start_idx : chunk.hyp_end_idx]
        start = chunk.hyp_start_idx
        if chunk.type == "delete":
            aligned += [AlignedWord("deletion", word, None, start) for word in references]
        elif chunk.type == "insert":
            aligned += [
                AlignedWord("insertion", None, word, start + offset)
                for offset, word in enumerate(hypotheses)
            ]
        else:
            operation: Operation = "hit" if chunk.type == "equal" else "substitution"
            aligned += [
                AlignedWord(operation, reference_word, hypothesis_word, start + offset)
                for offset, (reference_word, hypothesis_word) in enumerate(
                    zip(references, hypotheses, strict=True)
                )
            ]
    return tuple(aligned)


def count_mistakes(
    reference: str, hypothesis: str, *, normaliser: str = DEFAULT_NORMALISER
) -> Counter[tuple[str | None, str | None]]:
    """Count which word was written for which.

    Args:
        reference: human truth
        hypothesis: what the engine wrote
        normaliser: version of the text normaliser

    Returns:
        how often, by (said, written); ``None`` is said for an insertion, written for a deletion

    Examples:
        >>> dict(count_mistakes("too bad", "two bad uh"))
        {('too', 'two'): 1, (None, 'uh'): 1}
    """
    return Counter(
        (word.reference, word.hypothesis)
        for word in align(reference, hypothesis, normaliser=normaliser)
        if word.operation != "hit"
    )


def pool(counts: Iterable[ErrorCounts]) -> ErrorCounts:
    """Sum counts over clips; the rate of the sum is the pooled WER.

    Examples:
        >>> pool([ErrorCounts(hits=9, substitutions=1), ErrorCounts(deletions=10)]).wer
        0.55
    """
    return sum(counts, start=ErrorCounts())
