"""Cutting long audio into pieces at the pauses between speech."""

from qe_core.types import SpeechSpan

__all__ = ["cut_at_pauses"]

_MARGIN_S = 0.25


def cut_at_pauses(
    speech: tuple[SpeechSpan, ...],
    duration_s: float,
    *,
    max_chunk_s: float,
    join_up_to_s: float | None = None,
) -> tuple[SpeechSpan, ...]:
    """Group speech into chunks, cutting in the middle of pauses where possible.

    Args:
        speech: where somebody speaks, in time order
        duration_s: length of the clip
        max_chunk_s: no chunk is longer; speech without a pause is split
        join_up_to_s: speech on both sides of a pause stays together up to this length;
            ``max_chunk_s`` by default

    Returns:
        chunks in time order that cover all speech; none when nobody speaks

    Examples:
        >>> cut_at_pauses((SpeechSpan(1.0, 2.0), SpeechSpan(3.0, 9.0)), 10.0, max_chunk_s=7.0)
        (SpeechSpan(start_s=0.75, end_s=2.25), SpeechSpan(start_s=2.75, end_s=9.25))
    """
    join_up_to_s = max_chunk_s if join_up_to_s is None else join_up_to_s
    padded = [
        (max(0.0, span.start_s - _MARGIN_S), min(duration_s, span.end_s + _MARGIN_S))
        for span in speech
    ]
    chunks: list[tuple[float, float]] = []
    for start_s, end_s in padded:
        if chunks and end_s - chunks[-1][0] <= join_up_to_s:
            chunks[-1] = (chunks[-1][0], end_s)
        elif chunks and chunks[-1][1] > start_s:
            middle_s = (chunks[-1][1] + start_s) / 2
            chunks[-1] = (chunks[-1][0], middle_s)
            chunks += _split_evenly(middle_s, end_s, max_chunk_s)
        else:
            chunks += _split_evenly(start_s, end_s, max_chunk_s)
    return tuple(SpeechSpan(round(start_s, 3), round(end_s, 3)) for start_s, end_s in chunks)


def _split_evenly(start_s: float, end_s: float, max_chunk_s: float) -> list[tuple[float, float]]:
    """Speech without a pause is cut into equal parts: a lost word beats a lost minute."""
    num_parts = max(1, -int(-(end_s - start_s) // max_chunk_s))
    step_s = (end_s - start_s) / num_parts
    return [
        (start_s + index * step_s, start_s + (index + 1) * step_s) for index in range(num_parts)
    ]
