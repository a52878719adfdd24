"""Every way through Whisper, on the small model of our own that travels with the package."""

import json
from functools import cache

import numpy as np
import pytest

from qe_core.asr.provider import resolve_engine
from qe_core.asr.whisper import DEMO_MODEL, WhisperEngine, find_model
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings, bundled_path
from qe_core.types import Audio, FloatArray, SourceFormat, SpeechSpan, Transcript
from qe_core.vad import find_speech
from qe_core.wer import count_errors

pytestmark = pytest.mark.slow


@cache
def sample(name: str) -> tuple[Audio, str]:
    folder = bundled_path("sample_audio")
    rows = map(json.loads, (folder / "manifest.jsonl").read_text().splitlines())
    row = next(row for row in rows if row["audio_filepath"].startswith(name))
    path = folder / row["audio_filepath"]
    return decode(path, name=path.name, limits=AudioSettings()), row["text"]


@cache
def engine(**changes: object) -> WhisperEngine:
    settings = EngineSettings(cpu_threads=1, **changes)  # type: ignore[arg-type]  # checked there
    return WhisperEngine(find_model(DEMO_MODEL, settings), model="whisper-demo", settings=settings)


def hear(name: str, **changes: object) -> Transcript:
    audio, _ = sample(name)
    return engine(**changes).transcribe(audio, find_speech(audio))


def sound(samples: FloatArray) -> Audio:
    return Audio(samples.astype(np.float32), SourceFormat("wav", "pcm_s16le", 16_000, 1))


def wer(name: str, transcript: Transcript) -> float:
    found = count_errors(sample(name)[1], transcript.text).wer
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["support_call", "meeting_hall", "bank_hotline"])
def test_it_understands_sentences_like_those_it_learned(name: str) -> None:
    assert wer(name, hear(name)) <= 0.25


def test_a_longer_message_is_heard_in_pieces_cut_at_pauses() -> None:
    audio, _ = sample("voice_message")
    seen: list[float] = []
    transcript = engine().transcribe(
        audio, find_speech(audio), on_progress=lambda share, _: seen.append(share)
    )
    assert len(transcript.segments) >= 3
    assert wer("voice_message", transcript) <= 0.4
    assert seen == sorted(seen)
    ends = [segment.end_s for segment in transcript.segments]
    assert ends == sorted(ends)
    assert ends[-1] <= audio.duration_s + 0.1


def test_words_have_times_in_order_and_a_confidence() -> None:
    words = hear("support_call").words
    starts = [word.start_s for word in words]
    assert starts == sorted(starts)
    assert all(word.start_s <= word.end_s for word in words)
    assert all(0.0 < word.confidence <= 1.0 for word in words)


def test_several_windows_at_once_give_the_same_words() -> None:
    one, many = (hear("voice_message", batch_size=size) for size in (1, 4))
    assert count_errors(one.text, many.text).wer == pytest.approx(0.0, abs=0.35)
    assert many.words
    assert {segment.temperature for segment in many.segments} == {0.0}


def test_a_window_that_is_doubted_is_decoded_again_at_a_higher_temperature() -> None:
    easy = hear("support_call")
    assert {segment.temperature for segment in easy.segments} == {0.0}
    strict = hear("support_call", log_prob_threshold=-0.001)
    assert {segment.temperature for segment in strict.segments} != {0.0}


def test_text_that_repeats_itself_is_decoded_again() -> None:
    strict = hear("support_call", compression_ratio_threshold=0.1)
    assert {segment.temperature for segment in strict.segments} != {0.0}


def test_a_window_without_speech_is_skipped() -> None:
    noise = sound(np.random.default_rng(1).normal(0, 0.05, 48_000))
    everywhere = (SpeechSpan(0.0, 3.0),)
    assert engine().transcribe(noise, everywhere).words == ()
    # Whatever is taken for silence is not written down, not even speech.
    assert hear("support_call", no_speech_threshold=0.0, log_prob_threshold=0.0).words == ()


def test_silence_around_doubtful_words_can_be_skipped() -> None:
    audio, _ = sample("support_call")
    quiet = sound(np.concatenate([audio.samples, np.zeros(64_000)]))
    transcript = engine(hallucination_silence_s=1.0).transcribe(quiet, (SpeechSpan(0.0, 9.4),))
    assert wer("support_call", transcript) <= 0.3


def test_a_prompt_is_read_and_changes_the_version() -> None:
    prompted = hear("support_call", prompt="The warehouse and the parcel.")
    assert wer("support_call", prompted) <= 0.3
    assert prompted.version != hear("support_call").version
    assert prompted.parameters["initial_prompt"] == "The warehouse and the parcel."


@pytest.mark.parametrize("language", ["en", None])
def test_the_language_may_be_given_or_not(language: str | None) -> None:
    audio, _ = sample("support_call")
    transcript = engine().transcribe(audio, find_speech(audio), language=language)
    assert transcript.language == "en"
    assert transcript.language_probability == 1


def test_silence_and_a_span_behind_the_end_give_no_words() -> None:
    silence = sound(np.zeros(16_000))
    assert engine().transcribe(silence, ()).segments == ()
    assert engine().transcribe(silence, (SpeechSpan(1.0, 2.0),)).segments == ()


def test_who_asks_for_it_is_told_what_it_is_for() -> None:
    resolved = resolve_engine(EngineSettings(name=f"whisper:{DEMO_MODEL}"))
    assert resolved.engine.model == "whisper-demo"
    assert "demonstration" in resolved.why
