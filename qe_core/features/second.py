"""What another recogniser made of the same clip: where the two disagree, one of them is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from qe_core.features.base import FeatureContext, FeatureInfo, undefined
from qe_core.text import normalise
from qe_core.types import Transcript, Word

__all__ = ["Comparison", "SecondOpinionFeatures", "compare"]

# Shorter overlaps are neighbours whose edges differ a little.
_MIN_OVERLAP_S = 0.02

_INFO = (
    FeatureInfo(
        "second_disagreement",
        "second opinion: disagreement",
        high="Another recogniser understood something else.",
        low="Another recogniser understood much the same.",
    ),
    FeatureInfo(
        "second_length_ratio",
        "second opinion: length ratio",
        high="Another recogniser heard more words.",
        low="Another recogniser heard fewer words.",
    ),
    FeatureInfo(
        "second_letter_disagreement",
        "second opinion: other letters",
        high="Another recogniser heard other sounds, not only other words.",
        low="Another recogniser heard much the same sounds.",
    ),
    FeatureInfo(
        "second_agreed_share",
        "second opinion: share of agreed words",
        high="Another recogniser wrote most of these words, too.",
        low="Another recogniser wrote few of these words.",
    ),
    FeatureInfo(
        "second_similarity",
        "second opinion: likeness of words",
        high="At the same places, another recogniser heard like words.",
        low="At the same places, another recogniser heard quite different words.",
    ),
    FeatureInfo(
        "second_agreed_confidence",
        "second opinion: agreed confidence",
        high="Another recogniser agrees where this one is sure.",
        low="Another recogniser disagrees where this one is sure.",
    ),
    FeatureInfo(
        "second_confident_disagreement",
        "second opinion: sure words in doubt",
        high="Another recogniser disagrees with the surest words.",
        low="Another recogniser agrees with the surest words.",
    ),
    FeatureInfo(
        "second_votes",
        "second opinion: votes",
        high="These words are among all readings of another recogniser.",
        low="These words are in few readings of another recogniser.",
    ),
    FeatureInfo(
        "second_confidence",
        "second opinion: its confidence",
        high="Another recogniser was sure of its own words.",
        low="Another recogniser was unsure, too.",
    ),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The words of a hypothesis against a second opinion; arrays have one entry per word.

    Args:
        agreed: share of the word's normalised parts that the second opinion has, too, in the
            alignment of both texts; NaN for a word that normalises to nothing
        likeness: similarity in letters to what the second opinion has at the same time, in [0, 1]
        other_confidence: of the second opinion's words at the same time; NaN where it has none
        votes: share of the second opinion's readings (n-best list) that have the word; NaN when it
            reports one reading only
    """

    agreed: npt.NDArray[np.float64]
    likeness: npt.NDArray[np.float64]
    other_confidence: npt.NDArray[np.float64]
    votes: npt.NDArray[np.float64]


class SecondOpinionFeatures:
    """Agreement with another recogniser.

    NaN: no second opinion (everything), no words in the hypothesis (what is about words), no n-best
    list (``second_votes``).

    References:
        A. Waheed et al. (2025), arXiv 2502.12408: disagreement with a reference model predicts WER
        better than anything that the model says of itself.
    """

    name = "second"
    version = 1
    needs_transcript = True
    needs_second = True
    features = _INFO

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """See :class:`qe_core.features.base.FeatureExtractor`."""
        values = undefined(_INFO)
        first, second = context.transcript, context.second
        if first is None or second is None:
            return values
        return values | _texts(first, second) | _words(first, second)


def compare(first: Transcript, second: Transcript) -> Comparison:
    """Look for every word of a hypothesis in a second opinion.

    Args:
        first: the hypothesis
        second: what another recogniser made of the same clip
    """
    likeness, confidence = _at_the_same_time(first.words, second.words)
    parts = _parts(first)
    return Comparison(
        agreed=parts.share_of(_in_both(parts.texts, normalise(second.text).split())),
        likeness=likeness,
        other_confidence=confidence,
        votes=_votes(parts, second),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Normalised words of a transcript; ``owners`` says which of its words each belongs to."""

    texts: list[str]
    owners: npt.NDArray[np.intp]
    num_words: int

    def share_of(self, flags: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Mean of what is known of the parts, by word; NaN for a word without any."""
        count = np.bincount(self.owners, minlength=self.num_words)
        total = np.bincount(self.owners, weights=flags, minlength=self.num_words)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _parts(transcript: Transcript) -> _Parts:
    found = [
        (part, index)
        for index, word in enumerate(transcript.words)
        for part in normalise(word.word).split()
    ]
    owners = np.array([index for _, index in found], np.intp)
    return _Parts([part for part, _ in found], owners, len(transcript.words))


def _in_both(one: list[str], other: list[str]) -> npt.NDArray[np.float64]:
    """1 for every word of a text that is aligned with the same word of another, otherwise 0."""
    flags = np.zeros(len(one))
    for step in Levenshtein.opcodes(one, other):
        if step.tag == "equal":
            flags[step.src_start : step.src_end] = 1
    return flags


def _votes(parts: _Parts, second: Transcript) -> npt.NDArray[np.float64]:
    depth = max((len(segment.alternatives) for segment in second.segments), default=0)
    if depth == 0:
        return np.full(parts.num_words, np.nan)
    flags = np.zeros(len(parts.texts))
    for place in range(depth):
        reading = [
            segment.alternatives[place] if place < len(segment.alternatives) else segment.text
            for segment in second.segments
        ]
        flags += _in_both(parts.texts, normalise(" ".join(reading)).split())
    return parts.share_of(flags / depth)


def _at_the_same_time(
    words: Sequence[Word], others: Sequence[Word]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    likeness, confidence = np.zeros(len(words)), np.full(len(words), np.nan)
    texts = [normalise(other.word) for other in others]
    starts = np.array([other.start_s for other in others])
    ends = np.array([other.end_s for other in others])
    confidences = np.array([other.confidence for other in others])
    for index, word in enumerate(words):
        overlap_s = np.minimum(ends, word.end_s) - np.maximum(starts, word.start_s)
        near = np.flatnonzero(overlap_s > _MIN_OVERLAP_S)
        if len(near) == 0:
            continue
        text = normalise(word.word)
        # One long word may have been heard as several short ones.
        candidates = [*(texts[place] for place in near), "".join(texts[place] for place in near)]
        likeness[index] = max(Levenshtein.normalized_similarity(text, it) for it in candidates)
        confidence[index] = np.average(confidences[near], weights=overlap_s[near])
    return likeness, confidence


def _texts(first: Transcript, second: Transcript) -> dict[str, float]:
    one, other = normalise(first.text).split(), normalise(second.text).split()
    confidence = [word.confidence for word in second.words]
    return {
        "second_disagreement": _difference(one, other),
        "second_length_ratio": len(other) / len(one) if one else np.nan,
        "second_letter_disagreement": _difference("".join(one), "".join(other)),
        "second_confidence": float(np.mean(confidence)) if confidence else np.nan,
    }


def _difference(one: Sequence[str], other: Sequence[str]) -> float:
    """Twice the edit distance over both lengths, in [0, 2]; 0 if both are empty."""
    total = len(one) + len(other)
    return 2 * Levenshtein.distance(one, other) / total if total else 0.0


def _words(first: Transcript, second: Transcript) -> dict[str, float]:
    if not first.words:
        return {}
    found = compare(first, second)
    agreed = np.nan_to_num(found.agreed)
    confidence = np.array([word.confidence for word in first.words])
    is_sure = confidence >= np.median(confidence)
    votes = found.votes[~np.isnan(found.votes)]
    return {
        "second_agreed_share": float(agreed.mean()),
        "second_similarity": float(found.likeness.mean()),
        "second_agreed_confidence": float(
            (agreed * confidence).sum() / max(confidence.sum(), 1e-9)
        ),
        "second_confident_disagreement": float(1 - agreed[is_sure].mean()),
        "second_votes": float(votes.mean()) if len(votes) else np.nan,
    }
