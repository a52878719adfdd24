from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from qe_core.asr.base import Progress
from qe_core.asr.provider import resolve_engine
from qe_core.audio import decode
from qe_core.config import Settings, bundled_path, load_settings
from qe_core.errors import EstimatorError
from qe_core.estimation.estimator import Estimator
from qe_core.pipeline import assess, must_review_reason, triage
from qe_core.types import Audio, SpeechSpan, Transcript
from tests.builders import WAV, speech_like, transcript

SPEECH = (SpeechSpan(0.0, 2.0),)


@dataclass(frozen=True)
class _Scripted:
    """An engine that always writes the same; the real ones have their own tests."""

    written: Transcript
    name: str = "pocketsphinx"
    model: str = "en-us"
    version: str = "test-1"
    asked: list[str | None] = field(default_factory=list)

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        del audio, speech
        self.asked.append(language)
        if on_progress is not None:
            on_progress(0.5, "transcribing, part 1 of 2")
        return self.written


@pytest.fixture(scope="module")
def quality() -> Estimator:
    return Estimator.load(bundled_path("models", "quality-pocketsphinx-en-us"))


@pytest.fixture(scope="module")
def audio_only() -> Estimator:
    return Estimator.load(bundled_path("models", "quality-audio-only"))


@pytest.fixture
def audio(rng: np.random.Generator) -> Audio:
    return Audio(speech_like(rng, 3.0), WAV)


def test_an_assessment_holds_what_every_stage_found(
    audio: Audio, quality: Estimator, settings: Settings
) -> None:
    steps: list[tuple[float, str]] = []
    engine = _Scripted(transcript("one two three", confidence=0.3))
    found = assess(
        audio,
        engine,
        quality,
        settings=settings,
        on_progress=lambda share, text: steps.append((share, text)),
    )
    assert found.transcript.text == "one two three"
    assert set(found.features) == set(quality.manifest.feature_names)
    assert list(found.timings_s) == ["speech", "transcription", "features", "estimate"]
    assert len(found.estimate.word_error_probabilities) == 3
    assert sum(found.estimate.segment_expected_errors) == pytest.approx(
        found.estimate.expected_errors
    )
    assert [share for share, _ in steps] == sorted(share for share, _ in steps)
    assert [text for _, text in steps] == [
        "transcribing",
        "transcribing, part 1 of 2",
        "estimating",
        "ready",
    ]


def test_the_same_clip_gives_the_same_estimate(
    audio: Audio, quality: Estimator, settings: Settings
) -> None:
    engine = _Scripted(transcript("one two three"))
    first, second = (assess(audio, engine, quality, settings=settings) for _ in range(2))
    assert first.estimate == second.estimate


def test_the_settings_choose_interval_language_and_number_of_reasons(
    audio: Audio, quality: Estimator, tmp_path: Path
) -> None:
    settings = load_settings(
        data_dir=tmp_path,
        engine={"language": "en"},
        quality={"interval_level": 0.5, "num_reasons": 1},
    )
    engine = _Scripted(transcript("one two three", confidence=0.1))
    found = assess(audio, engine, quality, settings=settings)
    assert engine.asked == ["en"]
    assert found.estimate.interval_level == 0.5
    assert len(found.estimate.reasons) <= 1 + found.must_review


def test_an_empty_transcript_must_be_reviewed_whatever_its_estimate(
    audio: Audio, quality: Estimator, settings: Settings
) -> None:
    found = assess(audio, _Scripted(transcript("")), quality, settings=settings)
    assert found.must_review
    assert found.is_flagged(threshold=2.0)
    assert found.estimate.reasons[0].code in ("no_words", "no_speech")


def test_the_audio_only_estimator_stands_in_for_an_unknown_engine(
    audio: Audio, audio_only: Estimator, quality: Estimator, settings: Settings
) -> None:
    engine = _Scripted(transcript("one two", engine="whisper", model="base"), "whisper", "base")
    found = assess(audio, engine, audio_only, settings=settings)
    assert found.estimate.estimator == audio_only.manifest.id
    with pytest.raises(EstimatorError, match="knows pocketsphinx:en-us only"):
        assess(audio, engine, quality, settings=settings)


def test_triage_needs_no_transcript(audio: Audio, audio_only: Estimator) -> None:
    estimate = triage(audio, audio_only, level=0.8)
    assert estimate.interval_level == 0.8
    assert estimate.low <= estimate.predicted_wer <= estimate.high


def test_triage_refuses_an_estimator_that_needs_a_transcript(
    audio: Audio, quality: Estimator
) -> None:
    with pytest.raises(EstimatorError):
        triage(audio, quality)


@pytest.mark.parametrize(
    ("written", "speech", "language", "code"),
    [
        (transcript(""), (), None, "no_speech"),
        (transcript(""), SPEECH, None, "no_words"),
        (transcript("ghost"), (), None, "no_speech"),
        (transcript("een twee", language="nl"), SPEECH, "en", "language"),
    ],
)
def test_rules_send_a_clip_to_review(
    written: Transcript, speech: tuple[SpeechSpan, ...], language: str | None, code: str
) -> None:
    reason = must_review_reason(written, speech, language=language)
    assert reason is not None
    assert reason.code == code
    assert reason.text.endswith(".")


@pytest.mark.parametrize("language", [None, "en"])
def test_words_where_somebody_speaks_break_no_rule(language: str | None) -> None:
    assert must_review_reason(transcript("one"), SPEECH, language=language) is None


@pytest.mark.slow
def test_a_sample_is_assessed_by_the_real_engine(quality: Estimator, settings: Settings) -> None:
    path = bundled_path("sample_audio", "order_number.mp3")
    audio = decode(path, name=path.name, limits=settings.audio)
    engine = resolve_engine(settings.engine).engine
    found = assess(audio, engine, quality, settings=settings)
    assert found.transcript.words
    assert 0 <= found.estimate.low <= found.estimate.predicted_wer <= found.estimate.high
    ours_s = found.timings_s["features"] + found.timings_s["estimate"]
    assert ours_s < found.timings_s["transcription"]
