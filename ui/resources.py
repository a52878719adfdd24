"""The only place that caches: what all sessions share."""

from workbench.runtime import Runtime, get_runtime

__all__ = ["open_runtime"]


def open_runtime() -> Runtime:
    """The installation that this process serves; opened once, by the process itself.

    Raises:
        WerkbenchError: the settings are wrong or the database cannot be opened
    """
    return get_runtime()
