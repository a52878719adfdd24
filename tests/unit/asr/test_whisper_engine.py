"""The Whisper path runs through the real ``faster_whisper.WhisperModel`` on a model of our own."""

import time
from pathlib import Path

import numpy as np
import pytest

from qe_core.asr.provider import resolve_engine
from qe_core.asr.whisper import WhisperEngine, find_model
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings, bundled_path
from qe_core.errors import EngineError
from qe_core.types import Audio, SourceFormat, SpeechSpan
from qe_core.vad import find_speech
from tests.whisper_model import make_whisper


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("whisper") / "tiny-random", seed=5)


@pytest.fixture(scope="module")
def engine(folder: Path) -> WhisperEngine:
    """One that is content with whatever it wrote: higher temperatures would draw at random."""
    settings = EngineSettings(
        beam_size=2, log_prob_threshold=-100.0, compression_ratio_threshold=1000.0
    )
    return WhisperEngine(folder, model="tiny-random", settings=settings)


@pytest.fixture(scope="module")
def speech() -> Audio:
    path = sorted(bundled_path("sample_audio").glob("*.flac"))[0]
    return decode(path, name=path.name, limits=AudioSettings())


@pytest.mark.slow
def test_words_have_times_inside_the_clip_and_confidences(
    engine: WhisperEngine, speech: Audio
) -> None:
    seen: list[float] = []
    transcript = engine.transcribe(
        speech, find_speech(speech), on_progress=lambda share, _: seen.append(share)
    )
    assert transcript.engine == "whisper"
    assert transcript.model == "tiny-random"
    assert transcript.language == "en"
    assert transcript.words
    for word in transcript.words:
        assert 0 <= word.start_s <= word.end_s <= speech.duration_s + 0.1
        assert 0 <= word.confidence <= 1
    assert all(segment.avg_logprob is not None for segment in transcript.segments)
    assert seen == sorted(seen)
    assert seen[-1] <= 1.0


@pytest.mark.slow
def test_a_decoder_that_doubts_itself_falls_back_to_a_higher_temperature(
    folder: Path, speech: Audio
) -> None:
    engine = WhisperEngine(folder, model="tiny-random", settings=EngineSettings(beam_size=2))
    # Random weights give log probabilities far below the threshold of -1 at every temperature.
    transcript = engine.transcribe(speech, find_speech(speech))
    assert {segment.temperature for segment in transcript.segments} == {1.0}


def test_silence_gives_no_words(engine: WhisperEngine) -> None:
    silence = Audio(np.zeros(16_000, np.float32), SourceFormat("wav", "pcm_s16le", 16_000, 1))
    assert engine.transcribe(silence, ()).segments == ()


def test_the_version_tells_models_of_one_name_apart(engine: WhisperEngine, tmp_path: Path) -> None:
    folder = make_whisper(tmp_path / "tiny-random", seed=6)
    other = WhisperEngine(folder, model="tiny-random", settings=EngineSettings(beam_size=2))
    assert other.version != engine.version


def test_a_model_that_is_no_longer_usable_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(EngineError, match="not a usable Whisper model") as caught:
        WhisperEngine(tmp_path, model="broken", settings=EngineSettings())
    assert "engine.whisper_model" in caught.value.suggestion


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no model\.bin"):
        find_model(str(tmp_path), EngineSettings())


def test_a_name_that_is_no_model_is_refused() -> None:
    with pytest.raises(EngineError, match="neither a folder nor a known model"):
        find_model("gigantic", EngineSettings())


def test_a_model_that_cannot_be_fetched_is_known_to_be_missing_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def hang(*_: object, **__: object) -> None:
        time.sleep(1.0)

    # A name server that does not answer holds the request for ever; waiting for it ends in time.
    monkeypatch.setattr("qe_core.asr.whisper.get_session", hang)
    started = time.perf_counter()
    with pytest.raises(EngineError, match="does not answer"):
        find_model("tiny", EngineSettings(fetch_timeout_s=0.05))
    assert time.perf_counter() - started < 0.5


@pytest.mark.slow
def test_auto_takes_whisper_when_its_model_is_there(folder: Path) -> None:
    resolved = resolve_engine(EngineSettings(name="auto", whisper_model=str(folder)))
    assert resolved.engine.name == "whisper"
    assert "on this machine" in resolved.why


def test_a_span_beyond_the_clip_does_not_matter_to_whisper(engine: WhisperEngine) -> None:
    # Silero hears nothing in faint noise, so that the decoder gets no audio at all.
    noise = np.random.default_rng(1).normal(0, 1e-4, 16_000).astype(np.float32)
    audio = Audio(noise, SourceFormat("wav", "pcm_s16le", 16_000, 1))
    assert engine.transcribe(audio, (SpeechSpan(0.0, 5.0),)).words == ()
