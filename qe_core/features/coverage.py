"""How the words cover the speech: the only view of words that were dropped."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.features.base import FeatureContext, FeatureInfo, undefined
from qe_core.types import SpeechSpan, Word

__all__ = ["CoverageFeatures"]

_MIN_GAP_S = 0.1
_CONFIDENT = 0.5
_MIN_SPEECH_S = 0.05

_DROPPED = "Speech that no word covers: the recogniser probably dropped words."

_INFO = (
    FeatureInfo("uncovered_speech_s", "uncovered speech", "s", high=_DROPPED),
    FeatureInfo("uncovered_speech_share", "share of uncovered speech", high=_DROPPED),
    FeatureInfo(
        "longest_uncovered_speech_s",
        "longest uncovered speech",
        "s",
        high="A long stretch of speech has no words: a passage is probably missing.",
    ),
    FeatureInfo(
        "confident_speech_share",
        "share of speech with confident words",
        low="Little of the speech is covered by words that the recogniser was sure of.",
    ),
    FeatureInfo(
        "words_outside_speech_share",
        "words outside speech",
        high="Words stand where nobody speaks: the recogniser probably made them up.",
    ),
    FeatureInfo(
        "gaps_per_word",
        "gaps per word",
        high="There is a gap after many of the words: words are probably missing.",
        low="The words follow one another without a gap, as when noise is taken for speech.",
    ),
    FeatureInfo(
        "longest_gap_s",
        "longest gap",
        "s",
        high="There is a long gap between two words.",
        low="The words follow one another without a gap, as when noise is taken for speech.",
    ),
    FeatureInfo(
        "gap_share",
        "share of gaps",
        high="Much of the time between first and last word has no word.",
        low="The words follow one another without a gap, as when noise is taken for speech.",
    ),
    FeatureInfo(
        "words_per_speech_s",
        "words per second of speech",
        "1/s",
        high="More words than anybody speaks in that time.",
        low="Few words for that much speech: words are probably missing.",
    ),
    FeatureInfo(
        "letters_per_speech_s",
        "letters per second of speech",
        "1/s",
        high="More text than anybody speaks in that time.",
        low="Little text for that much speech: words are probably missing.",
    ),
    FeatureInfo(
        "word_duration_mean_s",
        "mean word duration",
        "s",
        high="The words last unusually long: several may have been taken for one.",
        low="The words are unusually short, as when sounds are taken for words.",
    ),
    FeatureInfo(
        "word_duration_sd_s",
        "spread of word durations",
        "s",
        high="Very short and very long words alternate, as when words are guessed.",
        low="All words last about the same, as when words are guessed.",
    ),
    FeatureInfo(
        "letter_duration_spread",
        "unevenness of tempo",
        high="The tempo jumps from word to word, as when words are guessed.",
        low="The tempo is unusually even.",
    ),
    FeatureInfo(
        "confidence_by_duration",
        "confidence by duration",
        high="The recogniser was sure of the long words, which is not reason enough here.",
        low="The words that last long are doubtful.",
    ),
)


class CoverageFeatures:
    """Words against speech.

    Shares and rates of speech are NaN when there is no speech; what is about words is NaN when
    there are none. Without words, all speech is uncovered.
    """

    name = "coverage"
    version = 1
    needs_transcript = True
    needs_second = False
    features = _INFO

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """See :class:`qe_core.features.base.FeatureExtractor`."""
        values = undefined(_INFO)
        words = context.transcript.words if context.transcript is not None else ()
        return values | _against_speech(context.speech, words) | _between_words(words)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The time between the first and the last edge of any span, cut at every edge.

    Args:
        length_s: length of each piece, shape ``(num_pieces,)``
        covered_by: for each list of spans, which pieces lie in one of them
    """

    length_s: npt.NDArray[np.float64]
    covered_by: tuple[npt.NDArray[np.bool_], ...]


def _timeline(*lists: npt.NDArray[np.float64]) -> _Timeline:
    """Cut time at the edges of spans, each list of shape ``(num_spans, 2)``."""
    edges = np.unique(np.concatenate([spans.ravel() for spans in lists]))
    covered = []
    for spans in lists:
        opened = np.searchsorted(np.sort(spans[:, 0]), edges[:-1], side="right")
        closed = np.searchsorted(np.sort(spans[:, 1]), edges[:-1], side="right")
        covered.append(opened > closed)
    return _Timeline(np.diff(edges), tuple(covered))


def _against_speech(speech: tuple[SpeechSpan, ...], words: tuple[Word, ...]) -> dict[str, float]:
    spans = np.array([(span.start_s, span.end_s) for span in speech]).reshape(-1, 2)
    times = _times(words)
    confidence = np.array([word.confidence for word in words])
    timeline = _timeline(spans, times, times[confidence >= _CONFIDENT])
    length_s = timeline.length_s
    is_speech, is_word, is_confident = timeline.covered_by
    speech_s = float(length_s[is_speech].sum())
    word_s = float(length_s[is_word].sum())
    is_uncovered = is_speech & ~is_word
    uncovered_s = float(length_s[is_uncovered].sum())
    values = {
        "uncovered_speech_s": uncovered_s,
        "longest_uncovered_speech_s": _longest(length_s, is_uncovered),
    }
    if word_s > 0:
        outside_s = float(length_s[is_word & ~is_speech].sum())
        values["words_outside_speech_share"] = outside_s / word_s
    if speech_s >= _MIN_SPEECH_S:
        num_letters = sum(len(word.word.strip()) for word in words)
        values |= {
            "uncovered_speech_share": uncovered_s / speech_s,
            "confident_speech_share": float(length_s[is_speech & is_confident].sum()) / speech_s,
            "words_per_speech_s": len(words) / speech_s,
            "letters_per_speech_s": num_letters / speech_s,
        }
    return values


def _between_words(words: tuple[Word, ...]) -> dict[str, float]:
    if not words:
        return {}
    times = _times(words)
    times = times[np.argsort(times[:, 0], kind="stable")]
    # A word may end after the next one begins; what was covered before is no gap.
    reached_s = np.maximum.accumulate(times[:, 1])
    gap_s = np.maximum(times[1:, 0] - reached_s[:-1], 0)
    whole_s = float(reached_s[-1] - times[0, 0])
    duration_s = np.array([word.end_s - word.start_s for word in words]).clip(0)
    letters = np.array([max(1, len(word.word.strip())) for word in words])
    confidence = np.array([word.confidence for word in words])
    total_s = float(duration_s.sum())
    values = {
        "gaps_per_word": float((gap_s >= _MIN_GAP_S).sum()) / len(words),
        "longest_gap_s": float(gap_s.max(initial=0)),
        "word_duration_mean_s": float(duration_s.mean()),
        "word_duration_sd_s": float(duration_s.std()),
    }
    if whole_s > 0:
        values["gap_share"] = float(gap_s.sum()) / whole_s
    if total_s > 0:
        per_letter_s = duration_s / letters
        values["letter_duration_spread"] = float(per_letter_s.std() / per_letter_s.mean())
        values["confidence_by_duration"] = float((confidence * duration_s).sum() / total_s)
    return values


def _times(words: tuple[Word, ...]) -> npt.NDArray[np.float64]:
    """Start and end of each word, shape ``(num_words, 2)``; no word ends before it starts."""
    times = np.array([(word.start_s, word.end_s) for word in words]).reshape(-1, 2)
    times[:, 1] = np.maximum(times[:, 1], times[:, 0])
    return times


def _longest(length_s: npt.NDArray[np.float64], flags: npt.NDArray[np.bool_]) -> float:
    """Longest time without interruption in which a flag is set."""
    total_s = np.concatenate([[0.0], np.cumsum(length_s)])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return float((total_s[edges[1::2]] - total_s[edges[::2]]).max(initial=0))
