"""The shapes in which verdicts leave the house: the same for the command line and the API."""

from typing import Any

from qe_core.types import Estimate, Transcript

__all__ = ["segment_records", "word_records"]

_DIGITS = 4


def segment_records(transcript: Transcript, estimate: Estimate | None) -> list[dict[str, Any]]:
    """One record per segment, in time order.

    Args:
        transcript: the hypothesis
        estimate: the estimate that belongs to it, if there is one

    Returns:
        times in seconds, text, the decoder's scores, expected errors; ``None`` where the engine
        reports nothing
    """
    expected: tuple[float | None, ...] = (None,) * len(transcript.segments)
    if estimate is not None and len(estimate.segment_expected_errors) == len(expected):
        expected = estimate.segment_expected_errors
    return [
        {
            "start_s": _rounded(segment.start_s),
            "end_s": _rounded(segment.end_s),
            "text": segment.text,
            "expected_errors": _rounded(errors),
            "avg_logprob": _rounded(segment.avg_logprob),
            "no_speech_prob": _rounded(segment.no_speech_prob),
            "compression_ratio": _rounded(segment.compression_ratio),
            "temperature": _rounded(segment.temperature),
        }
        for segment, errors in zip(transcript.segments, expected, strict=True)
    ]


def word_records(transcript: Transcript, estimate: Estimate | None) -> list[dict[str, Any]]:
    """One record per word, in time order.

    Args:
        transcript: the hypothesis
        estimate: the estimate that belongs to it, if there is one

    Returns:
        the word, its times in seconds, the engine's confidence and our error probability
    """
    words = transcript.words
    probabilities: tuple[float | None, ...] = (None,) * len(words)
    if estimate is not None and len(estimate.word_error_probabilities) == len(words):
        probabilities = estimate.word_error_probabilities
    return [
        {
            "word": word.word,
            "start_s": _rounded(word.start_s),
            "end_s": _rounded(word.end_s),
            "confidence": _rounded(word.confidence),
            "error_probability": _rounded(probability),
        }
        for word, probability in zip(words, probabilities, strict=True)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
