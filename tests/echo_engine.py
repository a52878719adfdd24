"""A recogniser for tests of the process around it: says what it was given, or misbehaves."""

import os
import time

from qe_core.asr.base import Engine, Progress, register
from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import Audio, Segment, SpeechSpan, Transcript


class EchoEngine:
    """Writes how much it heard and what it was asked; ``language`` says how to misbehave."""

    name = "echo"
    model = "test"
    version = "1"

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        print("a library that prints")
        if on_progress is not None:
            on_progress(0.5, "transcribing, part 1 of 2")
        if language == "dies":
            os._exit(3)
        if language == "hangs":
            time.sleep(60)
        if language == "refuses":
            raise EngineError("No such language.", suggestion="Choose another.")
        text = f"{len(audio.samples)} samples, {len(speech)} spans, level {audio.samples[0]:.2f}"
        return Transcript((Segment(0.0, 1.0, text),), "en", self.name, self.model, self.version)


@register("echo")
def _make(settings: EngineSettings, model: str | None, on_progress: Progress | None) -> Engine:
    return EchoEngine()
