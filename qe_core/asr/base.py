"""What every recogniser does, and the registry that knows them by name."""

from collections.abc import Callable, Mapping
from typing import Protocol

from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import Audio, SpeechSpan, Transcript

__all__ = ["Engine", "EngineFactory", "Progress", "engine_names", "get_factory", "register"]

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a short description of the current step."""


class Engine(Protocol):
    """A loaded recogniser; safe to call from one thread at a time."""

    @property
    def name(self) -> str:
        """Registered name, e.g. ``"whisper"``."""
        ...

    @property
    def model(self) -> str:
        """Model within the engine, e.g. ``"base"``."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same audio could give another transcript."""
        ...

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        """Write down what is said.

        Args:
            audio: the clip
            speech: where somebody speaks; engines that cut long audio cut between these
            language: ISO 639-1 code, or ``None`` to let the engine decide
            on_progress: told how far the decoding is

        Returns:
            the hypothesis; no segments when nothing was recognised

        Raises:
            EngineError: the recogniser failed or does not know the language
        """
        ...


EngineFactory = Callable[[EngineSettings, str | None, Progress | None], Engine]
"""Makes an engine from settings, an optional model name, and a progress callback."""

_FACTORIES: dict[str, EngineFactory] = {}


def register(name: str) -> Callable[[EngineFactory], EngineFactory]:
    """Make an engine known under a name; used as a decorator on its factory."""

    def add(factory: EngineFactory) -> EngineFactory:
        _FACTORIES[name] = factory
        return factory

    return add


def engine_names() -> tuple[str, ...]:
    """Names of all registered engines, sorted."""
    return tuple(sorted(_FACTORIES))


def get_factory(name: str) -> EngineFactory:
    """The factory registered under a name.

    Raises:
        EngineError: nothing is registered under it
    """
    factories: Mapping[str, EngineFactory] = _FACTORIES
    if name not in factories:
        raise EngineError(
            f"engine.name = {name!r}: there is no such engine.",
            suggestion=f"Use auto or one of: {', '.join(engine_names())}.",
        )
    return factories[name]
