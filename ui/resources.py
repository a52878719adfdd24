"""What all sessions share: the installation, and the recogniser that loads beside them."""

import atexit
import gc
import logging
import sys
import threading

from qe_core.errors import WerkbenchError
from workbench.runtime import Runtime, get_runtime

__all__ = ["engine_problem", "load_engine", "open_runtime"]

_log = logging.getLogger(__name__)
_problem: WerkbenchError | None = None
_num_modules = 0


def open_runtime() -> Runtime:
    """The installation that this process serves; opened once, by the process itself.

    Raises:
        WerkbenchError: the settings are wrong or the database cannot be opened
    """
    _spare_modules()
    return get_runtime()


def load_engine(runtime: Runtime) -> threading.Thread:
    """Load the recogniser that the settings ask for, without making anybody wait for it.

    Args:
        runtime: the runtime

    Returns:
        the thread that loads it
    """
    thread = threading.Thread(target=_load, args=(runtime,), name="load-engine", daemon=True)
    thread.start()
    return thread


def engine_problem() -> WerkbenchError | None:
    """Why the recogniser could not be loaded the last time; ``None`` when it could."""
    return _problem


def _spare_modules() -> None:
    """Take what was imported out of the garbage collector's rounds.

    Streamlit collects all garbage after every run of a page. Looking at the million objects of the
    libraries each time, which live as long as the process, took 200 ms and kept the page waiting.
    """
    global _num_modules  # noqa: PLW0603 - one process, one garbage collector
    if len(sys.modules) != _num_modules:
        if _num_modules == 0:
            # Libraries that look for leaks when Python ends would take all of it for one.
            atexit.register(gc.unfreeze)
        _num_modules = len(sys.modules)
        gc.collect()
        gc.freeze()


def _load(runtime: Runtime) -> None:
    global _problem  # noqa: PLW0603 - one process, one recogniser, one state of it
    try:
        runtime.engine()
    except WerkbenchError as error:
        _problem = error
        _log.warning("The recogniser cannot be loaded: %s %s", error.message, error.suggestion)
    else:
        _problem = None
