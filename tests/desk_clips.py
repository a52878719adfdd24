"""Clips that the desk can play: real sound and a stored transcript, without a recogniser."""

import io
import zlib
from pathlib import Path

import numpy as np
import soundfile as sf

from qe_core.audio import waveform_peaks
from qe_core.config import load_settings
from qe_core.types import (
    SAMPLE_RATE_HZ,
    Audio,
    Estimate,
    Reason,
    Segment,
    SourceFormat,
    SpeechSpan,
    Transcript,
    Word,
)
from storage.database import Session
from storage.repositories import assessments, clips, hypotheses
from workbench.runtime import Runtime

WORD_S = 0.4
SEGMENT_WORDS = 6


def seed(data_dir: Path, *texts: str, file_names: tuple[str, ...] = ()) -> list[str]:
    """Fill a data folder with one clip per text before a server opens it; returns the ids."""
    runtime = Runtime(load_settings(data_dir=data_dir))
    try:
        names = file_names or tuple(f"clip-{index}.wav" for index in range(len(texts)))
        return [
            store_playable(runtime, text, file_name=name)
            for text, name in zip(texts, names, strict=True)
        ]
    finally:
        runtime.close()


def store_playable(
    runtime: Runtime, text: str, *, file_name: str, probabilities: tuple[float, ...] = ()
) -> str:
    """Store a tone as long as the text needs, its transcript and an estimate; returns the id.

    Without ``probabilities`` every third word is doubtful.
    """
    made = transcript(text)
    samples = _sound(made.segments[-1].end_s + 0.5 if made.segments else 2.0, seed=file_name)
    data = io.BytesIO()
    sf.write(data, samples, SAMPLE_RATE_HZ, format="WAV")
    source = SourceFormat("wav", "pcm_s16le", SAMPLE_RATE_HZ, 1)
    audio = Audio(samples, source)
    with runtime.media.receive(data.getvalue(), name=file_name, max_bytes=1 << 30) as incoming:
        runtime.media.keep(incoming)
    clip_id = incoming.sha256
    runtime.media.keep_peaks(clip_id, waveform_peaks(audio))
    shares = probabilities or tuple(0.8 if n % 3 == 2 else 0.1 for n in range(len(made.words)))

    def work(session: Session) -> None:
        clips.add(
            session,
            clip_id,
            file_name=file_name,
            source="upload",
            size_bytes=incoming.size_bytes,
            duration_s=audio.duration_s,
            source_format=source,
        )
        hypothesis = hypotheses.add(session, clip_id, made, (SpeechSpan(0.0, audio.duration_s),))
        assessments.add(
            session,
            hypothesis,
            estimate=estimate(made, shares),
            features={"snr_db": 12.0},
            feature_schema="test@1:2",
            must_review=False,
            duration_s=audio.duration_s,
            timings_s={"transcribing": 1.0},
        )

    runtime.database.write(work)
    return clip_id


def transcript(text: str) -> Transcript:
    """Words of 0.4 s each, six to a segment."""
    words = tuple(
        Word(word, index * WORD_S, (index + 1) * WORD_S - 0.05, 0.7)
        for index, word in enumerate(text.split())
    )
    groups = [words[first : first + SEGMENT_WORDS] for first in range(0, len(words), SEGMENT_WORDS)]
    segments = tuple(
        Segment(group[0].start_s, group[-1].end_s, " ".join(word.word for word in group), group)
        for group in groups
    )
    return Transcript(segments, "en", "pocketsphinx", "en-us", "1")


def estimate(made: Transcript, shares: tuple[float, ...]) -> Estimate:
    """An estimate whose expected errors are the sum of the words' error probabilities."""
    ends = np.cumsum([len(segment.words) for segment in made.segments])
    total, expected_words = float(sum(shares)), float(max(1, len(made.words)))
    wer = total / expected_words
    return Estimate(
        expected_errors=total,
        expected_words=expected_words,
        predicted_wer=wer,
        low=max(0.0, wer - 0.13),
        high=wer + 0.16,
        interval_level=0.9,
        estimator="builtin",
        reasons=(Reason("snr_db", "Noise: the speech is only 12 dB above it", 0.1),),
        word_error_probabilities=shares,
        segment_expected_errors=tuple(
            float(sum(shares[end - len(segment.words) : end]))
            for segment, end in zip(made.segments, ends, strict=True)
        ),
    )


def _sound(duration_s: float, *, seed: str) -> np.ndarray:
    """A tone that swells with every word; its pitch differs from name to name."""
    times = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch_hz = 110.0 + zlib.crc32(seed.encode()) % 20_000 / 100
    swell = np.sin(np.pi * times / WORD_S) ** 2
    return (0.4 * swell * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32)
