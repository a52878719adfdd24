"""How well our own small Whisper hears: sentences, voices, noises and people it never met."""

import resource
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qe_core.asr.base import Engine
from qe_core.asr.whisper import WhisperEngine
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings
from qe_core.corpus.degrade import add_noise
from qe_core.corpus.split import is_held_out
from qe_core.recogniser.grammar import sentences
from qe_core.recogniser.speech import read_rows
from qe_core.recogniser.voices import speak
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray, SourceFormat, Transcript
from qe_core.vad import find_speech
from qe_core.wer import ErrorCounts, count_errors, pool

__all__ = ["KNOWN_VOICES", "UNKNOWN_VOICES", "Condition", "Report", "measure"]

KNOWN_VOICES = (
    "flite-kal16",
    "flite-awb",
    "flite-rms",
    "flite-slt",
    "espeak-gmw/en-US+f3",
    "espeak-gmw/en-GB-scotland+m3",
)
"""Voices of the training, saying sentences that were not in it."""
UNKNOWN_VOICES = ("flite-kal", "espeak-gmw/en-GB-x-gbcwmd+Andrea", "espeak-gmw/en-US-nyc+m5")
"""Voices that were not in the training."""
_SNRS_DB = (20, 10, 5, 0)
_LONG_S = 120.0
_SEED = 7
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.05)


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the report.

    Args:
        group: ``voice``, ``noise``, ``long``, ``people`` or ``nobody``
        name: voice, ratio, source or sound
        num_clips: clips heard
        counts: pooled over them
        num_words_written: words of all hypotheses
    """

    group: str
    name: str
    num_clips: int
    counts: ErrorCounts
    num_words_written: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Args:
        conditions: rows in the order of their groups
        size_bytes: of the CTranslate2 folder without the checkpoint
        real_time_factor: processing seconds per second of the long recording, one thread
        real_time_factor_short: the same for single sentences
        peak_memory_bytes: of this process
    """

    conditions: tuple[Condition, ...]
    size_bytes: int
    real_time_factor: float
    real_time_factor_short: float
    peak_memory_bytes: int

    def wer(self, group: str, names: Sequence[str] | None = None) -> float | None:
        """Pooled WER of a group, or of some of its rows."""
        rows = [row for row in self.conditions if row.group == group]
        return pool(row.counts for row in rows if names is None or row.name in names).wer


def measure(
    folder: Path,
    *,
    manifest: Path | None = None,
    noise_manifest: Path | None = None,
    num_sentences: int = 15,
    max_per_source: int = 100,
) -> Report:
    """Transcribe held-out speech through the product's own path on one thread.

    Args:
        folder: CTranslate2 model
        manifest: recorded speech, of which speakers that are held out are heard
        noise_manifest: noises, of which those that are held out are mixed in; without it the noise
            is pink
        num_sentences: per voice; the same sentences for every voice
        max_per_source: clips of people per source at most

    Raises:
        EngineError: the folder does not hold a usable model
        TrainingError: a manifest cannot be read, or a synthesiser is not there
    """
    engine = WhisperEngine(folder, model=folder.name, settings=EngineSettings(cpu_threads=1))
    texts = list(sentences(num_sentences, held_out=True, seed=_SEED))
    clean = {
        voice: [(text, speak(text, voice).samples) for text in texts]
        for voice in (*KNOWN_VOICES, *UNKNOWN_VOICES)
    }
    started = time.perf_counter()
    rows = [_hear(engine, "voice", voice, clips) for voice, clips in clean.items()]
    short_s = time.perf_counter() - started
    duration_s = sum(len(samples) for clips in clean.values() for _, samples in clips)
    noises = _noises(noise_manifest)
    for snr_db in _SNRS_DB:
        rng = np.random.default_rng(_SEED)
        noisy = [
            (text, add_noise(samples, noises[int(rng.integers(len(noises)))], snr_db, rng))
            for voice in KNOWN_VOICES
            for text, samples in clean[voice]
        ]
        rows.append(_hear(engine, "noise", f"{snr_db} dB", noisy))
    recording = _long_recording()
    started = time.perf_counter()
    rows.append(_hear(engine, "long", "two minutes", [recording]))
    long_s = time.perf_counter() - started
    if manifest is not None:
        rows += _people(engine, manifest, max_per_source)
    rows += [_hear(engine, "nobody", name, [("", sound)]) for name, sound in _nobody(noises)]
    return Report(
        conditions=tuple(rows),
        size_bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
        real_time_factor=long_s * SAMPLE_RATE_HZ / len(recording[1]),
        real_time_factor_short=short_s * SAMPLE_RATE_HZ / duration_s,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def _hear(
    engine: Engine, group: str, name: str, clips: Iterable[tuple[str, FloatArray]]
) -> Condition:
    pairs = [(text, _transcribe(engine, samples)) for text, samples in clips]
    return Condition(
        group=group,
        name=name,
        num_clips=len(pairs),
        counts=pool(count_errors(text, transcript.text) for text, transcript in pairs),
        num_words_written=sum(len(transcript.words) for _, transcript in pairs),
    )


def _transcribe(engine: Engine, samples: FloatArray) -> Transcript:
    audio = Audio(samples, SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1))
    return engine.transcribe(audio, find_speech(audio), language="en")


def _long_recording() -> tuple[str, FloatArray]:
    """Two minutes of one voice, sentence after sentence, with the pauses that people make."""
    rng = np.random.default_rng(_SEED)
    texts: list[str] = []
    pieces: list[FloatArray] = []
    for text in sentences(1000, held_out=True, seed=_SEED + 1):
        texts.append(text)
        pause = np.zeros(int(rng.uniform(0.2, 0.9) * SAMPLE_RATE_HZ), np.float32)
        pieces += [speak(text, "flite-slt").samples, pause]
        if sum(map(len, pieces)) > _LONG_S * SAMPLE_RATE_HZ:
            break
    return " ".join(texts), np.concatenate(pieces)


def _people(engine: Engine, manifest: Path, max_per_source: int) -> list[Condition]:
    by_source: dict[str, list[tuple[str, Path]]] = {}
    rows = read_rows(manifest)
    order = np.random.default_rng(_SEED).permutation(len(rows))
    for row in (rows[int(index)] for index in order):
        if row["language"].startswith("en") and is_held_out(row["speaker"]):
            clips = by_source.setdefault(row["source"], [])
            if len(clips) < max_per_source:
                clips.append((row["text"], Path(row["path"])))
    return [
        _hear(engine, "people", source, ((text, _load(path)) for text, path in clips))
        for source, clips in sorted(by_source.items())
    ]


def _noises(manifest: Path | None) -> list[FloatArray]:
    if manifest is not None:
        held_out = [row for row in read_rows(manifest, "noise") if is_held_out(row["label"])]
        if held_out:
            return [_load(Path(row["path"])) for row in held_out]
    rng = np.random.default_rng(_SEED)
    spectrum = np.fft.rfft(rng.normal(size=20 * SAMPLE_RATE_HZ))
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)))
    return [np.asarray(0.1 * pink / np.abs(pink).max(), np.float32)]


def _nobody(noises: Sequence[FloatArray]) -> list[tuple[str, FloatArray]]:
    rng = np.random.default_rng(_SEED)
    silence = np.zeros(10 * SAMPLE_RATE_HZ, np.float32)
    white = rng.normal(0, 0.05, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    return [
        ("silence", silence),
        ("white noise", white),
        *((f"noise {number + 1}", noise) for number, noise in enumerate(noises)),
    ]


def _load(path: Path) -> FloatArray:
    return decode(path, name=path.name, limits=_LIMITS).samples
