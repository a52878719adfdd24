"""Chunks cover all speech, keep their limit, and are cut in pauses where there are some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.asr.chunks import cut_at_pauses
from qe_core.types import SpeechSpan

ROUNDING_S = 0.0011


@st.composite
def speech(draw: st.DrawFn) -> tuple[tuple[SpeechSpan, ...], float]:
    """Spans in time order with pauses between them, and the length of the clip."""
    position_s = draw(st.floats(0, 3))
    spans = []
    for _ in range(draw(st.integers(0, 12))):
        end_s = position_s + draw(st.floats(0.06, 40))
        spans.append(SpeechSpan(position_s, end_s))
        position_s = end_s + draw(st.floats(0.0, 5))
    return tuple(spans), position_s


def pairs(chunks: tuple[SpeechSpan, ...]) -> list[tuple[float, float]]:
    return [(chunk.start_s, chunk.end_s) for chunk in chunks]


def test_nobody_speaking_gives_no_chunks() -> None:
    assert cut_at_pauses((), 10.0, max_chunk_s=20.0) == ()


def test_speech_that_fits_is_one_chunk_with_a_margin() -> None:
    spans = (SpeechSpan(1, 2), SpeechSpan(5, 9))
    assert pairs(cut_at_pauses(spans, 10.0, max_chunk_s=20.0)) == [(0.75, 9.25)]


def test_the_margin_stays_inside_the_clip() -> None:
    assert pairs(cut_at_pauses((SpeechSpan(0, 3),), 3.0, max_chunk_s=20.0)) == [(0, 3)]


def test_the_cut_lies_in_the_middle_of_a_short_pause() -> None:
    spans = (SpeechSpan(0, 10), SpeechSpan(10.2, 20))
    assert pairs(cut_at_pauses(spans, 20.0, max_chunk_s=12.0)) == [(0, 10.1), (10.1, 20)]


def test_speech_without_a_pause_is_cut_evenly() -> None:
    chunks = cut_at_pauses((SpeechSpan(0, 50),), 50.0, max_chunk_s=20.0)
    assert pairs(chunks) == [(0, 16.667), (16.667, 33.333), (33.333, 50)]


def test_a_chunk_of_exactly_the_limit_is_not_cut() -> None:
    assert len(cut_at_pauses((SpeechSpan(0, 20),), 20.0, max_chunk_s=20.0)) == 1


@given(speech(), st.floats(5, 30))
def test_chunks_are_ordered_and_do_not_overlap(
    clip: tuple[tuple[SpeechSpan, ...], float], max_chunk_s: float
) -> None:
    spans, duration_s = clip
    chunks = cut_at_pauses(spans, duration_s, max_chunk_s=max_chunk_s)
    edges = [edge for chunk in chunks for edge in (chunk.start_s, chunk.end_s)]
    assert edges == sorted(edges)
    assert all(-ROUNDING_S <= edge <= duration_s + ROUNDING_S for edge in edges)


@given(speech(), st.floats(5, 30))
def test_no_chunk_is_empty_or_longer_than_the_limit(
    clip: tuple[tuple[SpeechSpan, ...], float], max_chunk_s: float
) -> None:
    spans, duration_s = clip
    for chunk in cut_at_pauses(spans, duration_s, max_chunk_s=max_chunk_s):
        assert 0 < chunk.duration_s <= max_chunk_s + ROUNDING_S


@given(speech(), st.floats(5, 30))
def test_all_speech_is_covered(
    clip: tuple[tuple[SpeechSpan, ...], float], max_chunk_s: float
) -> None:
    spans, duration_s = clip
    chunks = cut_at_pauses(spans, duration_s, max_chunk_s=max_chunk_s)
    for span in spans:
        covered_s = sum(
            max(0.0, min(span.end_s, chunk.end_s) - max(span.start_s, chunk.start_s))
            for chunk in chunks
        )
        assert covered_s == pytest.approx(span.duration_s, abs=2 * ROUNDING_S)


def test_speech_is_joined_across_pauses_only_up_to_a_length() -> None:
    speech = (SpeechSpan(0.5, 1.5), SpeechSpan(2.0, 3.0), SpeechSpan(4.0, 9.0))
    chunks = cut_at_pauses(speech, 12.0, max_chunk_s=9.8, join_up_to_s=4.0)
    assert chunks == (SpeechSpan(0.25, 3.25), SpeechSpan(3.75, 9.25))
