"""Choosing and loading the recogniser that the settings ask for."""

from dataclasses import dataclass

from threadpoolctl import threadpool_limits

import qe_core.asr.sphinx
import qe_core.asr.whisper  # noqa: F401  importing an engine registers it
from qe_core.asr.base import Engine, Progress, get_factory
from qe_core.asr.whisper import find_model, read_note
from qe_core.config import EngineSettings
from qe_core.errors import EngineError

__all__ = ["Resolved", "resolve_engine"]

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A loaded engine and why it is this one.

    Args:
        engine: ready to transcribe
        why: a sentence for the page
    """

    engine: Engine
    why: str


def resolve_engine(settings: EngineSettings, on_progress: Progress | None = None) -> Resolved:
    """Load the recogniser that the settings name.

    ``auto`` takes the configured faster-whisper model if its files are there or can be fetched
    within ``fetch_timeout_s``, otherwise PocketSphinx.

    From then on NumPy multiplies on one thread in this process: its products are small, and threads
    that wait for the next one take a recogniser's time on the other cores.

    Args:
        settings: engine name and model
        on_progress: told what is being loaded

    Returns:
        the loaded engine and the reason for it

    Raises:
        EngineError: there is no such engine, or the one that was asked for cannot be loaded
    """
    threadpool_limits(limits=1, user_api="blas")
    name, _, model = settings.name.partition(":")
    if name != AUTO:
        engine = get_factory(name)(settings, model or None, on_progress)
        why = f"{engine.name} ({engine.model}), as engine.name asks for."
        if name == "whisper" and (note := read_note(model or settings.whisper_model, settings)):
            why = f"{why} {note}"
        return Resolved(engine, why)
    try:
        find_model(settings.whisper_model, settings, on_progress)
    except EngineError as error:
        engine = get_factory("pocketsphinx")(settings, None, on_progress)
        return Resolved(
            engine,
            f"PocketSphinx, a rough built-in recogniser, because Whisper is not there: "
            f"{error.message} {error.suggestion}",
        )
    engine = get_factory("whisper")(settings, None, on_progress)
    return Resolved(engine, f"Whisper ({engine.model}): its model is on this machine.")
