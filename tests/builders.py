"""Values for tests: defaults that make sense, overridden where a test cares."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import soundfile as sf

from qe_core.types import (
    SAMPLE_RATE_HZ,
    Estimate,
    FloatArray,
    Segment,
    SourceFormat,
    SpeechSpan,
    Transcript,
    Word,
)
from storage.database import Session
from storage.records import Clip, Hypothesis, StoredAssessment
from storage.repositories import assessments, clips, hypotheses

WAV = SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1, 8000.0)


def wav_bytes(samples: FloatArray, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Store samples in [-1, 1] as a 16-bit WAV file."""
    file = io.BytesIO()
    sf.write(file, samples, rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def speech_like(
    rng: np.random.Generator, duration_s: float = 2.0, rate_hz: int = SAMPLE_RATE_HZ
) -> FloatArray:
    """Voiced syllables, four a second, in soft noise: sound that is neither a tone nor silence."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    pitch_hz = 120.0 + 20.0 * np.sin(2 * np.pi * 0.7 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 4.0 * times_s), 0.0, 1.0)
    noise = rng.normal(0.0, 0.003, times_s.shape)
    return (0.2 * voice * envelope + noise).astype(np.float32)


def transcript(
    words: Sequence[str] | str = "one two three", *, confidence: float = 0.8, **overrides: Any
) -> Transcript:
    """One segment of words, half a second each."""
    words = words.split() if isinstance(words, str) else words
    timed = tuple(
        Word(word, index * 0.5, index * 0.5 + 0.4, confidence) for index, word in enumerate(words)
    )
    segment = Segment(0.0, max(0.5, 0.5 * len(timed)), " ".join(words), timed)
    values: dict[str, Any] = {
        "segments": (segment,) if timed else (),
        "language": "en",
        "engine": "pocketsphinx",
        "model": "en-us",
        "version": "test-1",
    }
    return Transcript(**{**values, **overrides})


def estimate(predicted_wer: float = 0.25, **overrides: Any) -> Estimate:
    """An estimate for a hypothesis of ten words."""
    values: dict[str, Any] = {
        "expected_errors": 10 * predicted_wer,
        "expected_words": 10.0,
        "predicted_wer": predicted_wer,
        "low": max(0.0, predicted_wer - 0.1),
        "high": predicted_wer + 0.1,
        "interval_level": 0.9,
        "estimator": "test-estimator",
    }
    return Estimate(**{**values, **overrides})


def add_clip(session: Session, clip_id: str = "a" * 64, **overrides: Any) -> Clip:
    """A clip row; its audio file does not exist."""
    values: dict[str, Any] = {
        "file_name": f"{clip_id[:4]}.wav",
        "source": "upload",
        "size_bytes": 32_044,
        "duration_s": 10.0,
        "source_format": WAV,
    }
    return clips.add(session, clip_id, **{**values, **overrides})


def add_hypothesis(
    session: Session, clip_id: str = "a" * 64, text: str = "one two three", **overrides: Any
) -> Hypothesis:
    """A hypothesis row."""
    return hypotheses.add(session, clip_id, transcript(text, **overrides), (SpeechSpan(0.0, 1.5),))


def add_assessment(
    session: Session,
    hypothesis: Hypothesis,
    predicted_wer: float = 0.25,
    *,
    features: dict[str, float] | None = None,
    must_review: bool = False,
    **overrides: Any,
) -> StoredAssessment:
    """An assessment row; ``overrides`` go to the estimate."""
    return assessments.add(
        session,
        hypothesis,
        estimate=estimate(predicted_wer, **overrides),
        features=features or {"snr_db": 20.0},
        feature_schema="test@1:1",
        must_review=must_review,
        duration_s=10.0,
        timings_s={"transcription": 1.0},
    )
