"""The error tree: every error says what is wrong and what to do about it."""

from functools import partial
from typing import Any

__all__ = [
    "AudioError",
    "ConfigError",
    "ConflictError",
    "EngineError",
    "EstimatorError",
    "ForbiddenError",
    "NotFoundError",
    "ReviewError",
    "StorageError",
    "TrainingError",
    "WerkbenchError",
]


class WerkbenchError(Exception):
    """An error that a person can act on.

    Args:
        message: what is wrong, naming the thing and its value
        suggestion: what to do about it, an imperative sentence
        code: a stable machine-readable name; by default that of the class

    Examples:
        >>> error = AudioError("a.wav: 0 bytes.", suggestion="Re-export the file.", code="empty")
        >>> error.code, error.suggestion
        ('empty', 'Re-export the file.')
    """

    default_code = "error"

    def __init__(self, message: str, *, suggestion: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion
        self.code = code or self.default_code

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes back from another process, which calls the class with ``args`` otherwise."""
        return partial(type(self), suggestion=self.suggestion, code=self.code), self.args


class AudioError(WerkbenchError, ValueError):
    """A file that cannot be taken as a clip."""

    default_code = "audio"


class ConfigError(WerkbenchError, ValueError):
    """A setting that is not allowed."""

    default_code = "config"


class EngineError(WerkbenchError, RuntimeError):
    """A recogniser that cannot be loaded or cannot run."""

    default_code = "engine"


class EstimatorError(WerkbenchError, ValueError):
    """An estimator that does not fit what it is asked to estimate."""

    default_code = "estimator"


class TrainingError(WerkbenchError, ValueError):
    """Training material or a trained model that is not good enough."""

    default_code = "training"


class StorageError(WerkbenchError, RuntimeError):
    """The database or the media folder cannot do what was asked."""

    default_code = "storage"


class NotFoundError(WerkbenchError, LookupError):
    """A thing that is asked for by an id that nothing has."""

    default_code = "not_found"


class ReviewError(WerkbenchError, ValueError):
    """A verdict that cannot be saved as it is."""

    default_code = "review"


class ConflictError(WerkbenchError, RuntimeError):
    """Somebody else changed or holds what was to be changed."""

    default_code = "conflict"


class ForbiddenError(WerkbenchError, PermissionError):
    """Something that a person's role does not allow."""

    default_code = "forbidden"
