"""PocketSphinx: a small US-English recogniser whose model is inside its wheel."""

import threading
from importlib.metadata import version as package_version
from itertools import islice
from typing import Any

import numpy as np
import pocketsphinx

from qe_core.asr.base import Engine, Progress, register
from qe_core.asr.chunks import cut_at_pauses
from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray, Segment, SpeechSpan, Transcript, Word

__all__ = ["SphinxEngine"]

_FRAMES_PER_SECOND = 100
_NUM_ALTERNATIVES = 10
_FILLERS = ("<", "[")
_MODEL = "en-us"
# The same acoustic model, heard with less care: every other frame, the two best of its densities,
# few words at a time, one pass. A third of the time for an eighth more errors, most of them other
# ones, which is what a second opinion is for.
_FAST: dict[str, str | int | float] = {
    "ds": 2,
    "topn": 2,
    "maxwpf": 5,
    "maxhmmpf": 3000,
    "pl_window": 10,
    "fwdflat": False,
}
_MODELS: dict[str, dict[str, str | int | float]] = {_MODEL: {}, "en-us-fast": _FAST}


class SphinxEngine:
    """PocketSphinx with its built-in model.

    Args:
        max_chunk_s: long audio is heard in pieces of at most this length, cut at pauses
        model: ``"en-us"``, or ``"en-us-fast"`` for a hasty second opinion
        config: decoder parameters that differ from PocketSphinx's own
    """

    name = "pocketsphinx"

    def __init__(
        self, *, max_chunk_s: float = 20.0, model: str = _MODEL, **config: str | int | float
    ) -> None:
        self.model = model
        self._max_chunk_s = max_chunk_s
        self._config = {**_MODELS[model], **config}
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL", **self._config)
        self._lock = threading.Lock()
        self.version = f"{package_version('pocketsphinx')}-3"

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        """See :class:`qe_core.asr.base.Engine`."""
        if language not in (None, "en"):
            raise EngineError(
                f"PocketSphinx has no model for language {language!r}.",
                suggestion="Choose the whisper engine for this language, or set language to en.",
            )
        chunks = cut_at_pauses(speech, audio.duration_s, max_chunk_s=self._max_chunk_s)
        segments: list[Segment] = []
        with self._lock:
            for index, chunk in enumerate(chunks):
                if on_progress is not None:
                    on_progress(
                        index / len(chunks), f"transcribing, part {index + 1} of {len(chunks)}"
                    )
                segment = self._decode(audio, chunk)
                if segment is not None:
                    segments.append(segment)
        if on_progress is not None:
            on_progress(1.0, "transcribed")
        return Transcript(
            segments=tuple(segments),
            language="en",
            engine=self.name,
            model=self.model,
            version=self.version,
            parameters={"max_chunk_s": self._max_chunk_s, **self._config},
        )

    def _decode(self, audio: Audio, chunk: SpeechSpan) -> Segment | None:
        start = int(chunk.start_s * SAMPLE_RATE_HZ)
        samples = audio.samples[start : int(chunk.end_s * SAMPLE_RATE_HZ)]
        decoder = self._decoder
        # Forgets the cepstral mean of the last piece: a transcript must not depend on what was
        # heard before it.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(_to_pcm16(samples), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        if hypothesis is None:
            return None
        tokens = list(decoder.seg())
        words = tuple(
            Word(
                word=_plain(token.word),
                start_s=round(chunk.start_s + token.start_frame / _FRAMES_PER_SECOND, 2),
                end_s=round(chunk.start_s + (token.end_frame + 1) / _FRAMES_PER_SECOND, 2),
                # Lattice posteriors can exceed 1 by rounding in the log domain.
                confidence=min(1.0, float(token.prob)),
            )
            for token in tokens
            if not token.word.startswith(_FILLERS)
        )
        if not words:
            return None
        return Segment(
            start_s=words[0].start_s,
            end_s=words[-1].end_s,
            text=" ".join(word.word for word in words),
            words=words,
            avg_logprob=_path_logprob(tokens) / max(1, len(words)),
            alternatives=self._alternatives(hypothesis.hypstr),
        )

    def _alternatives(self, best: str) -> tuple[str, ...]:
        # The n-best list repeats readings that differ in fillers only, and ends in None.
        texts: dict[str, None] = {}
        for item in islice(self._decoder.nbest(), 5 * _NUM_ALTERNATIVES):
            if item is None or len(texts) >= _NUM_ALTERNATIVES:
                break
            if item.hypstr and item.hypstr != best:
                texts[item.hypstr] = None
        return tuple(texts)


@register("pocketsphinx")
def _make(settings: EngineSettings, model: str | None, on_progress: Progress | None) -> Engine:
    model = model or _MODEL
    if model not in _MODELS:
        raise EngineError(
            f"pocketsphinx has no model {model!r}.",
            suggestion=f"Use {' or '.join(f'pocketsphinx:{name}' for name in _MODELS)}.",
        )
    if on_progress is not None:
        on_progress(0.0, "loading PocketSphinx")
    return SphinxEngine(max_chunk_s=settings.max_chunk_s, model=model)


def _to_pcm16(samples: FloatArray) -> bytes:
    return bytes((np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").data)


def _plain(word: str) -> str:
    """Dictionary variants such as ``the(2)`` are pronunciations of one word."""
    return word.partition("(")[0]


def _path_logprob(tokens: list[Any]) -> float:
    """Sum of the log word posteriors along the best path, fillers included."""
    return float(sum(np.log(max(float(token.prob), 1e-30)) for token in tokens))
