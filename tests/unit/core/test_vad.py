"""Speech is found where it is, and nowhere else."""

import itertools

import numpy as np
import pytest

from qe_core.audio import decode
from qe_core.config import AudioSettings, bundled_path
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray, SourceFormat
from qe_core.vad import find_speech

pytestmark = pytest.mark.slow

SOURCE = SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1)


@pytest.fixture(scope="module")
def spoken() -> FloatArray:
    path = bundled_path("sample_audio", "support_call.flac")
    return decode(path, name=path.name, limits=AudioSettings()).samples


def silence(duration_s: float) -> FloatArray:
    rng = np.random.default_rng(5)
    return rng.normal(0, 1e-4, round(duration_s * SAMPLE_RATE_HZ)).astype(np.float32)


def clip(*pieces: FloatArray) -> Audio:
    return Audio(np.concatenate(pieces), SOURCE)


def test_silence_and_noise_hold_no_speech() -> None:
    noise = np.random.default_rng(6).normal(0, 0.1, 5 * SAMPLE_RATE_HZ).astype(np.float32)
    assert find_speech(clip(silence(3))) == ()
    assert find_speech(clip(noise)) == ()


def test_a_clip_of_half_a_second_is_no_problem() -> None:
    assert find_speech(clip(silence(0.51))) == ()


def test_most_of_a_spoken_sentence_is_speech(spoken: FloatArray) -> None:
    spans = find_speech(clip(spoken))
    share = sum(span.duration_s for span in spans) / clip(spoken).duration_s
    assert 0.6 < share <= 1.0


def test_speech_is_found_between_pauses(spoken: FloatArray) -> None:
    length_s = len(spoken) / SAMPLE_RATE_HZ
    spans = find_speech(clip(silence(2), spoken, silence(3), spoken, silence(1)))
    spoken_s = [(2.0, 2.0 + length_s), (5.0 + length_s, 5.0 + 2 * length_s)]
    for span in spans:
        assert any(
            start_s - 0.2 <= span.start_s < span.end_s <= end_s + 0.2 for start_s, end_s in spoken_s
        )
    assert sum(span.start_s < 4 + length_s for span in spans) in range(1, len(spans))


def test_spans_are_ordered_inside_the_clip_and_do_not_overlap(spoken: FloatArray) -> None:
    audio = clip(spoken, spoken)
    spans = find_speech(audio)
    edges = list(itertools.chain.from_iterable((span.start_s, span.end_s) for span in spans))
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= audio.duration_s


def test_long_audio_is_searched_in_windows_with_true_times(
    spoken: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = clip(silence(8), spoken)
    whole = find_speech(audio)
    monkeypatch.setattr("qe_core.vad._WINDOW_S", 7)
    windowed = find_speech(audio)
    assert windowed[0].start_s == pytest.approx(whole[0].start_s, abs=0.2)
    assert sum(span.duration_s for span in windowed) == pytest.approx(
        sum(span.duration_s for span in whole), rel=0.15
    )
