"""PocketSphinx runs for real: its model is inside its wheel."""

import numpy as np
import pytest

from qe_core.asr.base import engine_names
from qe_core.asr.provider import resolve_engine
from qe_core.asr.sphinx import SphinxEngine
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings, bundled_path
from qe_core.errors import EngineError
from qe_core.types import Audio, SourceFormat, SpeechSpan
from qe_core.vad import find_speech


@pytest.fixture(scope="module")
def engine() -> SphinxEngine:
    return SphinxEngine(max_chunk_s=20.0)


def _sample(index: int) -> Audio:
    path = sorted(bundled_path("sample_audio").glob("*.flac"))[index]
    return decode(path, name=path.name, limits=AudioSettings())


@pytest.mark.slow
def test_words_are_timed_in_order_with_posteriors_and_alternatives(engine: SphinxEngine) -> None:
    audio = _sample(0)
    transcript = engine.transcribe(audio, find_speech(audio))
    assert transcript.language == "en"
    assert len(transcript.words) >= 3
    starts = [word.start_s for word in transcript.words]
    assert starts == sorted(starts)
    assert all(0 < word.confidence <= 1 for word in transcript.words)
    assert all(word.end_s <= audio.duration_s + 0.1 for word in transcript.words)
    assert any(segment.alternatives for segment in transcript.segments)
    assert "(" not in transcript.text
    assert "<" not in transcript.text


@pytest.mark.slow
def test_a_transcript_does_not_depend_on_what_was_heard_before(engine: SphinxEngine) -> None:
    first, other = _sample(0), _sample(1)
    before = engine.transcribe(first, find_speech(first))
    engine.transcribe(other, find_speech(other))
    assert engine.transcribe(first, find_speech(first)) == before


@pytest.mark.slow
def test_long_audio_is_heard_in_pieces_with_progress() -> None:
    engine = SphinxEngine(max_chunk_s=5.0)
    piece = _sample(0)
    audio = Audio(np.tile(piece.samples, 2), piece.source)
    seen: list[tuple[float, str]] = []
    transcript = engine.transcribe(
        audio, find_speech(audio), on_progress=lambda share, step: seen.append((share, step))
    )
    assert len(transcript.segments) >= 2
    assert seen[0][1].startswith("transcribing, part 1 of ")
    assert seen[-1] == (1.0, "transcribed")


def test_nothing_said_gives_no_segments(engine: SphinxEngine) -> None:
    silence = Audio(np.zeros(16_000, np.float32), SourceFormat("wav", "pcm_s16le", 16_000, 1))
    assert engine.transcribe(silence, ()).segments == ()


def test_a_stretch_of_hiss_gives_no_words(engine: SphinxEngine) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-3, 8_000).astype(np.float32)
    audio = Audio(noise, SourceFormat("wav", "pcm_s16le", 16_000, 1))
    assert engine.transcribe(audio, (SpeechSpan(0.0, 0.5),)).words == ()


def test_another_language_is_refused_with_the_way_out(engine: SphinxEngine) -> None:
    silence = Audio(np.zeros(16_000, np.float32), SourceFormat("wav", "pcm_s16le", 16_000, 1))
    with pytest.raises(EngineError, match="no model for language 'nl'") as caught:
        engine.transcribe(silence, (), language="nl")
    assert "whisper" in caught.value.suggestion


def test_an_engine_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    assert {"pocketsphinx", "whisper"} <= set(engine_names())
    with pytest.raises(EngineError, match="no such engine") as caught:
        resolve_engine(EngineSettings(name="kaldi"))
    assert ", ".join(engine_names()) in caught.value.suggestion


def test_a_sphinx_model_that_is_not_built_in_is_refused() -> None:
    with pytest.raises(EngineError, match="has no model 'de'"):
        resolve_engine(EngineSettings(name="pocketsphinx:de"))


@pytest.mark.slow
def test_auto_falls_back_to_pocketsphinx_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qe_core.asr.whisper.HF_HUB_OFFLINE", True)
    steps: list[str] = []
    resolved = resolve_engine(
        EngineSettings(name="auto", whisper_model="medium"), lambda _, step: steps.append(step)
    )
    assert resolved.engine.name == "pocketsphinx"
    assert "'medium' is not on this machine" in resolved.why
    assert steps == ["loading PocketSphinx"]
