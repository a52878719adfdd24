"""What the recogniser itself says about its text: confidence, scores, alternatives, repetition."""

import zlib

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from qe_core.features.base import FeatureContext, FeatureInfo, undefined
from qe_core.text import normalise
from qe_core.types import Segment, Transcript

__all__ = ["DecoderFeatures", "disagreement"]

_LOW = 0.5
_LONGEST_NGRAM = 4
_SHORT_WORD = 2

_UNSURE = "The recogniser was unsure of its words."

_INFO = (
    FeatureInfo(
        "confidence_mean",
        "mean confidence",
        high="The recogniser was sure of itself, which is not reason enough to trust it here.",
        low=_UNSURE,
    ),
    FeatureInfo("confidence_min", "lowest confidence", low="At least one word is a mere guess."),
    FeatureInfo("confidence_p5", "5 % lowest confidence", low="Some words are mere guesses."),
    FeatureInfo("confidence_p10", "10 % lowest confidence", low="Some words are mere guesses."),
    FeatureInfo(
        "confidence_p25", "25 % lowest confidence", low="A quarter of the words is a guess."
    ),
    FeatureInfo(
        "confidence_sd",
        "spread of confidence",
        high="The recogniser was sure of some words and guessed others.",
        low="The recogniser was equally unsure of all words.",
    ),
    FeatureInfo(
        "low_confidence_share",
        "share of doubtful words",
        high="The recogniser doubted many of its words.",
    ),
    FeatureInfo(
        "low_confidence_run",
        "longest doubtful run",
        high="Several doubtful words follow one another: a whole passage may be wrong.",
    ),
    FeatureInfo("last_confidence", "confidence of last word", low="The last word is doubtful."),
    FeatureInfo(
        "confidence_entropy",
        "entropy of confidence",
        "bit",
        high="The recogniser could not decide whether its words are right.",
        low="The recogniser was all too sure, one way or the other.",
    ),
    FeatureInfo(
        "confidence_drop",
        "largest drop in confidence",
        high="A doubtful word stands between confident ones.",
        low="The recogniser was equally unsure of all words.",
    ),
    FeatureInfo(
        "avg_logprob",
        "mean log probability",
        high="The recogniser found its text likely, which is not reason enough to trust it here.",
        low="The recogniser found its own text unlikely.",
    ),
    FeatureInfo(
        "avg_logprob_min",
        "log probability of worst segment",
        low="The recogniser found at least one passage unlikely.",
    ),
    FeatureInfo(
        "no_speech_prob",
        "probability of no speech",
        high="The recogniser suspected that nobody speaks.",
    ),
    FeatureInfo(
        "compression_ratio",
        "compression ratio",
        high="The text repeats itself, as if stuck.",
    ),
    FeatureInfo(
        "temperature",
        "sampling temperature",
        high="The recogniser failed at first and had to guess more freely.",
    ),
    FeatureInfo(
        "language_probability",
        "probability of language",
        low="The recogniser was unsure which language is spoken.",
    ),
    FeatureInfo(
        "nbest_disagreement",
        "n-best disagreement",
        high="The recogniser had other readings that differ a lot.",
        low="The recogniser's other readings hardly differ.",
    ),
    FeatureInfo(
        "nbest_spread",
        "n-best spread",
        high="Some of the recogniser's other readings differ a lot.",
        low="The recogniser's other readings are all equally far off.",
    ),
    FeatureInfo(
        "nbest_size",
        "n-best size",
        high="The recogniser saw many other ways to read this.",
        low="The recogniser saw no other way to read this.",
    ),
    FeatureInfo(
        "text_compression",
        "text compression",
        high="The text is long or repeats parts of itself.",
    ),
    FeatureInfo(
        "max_repeats", "repeats in a row", high="The same words follow one another again and again."
    ),
    FeatureInfo(
        "distinct_word_share",
        "share of distinct words",
        high="Hardly any word occurs twice.",
        low="The same few words come again and again.",
    ),
    FeatureInfo(
        "num_words",
        "words",
        high="The transcript is long.",
        low="The transcript has very few words.",
    ),
    FeatureInfo(
        "letters_per_word",
        "letters per word",
        high="The words are unusually long.",
        low="The words are unusually short, as when sounds are taken for words.",
    ),
    FeatureInfo(
        "short_word_share",
        "share of short words",
        high="Many words have one or two letters, as when sounds are taken for words.",
        low="There are hardly any small words such as “a” or “to”.",
    ),
)


class DecoderFeatures:
    """The recogniser's own scores, and what its text looks like.

    NaN: no words (everything but ``num_words``), or the engine does not report the score.
    """

    name = "decoder"
    version = 1
    needs_transcript = True
    needs_second = False
    features = _INFO

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """See :class:`qe_core.features.base.FeatureExtractor`."""
        values = undefined(_INFO)
        values["num_words"] = 0.0
        transcript = context.transcript
        if transcript is None:
            return values
        confidence = np.array([word.confidence for word in transcript.words])
        if len(confidence):
            values |= _confidence(confidence)
        return values | _scores(transcript) | _alternatives(transcript.segments) | _text(transcript)


def disagreement(one: str, other: str) -> float:
    """Symmetrised word error rate between two readings.

    Args:
        one: a text
        other: another reading of the same sound

    Returns:
        twice the word edit distance over the total number of words, in [0, 2]; 0 if both are empty

    Examples:
        >>> disagreement("one two three", "one two tree")
        0.3333333333333333
    """
    return _disagreement(normalise(one).split(), normalise(other).split())


def _disagreement(one: list[str], other: list[str]) -> float:
    num_words = len(one) + len(other)
    return 2 * Levenshtein.distance(one, other) / num_words if num_words else 0.0


def _confidence(confidence: npt.NDArray[np.float64]) -> dict[str, float]:
    is_low = confidence < _LOW
    p5, p10, p25 = np.percentile(confidence, [5, 10, 25])
    inside = np.clip(confidence, 1e-9, 1 - 1e-9)
    entropy = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    return {
        "confidence_mean": float(confidence.mean()),
        "confidence_min": float(confidence.min()),
        "confidence_p5": float(p5),
        "confidence_p10": float(p10),
        "confidence_p25": float(p25),
        "confidence_sd": float(confidence.std()),
        "low_confidence_share": float(is_low.mean()),
        "low_confidence_run": _longest_run(is_low) / len(confidence),
        "last_confidence": float(confidence[-1]),
        "confidence_entropy": float(entropy.mean()),
        "confidence_drop": _largest_drop(confidence),
    }


def _largest_drop(confidence: npt.NDArray[np.float64]) -> float:
    """Largest amount by which a word lies below the mean of its neighbours."""
    if len(confidence) == 1:
        return 0.0
    # The first and the last word have one neighbour.
    before = np.concatenate([confidence[1:2], confidence[:-1]])
    after = np.concatenate([confidence[1:], confidence[-2:-1]])
    return float(((before + after) / 2 - confidence).max())


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _scores(transcript: Transcript) -> dict[str, float]:
    segments = transcript.segments
    weight = np.array([max(1, len(segment.words)) for segment in segments], dtype=float)
    logprob = _known([segment.avg_logprob for segment in segments])
    is_known = ~np.isnan(logprob)
    probability = transcript.language_probability
    return {
        "avg_logprob": float(np.average(logprob[is_known], weights=weight[is_known]))
        if is_known.any()
        else np.nan,
        "avg_logprob_min": float(logprob[is_known].min()) if is_known.any() else np.nan,
        "no_speech_prob": _max([segment.no_speech_prob for segment in segments]),
        "compression_ratio": _max([segment.compression_ratio for segment in segments]),
        "temperature": _max([segment.temperature for segment in segments]),
        "language_probability": np.nan if probability is None else float(probability),
    }


def _known(values: list[float | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _max(values: list[float | None]) -> float:
    return max((float(value) for value in values if value is not None), default=np.nan)


def _alternatives(segments: tuple[Segment, ...]) -> dict[str, float]:
    """How far the engine's other readings are from its text; NaN for engines that give none."""
    if not any(segment.alternatives for segment in segments):
        return {}
    distances: list[float] = []
    for segment in segments:
        words = normalise(segment.text).split()
        distances += [
            _disagreement(words, normalise(other).split()) for other in segment.alternatives
        ]
    return {
        "nbest_disagreement": float(np.mean(distances)),
        "nbest_spread": float(np.std(distances)),
        "nbest_size": len(distances) / len(segments),
    }


def _text(transcript: Transcript) -> dict[str, float]:
    text = normalise(transcript.text)
    words = text.split()
    if not words:
        return {}
    lengths = np.array([len(word) for word in words])
    encoded = text.encode()
    return {
        "text_compression": len(encoded) / len(zlib.compress(encoded)),
        "max_repeats": float(_max_repeats(words)),
        "distinct_word_share": len(set(words)) / len(words),
        "num_words": float(len(words)),
        "letters_per_word": float(lengths.mean()),
        "short_word_share": float((lengths <= _SHORT_WORD).mean()),
    }


def _max_repeats(words: list[str]) -> int:
    """How often one to four words occur directly after one another; 1 without repetition."""
    ids = np.unique(np.array(words), return_inverse=True)[1]
    repeats = 1
    for length in range(1, min(_LONGEST_NGRAM, len(ids) - 1) + 1):
        run = _longest_run(ids[length:] == ids[:-length])
        repeats = max(repeats, run // length + 1)
    return repeats
