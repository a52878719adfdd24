"""Single words: what the word model looks at, and where in a clip the expected errors lie."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import jiwer
import numpy as np
import numpy.typing as npt

from qe_core.features import Depth
from qe_core.features.second import compare
from qe_core.language_model import LANGUAGE, score_words
from qe_core.text import DEFAULT_NORMALISER, normalise
from qe_core.types import FloatArray, Segment, SpeechSpan, Transcript, Word

__all__ = [
    "DOUBTS",
    "WORD_FEATURES",
    "all_columns",
    "doubts",
    "num_word_features",
    "spread_over_segments",
    "word_columns",
    "word_features",
]

_OWN: tuple[str, ...] = (
    "confidence",
    "confidence_before",
    "confidence_after",
    "confidence_lowest_nearby",
    "confidence_mean_clip",
    "confidence_above_clip",
    "agreement",
    "duration_s",
    "num_letters",
    "s_per_letter",
    "gap_before_s",
    "gap_after_s",
    "position",
    "words_from_edge",
    "num_words",
    "is_repeated",
    "avg_logprob",
)
_LANGUAGE: tuple[str, ...] = (
    "lm_logprob",
    "lm_gain",
    "lm_gain_after",
    "lm_rarity",
)
_SECOND: tuple[str, ...] = (
    "second_agreed",
    "second_agreed_nearby",
    "second_likeness",
    "second_confidence",
    "second_votes",
)

WORD_FEATURES: tuple[str, ...] = (*_OWN, *_LANGUAGE, *_SECOND)
"""What is known about a word: by the recogniser itself, by a language model, and, last, by a second
opinion."""

# By how many there are: word models from before the language model look at the others only.
_COLUMNS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        len(names): tuple(WORD_FEATURES.index(name) for name in names)
        for names in (
            _OWN,
            (*_OWN, *_SECOND),
            (*_OWN, *_LANGUAGE),
            WORD_FEATURES,
        )
    }
)

DOUBTS: tuple[str, ...] = ("doubt_mean", "doubt_max", "doubt_min", "doubt_sum", "doubt_any")
"""What is said of a clip's words together: mean, highest and lowest probability that one is wrong,
the expected number of wrong words, and the probability that any is. Inputs of the models of the
clip."""

# Words so far apart do not tell anything more about each other.
_MAX_GAP_S = 5.0
_SURELY_WRONG = 0.999


def num_word_features(depth: Depth) -> int:
    """How many of :data:`WORD_FEATURES`, from the first, a word model of this depth looks at."""
    return len(WORD_FEATURES if depth == "thorough" else (*_OWN, *_LANGUAGE))


def word_columns(words: FloatArray, num_columns: int) -> FloatArray:
    """What a word model looks at.

    Args:
        words: shape ``(num_words, len(WORD_FEATURES))``
        num_columns: how many features the model knows

    Returns:
        shape ``(num_words, num_columns)``
    """
    return words[:, _COLUMNS[num_columns]]


def all_columns(words: FloatArray) -> FloatArray:
    """Words of an older table, which knows nothing of second opinions or of the language.

    Args:
        words: shape ``(num_words, num_columns)``

    Returns:
        shape ``(num_words, len(WORD_FEATURES))``, NaN in columns that are not there

    Raises:
        KeyError: no version had so many columns
    """
    found = np.full((len(words), len(WORD_FEATURES)), np.nan, np.float32)
    found[:, _COLUMNS[words.shape[1]]] = words
    return found


def doubts(
    probabilities: FloatArray, word_clip: npt.NDArray[np.int32], num_clips: int
) -> FloatArray:
    """What is said of the words of a clip together.

    Args:
        probabilities: that a word is wrong, shape ``(num_words,)``
        word_clip: row of the clip, shape ``(num_words,)``
        num_clips: rows

    Returns:
        :data:`DOUBTS`, shape ``(num_clips, len(DOUBTS))``; NaN without a word
    """
    found = np.full((num_clips, len(DOUBTS)), np.nan, np.float32)
    sure = np.log1p(-np.minimum(probabilities, _SURELY_WRONG))
    count = np.bincount(word_clip, minlength=num_clips)
    total = np.bincount(word_clip, probabilities, minlength=num_clips)
    all_right = np.exp(np.bincount(word_clip, sure, minlength=num_clips))
    worst, best = np.zeros(num_clips), np.ones(num_clips)
    np.maximum.at(worst, word_clip, probabilities)
    np.minimum.at(best, word_clip, probabilities)
    known = count > 0
    columns = [total / np.maximum(count, 1), worst, best, total, 1 - all_right]
    found[known] = np.stack(columns, axis=1)[known]
    return found


def word_features(transcript: Transcript, second: Transcript | None = None) -> FloatArray:
    """Describe every word of a transcript by itself, its neighbours and its clip.

    Args:
        transcript: the hypothesis
        second: what another recogniser made of the clip

    Returns:
        shape ``(num_words, len(WORD_FEATURES))``; NaN where there is no neighbour, no n-best list,
        no model of the language or no second opinion
    """
    words = transcript.words
    if not words:
        return np.empty((0, len(WORD_FEATURES)), np.float32)
    count = len(words)
    confidence = np.array([word.confidence for word in words])
    start = np.array([word.start_s for word in words])
    end = np.array([word.end_s for word in words])
    letters = np.array([max(1, len(word.word)) for word in words])
    nearby = _nearby(confidence)
    parts = [normalise(word.word, DEFAULT_NORMALISER).split() for word in words]
    gaps = np.clip(start[1:] - end[:-1], 0, _MAX_GAP_S)
    index = np.arange(count)
    columns = [
        confidence,
        nearby[1],
        nearby[3],
        np.nanmin(nearby, axis=0),
        np.full(count, confidence.mean()),
        confidence - confidence.mean(),
        np.concatenate([_agreement(segment) for segment in transcript.segments]),
        end - start,
        letters,
        (end - start) / letters,
        np.concatenate([[np.nan], gaps]),
        np.concatenate([gaps, [np.nan]]),
        (index + 0.5) / count,
        np.minimum(index, count - 1 - index),
        np.full(count, count),
        _is_repeated(parts),
        np.concatenate(
            [
                np.full(len(segment.words), _or_nan(segment.avg_logprob))
                for segment in transcript.segments
            ]
        ),
        *_in_language(transcript, parts),
        *_against(transcript, second),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def spread_over_segments(
    expected_errors: float,
    transcript: Transcript,
    speech: tuple[SpeechSpan, ...],
    *,
    word_error_probabilities: Sequence[float],
    words_per_speech_s: float,
) -> tuple[float, ...]:
    """Say where in the clip the expected errors lie.

    Wrong words count where they stand; missing words are looked for where somebody speaks and no
    word is written, and belong to the nearest segment. Both are scaled together so that the
    segments sum to what is expected of the clip.

    Args:
        expected_errors: of the whole clip
        transcript: the hypothesis
        speech: where somebody speaks
        word_error_probabilities: one per word, in order
        words_per_speech_s: expected words per second of speech

    Returns:
        expected errors per segment; empty when there is no segment
    """
    if not transcript.segments:
        return ()
    weights = np.zeros(len(transcript.segments))
    place = 0
    for index, segment in enumerate(transcript.segments):
        for word in segment.words:
            parts = len(normalise(word.word, DEFAULT_NORMALISER).split())
            weights[index] += parts * word_error_probabilities[place]
            place += 1
    for start_s, end_s in _uncovered(transcript.words, speech):
        nearest = _nearest_segment(transcript.segments, (start_s + end_s) / 2)
        weights[nearest] += words_per_speech_s * (end_s - start_s)
    if weights.sum() <= 0:
        weights = np.array([max(0.01, item.end_s - item.start_s) for item in transcript.segments])
    return tuple(float(value) for value in expected_errors * weights / weights.sum())


def _nearby(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Every value between its two neighbours on each side, shape ``(5, num_values)``."""
    padded = np.concatenate([[np.nan] * 2, values, [np.nan] * 2])
    return np.stack([padded[shift : shift + len(values)] for shift in range(5)])


def _in_language(
    transcript: Transcript, parts: Sequence[Sequence[str]]
) -> list[npt.NDArray[np.float64]]:
    """The columns of the language model, for which "twenty-one" is two words."""
    num_words = len(parts)
    if transcript.language != LANGUAGE:
        return [np.full(num_words, np.nan)] * len(_LANGUAGE)
    num_parts = np.array([len(word) for word in parts])
    word_of = np.repeat(np.arange(num_words), num_parts)
    scores = score_words([part for word in parts for part in word])
    total = np.stack([np.bincount(word_of, column, num_words) for column in scores.T])
    # A sign that stands alone is no word of the language.
    logprob, rarity = total / np.where(num_parts, num_parts, np.nan)
    gain = logprob - rarity
    return [logprob, gain, np.concatenate([gain[1:], [np.nan]]), rarity]


def _against(transcript: Transcript, second: Transcript | None) -> list[npt.NDArray[np.float64]]:
    """The columns of the second opinion."""
    if second is None:
        return [np.full(len(transcript.words), np.nan)] * len(_SECOND)
    found = compare(transcript, second)
    agreed = np.nan_to_num(found.agreed)
    return [
        found.agreed,
        np.nanmean(_nearby(agreed), axis=0),
        found.likeness,
        found.other_confidence,
        found.votes,
    ]


def _agreement(segment: Segment) -> FloatArray:
    """Share of the n-best alternatives that have the word at its place; NaN without any."""
    if not segment.alternatives:
        return np.full(len(segment.words), np.nan, np.float32)
    text = " ".join(word.word.replace(" ", "") or "-" for word in segment.words)
    votes = np.zeros(len(segment.words))
    usable = [other for other in segment.alternatives if other.strip()]
    if not text or not usable:
        return np.full(len(segment.words), np.nan, np.float32)
    for chunks in jiwer.process_words([text] * len(usable), usable).alignments:
        for chunk in chunks:
            if chunk.type == "equal":
                votes[chunk.ref_start_idx : chunk.ref_end_idx] += 1
    return np.asarray(votes / len(usable), np.float32)


def _is_repeated(parts: Sequence[Sequence[str]]) -> FloatArray:
    same = [first == second for first, second in pairwise(parts)]
    return np.array([*same, False], np.float32) + np.array([False, *same], np.float32)


def _uncovered(
    words: tuple[Word, ...], speech: tuple[SpeechSpan, ...]
) -> list[tuple[float, float]]:
    """The parts of the speech that no word covers."""
    gaps: list[tuple[float, float]] = []
    for span in speech:
        at_s = span.start_s
        for word in words:
            if word.end_s <= at_s or word.start_s >= span.end_s:
                continue
            if word.start_s > at_s:
                gaps.append((at_s, word.start_s))
            at_s = max(at_s, word.end_s)
        if at_s < span.end_s:
            gaps.append((at_s, span.end_s))
    return gaps


def _nearest_segment(segments: tuple[Segment, ...], at_s: float) -> int:
    distances = [max(item.start_s - at_s, at_s - item.end_s, 0.0) for item in segments]
    return int(np.argmin(distances))


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
