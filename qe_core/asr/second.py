"""The second opinion: a small recogniser that hears every clip again, and disagrees in places."""

import logging

from qe_core.asr.base import Engine, Progress
from qe_core.asr.isolated import isolate
from qe_core.asr.sphinx import SphinxEngine
from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import Audio, SpeechSpan, Transcript

__all__ = ["SECOND", "ask_second", "load_second"]

SECOND = ("pocketsphinx", "en-us-fast")
"""Engine and model: inside PocketSphinx's wheel, quick, and wrong in other places than others."""

_LANGUAGE = "en"

_log = logging.getLogger(__name__)


def load_second(settings: EngineSettings) -> Engine:
    """Load the recogniser that gives second opinions, in a process of its own.

    Args:
        settings: of the recogniser in use

    Raises:
        EngineError: it cannot be loaded
    """
    return isolate(SphinxEngine(max_chunk_s=settings.max_chunk_s, model=SECOND[1]), settings)


def ask_second(
    second: Engine,
    audio: Audio,
    speech: tuple[SpeechSpan, ...],
    first: Transcript,
    *,
    on_progress: Progress | None = None,
) -> Transcript | None:
    """Let another recogniser write the clip.

    Args:
        second: the recogniser
        audio: the clip
        speech: where somebody speaks
        first: what the recogniser in use wrote
        on_progress: told how far it is

    Returns:
        what it wrote; ``None`` where it is the recogniser that wrote ``first``, where that is not
        in English, and where it fails: an estimate can do without
    """
    if (first.engine, first.model) == (second.name, second.model) or first.language != _LANGUAGE:
        return None
    try:
        return second.transcribe(audio, speech, language=_LANGUAGE, on_progress=on_progress)
    except EngineError as error:
        _log.warning("There is no second opinion: %s", error.message)
        return None
