"""Whisper through faster-whisper: int8 on the CPU, word times, guards against invented text."""

import hashlib
import json
import threading
from collections.abc import Mapping
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.utils._http import get_session

from qe_core.asr.base import Engine, Progress, register
from qe_core.asr.chunks import cut_at_pauses
from qe_core.config import EngineSettings, bundled_path
from qe_core.errors import EngineError
from qe_core.types import Audio, Segment, SpeechSpan, Transcript, Word

__all__ = ["DEMO_MODEL", "WhisperEngine", "find_model", "hub_answers", "read_note"]

DEMO_MODEL = "models/whisper-demo"
"""A small Whisper that travels with the package; it knows few words and is for tests and demos."""

_NOTE_FILE = "about.json"

_HOW_TO_GET_IT = (
    "Put a CTranslate2 Whisper model into a folder and set engine.whisper_model to its path, "
    "or start once with access to the model hub."
)
_FINGERPRINT_BYTES = 1 << 20
_WINDOW_S = 30
# Timestamps count in steps of 20 ms: a piece as long as the window could end behind it.
_WINDOW_MARGIN_S = 0.2
# A model of short windows has heard few sentences at a time, and tends to forget the second one.
_SENTENCE_S = 4.0


class WhisperEngine:
    """A Whisper model that is loaded once and used by one thread at a time.

    Whisper hears windows of 30 s, which faster-whisper fills with speech and cuts at its own
    timestamps. A model that was trained on shorter windows says so (``chunk_length`` in
    ``preprocessor_config.json``) and is given pieces that are cut at pauses; so is any model when
    several windows are decoded at once.

    Args:
        folder: CTranslate2 model with ``model.bin`` and ``tokenizer.json``
        model: name to show, e.g. ``"base"``
        settings: beam size, batch size, prompt, thresholds and threads

    Raises:
        EngineError: the folder does not hold a usable model
    """

    name = "whisper"

    def __init__(self, folder: Path, *, model: str, settings: EngineSettings) -> None:
        from ctranslate2 import get_cuda_device_count
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        self.model = model
        self._settings = settings
        self._lock = threading.Lock()
        compute_type = "int8_float16" if get_cuda_device_count() else "int8"
        try:
            self._whisper = WhisperModel(
                str(folder),
                compute_type=compute_type,
                cpu_threads=settings.cpu_threads,
                local_files_only=True,
            )
        # CTranslate2 and tokenizers raise plain RuntimeError, ValueError and Exception.
        except Exception as error:
            raise EngineError(
                f"{folder.name}: not a usable Whisper model ({error}).", suggestion=_HOW_TO_GET_IT
            ) from error
        self._batched = BatchedInferencePipeline(self._whisper)
        parameters = {
            "beam_size": settings.beam_size,
            "batch_size": settings.batch_size,
            "initial_prompt": settings.prompt or None,
            "log_prob_threshold": settings.log_prob_threshold,
            "no_speech_threshold": settings.no_speech_threshold,
            "compression_ratio_threshold": settings.compression_ratio_threshold,
            "hallucination_silence_threshold": settings.hallucination_silence_s,
        }
        self._parameters = {name: value for name, value in parameters.items() if value is not None}
        self.version = (
            f"{package_version('faster-whisper')}-{_fingerprint(folder, self._parameters)}"
        )

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
        prompt: str | None = None,
    ) -> Transcript:
        """See :class:`qe_core.asr.base.Engine`; ``prompt`` names words that may occur."""
        # A span can lie behind the end by a rounding error, and then holds no sound.
        speech = tuple(span for span in speech if span.start_s < audio.duration_s)
        if not speech:
            # Whisper writes fluent sentences for silence; where nobody speaks it is not asked.
            return self._transcript((), language or "en", None)
        with self._lock:
            try:
                found, info = self._start(audio, speech, language, prompt)
                segments, done = [], 0.0
                for segment in found:
                    segments.append(_to_segment(segment))
                    # A segment may end before the one before it.
                    done = max(done, min(1.0, segment.end / audio.duration_s))
                    if on_progress is not None:
                        on_progress(done, "transcribing")
            except (RuntimeError, ValueError) as error:
                raise EngineError(
                    f"Whisper ({self.model}) failed: {error}.",
                    suggestion="Try again; if it fails again, choose another model or engine.",
                ) from error
        # A window in which nothing was said comes back as a segment without a word.
        kept = tuple(segment for segment in segments if segment.text)
        return self._transcript(kept, info.language, info.language_probability)

    def _start(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        language: str | None,
        prompt: str | None,
    ) -> Any:
        """Segments (decoded as they are read) and what Whisper found out about the clip."""
        options = {**self._parameters, "language": language, "word_timestamps": True}
        if prompt:
            options["initial_prompt"] = prompt
        batch_size = options.pop("batch_size")
        window_s = self._whisper.feature_extractor.chunk_length
        if batch_size == 1 and window_s == _WINDOW_S:
            return self._whisper.transcribe(audio.samples, vad_filter=True, **options)
        pieces = cut_at_pauses(
            speech,
            audio.duration_s,
            max_chunk_s=window_s - _WINDOW_MARGIN_S,
            join_up_to_s=None if window_s == _WINDOW_S else _SENTENCE_S,
        )
        if batch_size == 1:
            times_s = [time_s for piece in pieces for time_s in (piece.start_s, piece.end_s)]
            return self._whisper.transcribe(
                audio.samples,
                clip_timestamps=times_s,
                # Pieces come from anywhere in the clip: the one before is no context.
                condition_on_previous_text=False,
                **options,
            )
        return self._batched.transcribe(
            audio.samples,
            clip_timestamps=[{"start": piece.start_s, "end": piece.end_s} for piece in pieces],
            batch_size=batch_size,
            without_timestamps=False,
            **options,
        )

    def _transcript(
        self, segments: tuple[Segment, ...], language: str, probability: float | None
    ) -> Transcript:
        return Transcript(
            segments=segments,
            language=language,
            engine=self.name,
            model=self.model,
            version=self.version,
            language_probability=probability,
            parameters=self._parameters,
        )


def find_model(
    name_or_folder: str, settings: EngineSettings, on_progress: Progress | None = None
) -> Path:
    """Find the files of a Whisper model on this machine, or fetch them.

    Args:
        name_or_folder: a folder, a model that travels with the package such as
            ``"models/whisper-demo"``, a size such as ``"base"``, or a hub name ``"owner/model"``
        settings: how long a hub that does not answer may take
        on_progress: told when a download starts

    Returns:
        the folder with the model

    Raises:
        EngineError: it is not here and cannot be fetched; known within ``fetch_timeout_s``
    """
    from faster_whisper.utils import download_model

    folder = Path(name_or_folder).expanduser()
    if not folder.is_absolute() and (bundled_path(*folder.parts) / "model.bin").is_file():
        return bundled_path(*folder.parts)
    if (folder / "model.bin").is_file():
        return folder
    if folder.is_dir():
        raise EngineError(f"{folder}: there is no model.bin in it.", suggestion=_HOW_TO_GET_IT)
    try:
        return Path(download_model(name_or_folder, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except ValueError as error:
        raise EngineError(
            f"engine.whisper_model = {name_or_folder!r}: neither a folder nor a known model.",
            suggestion=_HOW_TO_GET_IT,
        ) from error
    missing = EngineError(
        f"The Whisper model {name_or_folder!r} is not on this machine and the model hub "
        "does not answer.",
        suggestion=_HOW_TO_GET_IT,
        code="model_missing",
    )
    if HF_HUB_OFFLINE or not hub_answers(settings.fetch_timeout_s):
        raise missing
    if on_progress is not None:
        on_progress(0.0, f"downloading the Whisper model {name_or_folder}")
    try:
        return Path(download_model(name_or_folder))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise missing from error


def read_note(name_or_folder: str, settings: EngineSettings) -> str | None:
    """What the makers of a model want its users to know, if they left a note beside it.

    Raises:
        EngineError: the model is not here
    """
    path = find_model(name_or_folder, settings) / _NOTE_FILE
    if not path.is_file():
        return None
    return str(json.loads(path.read_text(encoding="utf-8"))["note"])


@register("whisper")
def _make(settings: EngineSettings, model: str | None, on_progress: Progress | None) -> Engine:
    wanted = model or settings.whisper_model
    folder = find_model(wanted, settings, on_progress)
    if on_progress is not None:
        on_progress(0.0, f"loading the Whisper model {Path(wanted).name}")
    return WhisperEngine(
        folder,
        model=Path(wanted).name,
        settings=settings,
    )


def hub_answers(timeout_s: float) -> bool:
    """Whether the hub answers in time; a name server that hangs counts as no."""
    answers = threading.Event()

    def ask() -> None:
        try:
            get_session().head(ENDPOINT, timeout=timeout_s)
        except Exception:  # noqa: BLE001  whatever goes wrong, the hub is not reachable
            return
        answers.set()

    # A time limit on the request does not bound the name look-up; one on waiting does.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answers.is_set()


def _to_segment(segment: Any) -> Segment:
    return Segment(
        start_s=round(float(segment.start), 2),
        end_s=round(float(segment.end), 2),
        text=segment.text.strip(),
        words=tuple(
            Word(
                word=word.word.strip(),
                start_s=round(float(word.start), 2),
                end_s=round(float(word.end), 2),
                confidence=float(word.probability),
            )
            for word in segment.words or ()
        ),
        avg_logprob=float(segment.avg_logprob),
        no_speech_prob=float(segment.no_speech_prob),
        compression_ratio=float(segment.compression_ratio),
        temperature=float(segment.temperature),
    )


def _fingerprint(folder: Path, parameters: Mapping[str, Any]) -> str:
    """Tells apart models of one name, without reading gigabytes, and ways to decode."""
    path = folder / "model.bin"
    digest = hashlib.sha256(json.dumps([path.stat().st_size, parameters]).encode())
    with path.open("rb") as file:
        digest.update(file.read(_FINGERPRINT_BYTES))
        file.seek(-min(path.stat().st_size, _FINGERPRINT_BYTES), 2)
        digest.update(file.read())
    return digest.hexdigest()[:12]
