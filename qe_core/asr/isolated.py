"""A recogniser in a process of its own.

PocketSphinx keeps Python's global lock for as long as it decodes a piece of audio, many seconds in
which no page and no request of the same process would be answered. In its own process it decodes
beside them, can be stopped at any moment, and takes nothing down when it crashes.

The child reads requests from its standard input, one line of JSON followed by raw float32 samples,
and answers in lines of JSON. It ends when its input ends, so it does not outlive its parent.
"""

import contextlib
import importlib
import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import TypeAdapter

from qe_core.asr.base import Engine, Progress, get_factory
from qe_core.config import EngineSettings
from qe_core.errors import EngineError, WerkbenchError
from qe_core.serialise import transcript_from_json, transcript_to_json
from qe_core.types import SAMPLE_RATE_HZ, Audio, SourceFormat, SpeechSpan, Transcript

__all__ = ["IsolatedEngine", "isolate", "serve"]

# Engines whose decoding lets no other Python thread run.
_BLOCKING = frozenset({"pocketsphinx"})
_SPEECH: TypeAdapter[tuple[SpeechSpan, ...]] = TypeAdapter(tuple[SpeechSpan, ...])
_SOURCE = SourceFormat("raw", "pcm_f32le", SAMPLE_RATE_HZ, 1)
_SAMPLE_BYTES = 4
_READ_BYTES = 1 << 16
# While the child is busy with one piece, the callback is still asked whether to go on.
_TELL_EVERY_S = 0.25
_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from qe_core.asr.isolated import serve_standard_streams
serve_standard_streams(*sys.argv[2:])
"""


def isolate(engine: Engine, settings: EngineSettings) -> Engine:
    """Move an engine into its own process if its decoding would hold up this one.

    Args:
        engine: a loaded recogniser
        settings: what it was loaded with

    Returns:
        an engine of the same name, model and version
    """
    return IsolatedEngine(engine, settings) if engine.name in _BLOCKING else engine


class IsolatedEngine:
    """The same recogniser, beside this process instead of in it.

    Args:
        engine: the loaded recogniser; the child loads the same one when it is first needed
        settings: what it was loaded with
    """

    def __init__(self, engine: Engine, settings: EngineSettings) -> None:
        self.name = engine.name
        self.model = engine.model
        self.version = engine.version
        self._module = type(engine).__module__
        self._settings = settings
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        """See :class:`qe_core.asr.base.Engine`; what ``on_progress`` raises ends it at once."""
        samples = np.ascontiguousarray(audio.samples, dtype="<f4")
        request = {
            "num_samples": len(samples),
            "speech": _SPEECH.dump_python(speech, mode="json"),
            "language": language,
        }
        with self._lock:
            try:
                answer = self._ask(request, samples.tobytes(), on_progress)
            except OSError as error:
                self._end()
                raise EngineError(
                    f"The recogniser {self.name} stopped in the middle of its work.",
                    suggestion="Try again; if it stops again, check that there is memory left.",
                    code="engine_stopped",
                ) from error
            except BaseException:
                self._end()  # it must not go on with what nobody waits for
                raise
        if "error" in answer:
            raise EngineError(answer["error"], suggestion=answer["suggestion"])
        return transcript_from_json(answer["transcript"])

    def close(self) -> None:
        """End the child; the next transcription starts another."""
        with self._lock:
            self._end()

    def _ask(
        self, request: dict[str, Any], raw: bytes, on_progress: Progress | None
    ) -> dict[str, Any]:
        tell = on_progress or (lambda _share, _text: None)
        child = self._running()
        _send(child, request, raw)
        last = (0.0, "transcribing")
        for answer in _answers(child):
            if answer is not None and "share" not in answer:
                return answer
            if answer is not None:
                last = (float(answer["share"]), str(answer["text"]))
            tell(*last)
        raise EOFError  # the answers never end before the child does

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is None:
            folder = Path(__file__).resolve().parents[2]
            self._child = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [sys.executable, "-c", _CHILD, str(folder), self._module, self.name, self.model],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl+C is for the parent to handle
            )
            _send(self._child, self._settings.model_dump(mode="json"), b"")
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        with contextlib.suppress(OSError):  # what was not read yet cannot be flushed any more
            child.communicate()


def serve(module: str, name: str, model: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """What the child does: transcribe until there are no more requests.

    Args:
        module: registers the recogniser when it is imported
        name: registered name of the recogniser
        model: model within the recogniser
        requests: settings first, then one request after the other
        answers: one line for each step, and one for each end
    """

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values).encode() + b"\n")
        answers.flush()

    importlib.import_module(module)
    settings = EngineSettings.model_validate_json(requests.readline())
    engine: Engine | None = None
    while line := requests.readline():
        request = json.loads(line)
        raw = requests.read(request["num_samples"] * _SAMPLE_BYTES)
        try:
            engine = engine or get_factory(name)(settings, model, None)
            transcript = engine.transcribe(
                Audio(np.frombuffer(raw, dtype="<f4"), _SOURCE),
                _SPEECH.validate_python(request["speech"]),
                language=request["language"],
                on_progress=lambda share, text: answer(share=share, text=text),
            )
        except WerkbenchError as error:
            answer(error=error.message, suggestion=error.suggestion)
        else:
            answer(transcript=transcript_to_json(transcript))


def serve_standard_streams(module: str, name: str, model: str) -> None:
    """Serve on standard input and output; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError):  # the parent is gone
        serve(module, name, model, sys.stdin.buffer, answers)


def _send(child: "subprocess.Popen[bytes]", header: dict[str, Any], raw: bytes) -> None:
    if child.stdin is None:
        raise BrokenPipeError
    child.stdin.write(json.dumps(header).encode() + b"\n" + raw)
    child.stdin.flush()


def _answers(child: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any] | None]:
    """The child's lines as they come, and ``None`` for every while without one.

    Raises:
        BrokenPipeError: the child ended
    """
    if child.stdout is None:
        raise BrokenPipeError
    descriptor = child.stdout.fileno()
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(_TELL_EVERY_S):
                yield None
                continue
            block = os.read(descriptor, _READ_BYTES)
            if not block:
                raise BrokenPipeError
            *lines, pending = (pending + block).split(b"\n")
            for line in lines:
                yield json.loads(line)
