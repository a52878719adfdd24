"""The project's glossary: names and terms that the desk writes with one key."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from qe_core.errors import ConfigError
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["MAX_TERMS", "change", "terms"]

MAX_TERMS = 1000
_MAX_CHARACTERS = 100
_KEY = "review.glossary"


def terms(runtime: "Runtime") -> tuple[str, ...]:
    """The terms in the order in which they were written down."""
    return preferences.get(runtime).review.glossary


def change(runtime: "Runtime", wanted: Iterable[str], actor: str | None = None) -> tuple[str, ...]:
    """Take other terms from now on.

    Args:
        runtime: the runtime
        wanted: one term each; blanks around them, empty ones and repetitions are left out
        actor: who chose them

    Returns:
        the terms that hold now

    Raises:
        ConfigError: too many, or one is too long
    """
    tidy = tuple(dict.fromkeys(" ".join(term.split()) for term in wanted if term.strip()))
    if len(tidy) > MAX_TERMS:
        raise ConfigError(
            f"{len(tidy)} terms are more than the {MAX_TERMS} that the glossary holds.",
            suggestion="Keep those that the recogniser gets wrong.",
        )
    too_long = next((term for term in tidy if len(term) > _MAX_CHARACTERS), None)
    if too_long is not None:
        raise ConfigError(
            f"{too_long[:30]}… has more than {_MAX_CHARACTERS} characters.",
            suggestion="Write one term per line.",
        )
    return preferences.set(runtime, _KEY, list(tidy), actor).review.glossary
