"""Sounds and transcripts whose features are known."""

import numpy as np
import numpy.typing as npt

from qe_core.features.base import FeatureContext
from qe_core.types import (
    SAMPLE_RATE_HZ,
    Audio,
    Segment,
    SourceFormat,
    SpeechSpan,
    Transcript,
    Word,
)

Samples = npt.NDArray[np.floating]


def noise(rng: np.random.Generator, duration_s: float, rms: float = 0.1) -> Samples:
    return rms * rng.standard_normal(int(duration_s * SAMPLE_RATE_HZ))


def tone(hz: float, duration_s: float, amplitude: float = 0.5) -> Samples:
    time_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return amplitude * np.sin(2 * np.pi * hz * time_s)


def voice(hz: float, duration_s: float, amplitude: float = 0.5) -> Samples:
    """A pulse train: all harmonics up to 4 kHz, equally strong."""
    num_harmonics = int(4000 // hz)
    waves = sum(tone(hz * (index + 1), duration_s, 1.0) for index in range(num_harmonics))
    return amplitude * waves / np.abs(waves).max()


def syllables(rng: np.random.Generator, duration_s: float, rate_hz: float = 4.0) -> Samples:
    """Noise that is switched on and off, as syllables are, within 20 ms."""
    carrier = noise(rng, duration_s)
    time_s = np.arange(len(carrier)) / SAMPLE_RATE_HZ
    is_on = np.convolve(time_s * rate_hz % 1 < 0.5, np.ones(320) / 320, mode="same")
    return carrier * is_on


def speech_like(rng: np.random.Generator, duration_s: float) -> Samples:
    """Independent samples with the amplitude distribution of speech: gamma, shape 0.4."""
    size = int(duration_s * SAMPLE_RATE_HZ)
    signs = rng.choice([-1.0, 1.0], size)
    return 0.05 * rng.gamma(0.4, 1.0, size) * signs


def at_snr(rng: np.random.Generator, signal: Samples, snr_db: float) -> Samples:
    power = np.mean(signal**2) / 10 ** (snr_db / 10)
    return signal + np.sqrt(power) * rng.standard_normal(len(signal))


def audio(samples: Samples, bandwidth_hz: float | None = None) -> Audio:
    source = SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1, bandwidth_hz)
    return Audio(np.asarray(samples, dtype=np.float32), source)


def spans(*edges_s: tuple[float, float]) -> tuple[SpeechSpan, ...]:
    return tuple(SpeechSpan(start_s, end_s) for start_s, end_s in edges_s)


def context(
    samples: Samples,
    *edges_s: tuple[float, float],
    transcript: Transcript | None = None,
    bandwidth_hz: float | None = None,
) -> FeatureContext:
    return FeatureContext(audio(samples, bandwidth_hz), spans(*edges_s), transcript)


def words(*rows: tuple[str, float, float, float]) -> tuple[Word, ...]:
    return tuple(Word(*row) for row in rows)


def segment(*rows: tuple[str, float, float, float], **scores: object) -> Segment:
    """A segment of the given words (word, start, end, confidence)."""
    found = words(*rows)
    text = " ".join(word.word for word in found)
    start_s = found[0].start_s if found else 0.0
    end_s = found[-1].end_s if found else 0.0
    return Segment(start_s, end_s, text, found, **scores)  # type: ignore[arg-type]  # any score


def transcript(*segments: Segment, language_probability: float | None = None) -> Transcript:
    return Transcript(segments, "en", "test", "test", "1", language_probability)


def said(text: str, *, confidence: float = 0.9, **scores: object) -> Transcript:
    """A transcript of words of 0.2 s that follow one another every 0.25 s."""
    rows = [
        (word, 0.25 * index, 0.25 * index + 0.2, confidence)
        for index, word in enumerate(text.split())
    ]
    return transcript(segment(*rows, **scores))
