"""What the features cost: milliseconds per second of audio, by group, beside plain librosa calls.

    python -m benchmarks.feature_cost [--duration 10] [--audio CLIP] [--long]

CPU time of one process, median of several runs, so that a busy machine does not matter much; with
``OMP_NUM_THREADS=1`` it is the time on one core. Without ``--audio``, noise that is switched on and
off like syllables stands in for speech. ``--long`` measures two hours too, with the peak memory
beyond the samples themselves.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import soundfile

from qe_core.features import AUDIO_ONLY, STANDARD, THOROUGH
from qe_core.features.acoustic import AcousticFeatures
from qe_core.features.base import FeatureContext, extract
from qe_core.features.frames import analyse
from qe_core.features.pitch import measure_pitch
from qe_core.types import (
    SAMPLE_RATE_HZ,
    Audio,
    FloatArray,
    Segment,
    SourceFormat,
    SpeechSpan,
    Transcript,
    Word,
)
from qe_core.vad import find_speech

_WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "again")
_WORD_S = 0.4
_SEGMENT_WORDS = 40


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--duration", type=float, default=10.0, help="seconds of audio")
    parser.add_argument("--audio", type=Path, help="a 16 kHz mono clip, repeated as needed")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--long", action="store_true", help="measure two hours too")
    arguments = parser.parse_args()

    context = clip_context(arguments.audio, arguments.duration)
    samples, speech, transcript = context.audio.samples, context.speech, context.transcript
    print(f"{arguments.duration:g} s of audio, CPU time, median of {arguments.runs} runs")
    print(f"{'':34}{'ms':>9}{'ms/s':>9}")
    steps: dict[str, Callable[[], object]] = {
        "voice activity detection": lambda: find_speech(context.audio),
        **{group.name: partial(group.extract, context) for group in THOROUGH},
        # The analysis that groups share is made for the sound, and costs the others nothing.
        "acoustic": lambda: AcousticFeatures().extract(replace(context)),
        "AUDIO_ONLY with detection": lambda: extract(
            AUDIO_ONLY, FeatureContext(context.audio, find_speech(context.audio))
        ),
        "STANDARD": lambda: extract(STANDARD, FeatureContext(context.audio, speech, transcript)),
        "frames (level, spectrum, bands)": lambda: analyse(samples, speech),
        "  the same by librosa": lambda: _librosa_frames(samples),
        "pitch": lambda: measure_pitch(samples, ()),
        "  the same by librosa (yin)": lambda: librosa.yin(
            samples, fmin=72, fmax=400, sr=SAMPLE_RATE_HZ, frame_length=800, hop_length=320
        ),
    }
    for name, step in steps.items():
        spent_ms = cost_ms(step, arguments.runs)
        print(f"{name:34}{spent_ms:9.2f}{spent_ms / arguments.duration:9.3f}")
    if arguments.long:
        _print_long(samples)


def clip_context(path: Path | None, duration_s: float) -> FeatureContext:
    """A clip of this length with a transcript and another one; see :func:`main`."""
    context = _context(_samples(path, int(duration_s * SAMPLE_RATE_HZ)))
    return replace(context, second=context.transcript)


def _samples(path: Path | None, num_samples: int) -> FloatArray:
    if path is not None:
        clip, rate_hz = soundfile.read(path, dtype="float32")
        if rate_hz != SAMPLE_RATE_HZ or clip.ndim != 1:
            raise SystemExit(f"{path}: {rate_hz} Hz; the benchmark needs 16 kHz mono.")
        return np.resize(clip, num_samples)
    rng = np.random.default_rng(0)
    is_on = np.arange(num_samples) * 4 // SAMPLE_RATE_HZ % 2
    return (rng.standard_normal(num_samples) * (0.001 + 0.1 * is_on)).astype(np.float32)


def _context(samples: FloatArray) -> FeatureContext:
    """A clip in which two thirds are speech, with words and ten alternatives for each segment."""
    audio = Audio(samples, SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1, 7900.0))
    starts_s = np.arange(0, max(audio.duration_s, 1.0), 3.0)
    speech = tuple(SpeechSpan(float(start_s), float(start_s) + 2.0) for start_s in starts_s)
    num_words = int(audio.duration_s / _WORD_S)
    words = [
        Word(_WORDS[index % len(_WORDS)], index * _WORD_S, (index + 0.9) * _WORD_S, index % 10 / 10)
        for index in range(num_words)
    ]
    segments = []
    for first in range(0, num_words, _SEGMENT_WORDS):
        part = tuple(words[first : first + _SEGMENT_WORDS])
        texts = [word.word for word in part]
        others = tuple(" ".join(texts[:skip] + texts[skip + 1 :]) for skip in range(10))
        segments.append(
            Segment(part[0].start_s, part[-1].end_s, " ".join(texts), part, alternatives=others)
        )
    return FeatureContext(audio, speech, Transcript(tuple(segments), "en", "none", "none", "0"))


def _librosa_frames(samples: FloatArray) -> None:
    """Level, centroid, roll-off, flatness, nine bands, one call each, as tutorials show it."""
    librosa.feature.rms(y=samples, frame_length=512, hop_length=160)
    librosa.feature.spectral_centroid(y=samples, sr=SAMPLE_RATE_HZ, n_fft=512, hop_length=160)
    librosa.feature.spectral_rolloff(y=samples, sr=SAMPLE_RATE_HZ, n_fft=512, hop_length=160)
    librosa.feature.spectral_flatness(y=samples, n_fft=512, hop_length=160)
    librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE_HZ, n_mels=9, n_fft=512, hop_length=160
    )


def cost_ms(step: Callable[[], object], num_runs: int) -> float:
    """CPU time of a step, median of several runs."""
    step()  # what is loaded and compiled at first use is not what a clip costs
    costs = []
    for _ in range(num_runs):
        start = time.process_time()
        step()
        costs.append(1000 * (time.process_time() - start))
    return statistics.median(costs)


def _print_long(samples: FloatArray) -> None:
    context = _context(np.resize(samples, 7200 * SAMPLE_RATE_HZ))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    extract(STANDARD, context)
    cost_s = time.process_time() - start
    peak_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"STANDARD on two hours: {cost_s:.1f} s, {peak_mb:.0f} MB beyond the samples")


if __name__ == "__main__":
    main()
