"""What another recogniser makes of a clip, or of a stretch of it."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from qe_core.asr.base import Engine, engine_names, get_factory
from qe_core.asr.isolated import IsolatedEngine, isolate
from qe_core.asr.whisper import WhisperEngine
from qe_core.config import EngineSettings
from qe_core.errors import AudioError
from qe_core.excerpt import decode_span
from qe_core.types import SAMPLE_RATE_HZ, Audio, SourceFormat, SpeechSpan, Transcript
from storage.repositories import clips, hypotheses
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["MAX_SPAN_S", "engines", "find", "write_again"]

MAX_SPAN_S = 60.0
"""Longest stretch that is written again while somebody waits for it."""


def engines() -> tuple[str, ...]:
    """Names of the recognisers that can be asked."""
    return engine_names()


def find(runtime: "Runtime", clip_id: str, engine: str) -> Transcript | None:
    """What another recogniser wrote for a clip, if that is stored.

    The second opinion of the estimate comes before former hypotheses by other engines.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        engine: whose transcript is on the desk
    """
    with runtime.database.session() as session:
        second = hypotheses.find_latest(session, clip_id, is_second=True)
        if second is not None:
            return second.transcript
        for name in engine_names():
            if name == engine:
                continue
            written = hypotheses.find_latest(session, clip_id, engine=name)
            if written is not None:
                return written.transcript
    return None


def write_again(
    runtime: "Runtime",
    clip_id: str,
    start_s: float,
    end_s: float,
    *,
    engine: str,
    prompt: str = "",
) -> Transcript:
    """Let a recogniser write a stretch of a clip.

    Args:
        runtime: the process's runtime
        clip_id: the clip
        start_s: start of the stretch in seconds
        end_s: its end, at most :data:`MAX_SPAN_S` later
        engine: a registered engine
        prompt: words that may occur; only Whisper listens to it

    Returns:
        what it wrote, timed within the clip

    Raises:
        NotFoundError: there is no such clip, or its file is missing
        AudioError: there is nothing to hear, or the stretch is too long
        EngineError: the recogniser is not there or failed
    """
    if end_s - start_s > MAX_SPAN_S:
        raise AudioError(
            f"{end_s - start_s:.0f} s are too long to wait for.",
            suggestion=f"Select at most {MAX_SPAN_S:.0f} s, or split the segment.",
            code="too_long",
        )
    with runtime.database.session() as session:
        clip = clips.get(session, clip_id)
    samples = decode_span(
        runtime.media.path(clip_id),
        start_s,
        end_s,
        name=clip.file_name,
        limits=runtime.settings.audio,
    )
    if len(samples) == 0:
        raise AudioError(
            f"{clip.file_name} ends before {start_s:.1f} s.", suggestion="Select words in the clip."
        )
    audio = Audio(samples, SourceFormat("raw", "pcm_f32le", SAMPLE_RATE_HZ, 1))
    settings = preferences.get(runtime).engine
    # Somebody says that somebody speaks here; no detector may disagree.
    speech = (SpeechSpan(0.0, audio.duration_s),)
    recogniser = _OTHERS.get(engine, settings)
    if isinstance(recogniser, WhisperEngine):
        made = recogniser.transcribe(audio, speech, language=settings.language, prompt=prompt)
    else:
        made = recogniser.transcribe(audio, speech, language=settings.language)
    return _later(made, start_s)


def _later(transcript: Transcript, seconds: float) -> Transcript:
    """The same words, so many seconds later."""
    segments = tuple(
        replace(
            segment,
            start_s=segment.start_s + seconds,
            end_s=segment.end_s + seconds,
            words=tuple(
                replace(word, start_s=word.start_s + seconds, end_s=word.end_s + seconds)
                for word in segment.words
            ),
        )
        for segment in transcript.segments
    )
    return replace(transcript, segments=segments)


class _Others:
    """The last recogniser that was asked: the next question is likely to be for it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[str, EngineSettings, Engine] | None = None

    def get(self, name: str, settings: EngineSettings) -> Engine:
        """The recogniser of this name, loaded if it is not."""
        with self._lock:
            if self._loaded is None or self._loaded[:2] != (name, settings):
                former, self._loaded = self._loaded, None
                if former is not None and isinstance(former[2], IsolatedEngine):
                    former[2].close()
                engine = isolate(get_factory(name)(settings, None, None), settings)
                self._loaded = (name, settings, engine)
            return self._loaded[2]


_OTHERS = _Others()
