"""A clip goes back to the queue when the browser tab that held it is closed.

A reload or a dropped connection closes nothing: Streamlit is asked for a while whether the tab has
come back, and a clip that the same person has in another tab, the reloaded one, stays with them.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import streamlit.runtime
from streamlit.runtime import Runtime as StreamlitRuntime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from qe_core.errors import WerkbenchError
from workbench.runtime import Runtime

__all__ = ["ClosedTabs", "give_back_when_closed"]

_log = logging.getLogger(__name__)


class _Desk(Protocol):
    reviewer: str
    clip_id: str | None

    def leave(self, runtime: Runtime) -> None: ...


class ClosedTabs:
    """Watches the browser tabs that hold clips.

    Args:
        is_open: whether the tab with this session id is connected
        patience_s: how long a tab may be gone before its clip goes back
        pause_s: seconds between two looks
    """

    def __init__(
        self, is_open: Callable[[str], bool], *, patience_s: float = 30.0, pause_s: float = 5.0
    ) -> None:
        self._is_open = is_open
        self._patience_s = patience_s
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._tabs: dict[str, tuple[_Desk, Runtime]] = {}
        self._gone_since: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    def watch(self, session_id: str, desk: _Desk, runtime: Runtime) -> None:
        """See to it that the desk is left when its tab is closed.

        Args:
            session_id: of the tab
            desk: what the tab works on
            runtime: the process's runtime
        """
        with self._lock:
            self._tabs[session_id] = (desk, runtime)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="closed-tabs", daemon=True)
                self._thread.start()

    def look(self, now_s: float) -> int:
        """Leave the desks of tabs that have been gone for long enough; says how many.

        Args:
            now_s: a clock that never goes back
        """
        with self._lock:
            for session_id in self._tabs:
                if self._is_open(session_id):
                    self._gone_since.pop(session_id, None)
                else:
                    self._gone_since.setdefault(session_id, now_s)
            gone = [
                session_id
                for session_id, since_s in self._gone_since.items()
                if now_s - since_s >= self._patience_s
            ]
            left = [self._tabs.pop(session_id) for session_id in gone]
            kept = {(desk.reviewer, desk.clip_id) for desk, _ in self._tabs.values()}
            for session_id in gone:
                del self._gone_since[session_id]
        for desk, runtime in left:
            if (desk.reviewer, desk.clip_id) in kept:
                continue
            try:
                desk.leave(runtime)
            except WerkbenchError as error:  # the process is about to end
                _log.warning("A clip could not be given back: %s", error.message)
        return len(left)

    def _run(self) -> None:
        while True:
            time.sleep(self._pause_s)
            self.look(time.monotonic())


def give_back_when_closed(desk: _Desk, runtime: Runtime) -> None:
    """Give the clip on a desk back some time after this browser tab is gone."""
    context = get_script_run_ctx()
    if context is not None and _server() is not None:
        _TABS.watch(context.session_id, desk, runtime)


def _server() -> StreamlitRuntime | None:
    """What serves the browser; without a browser (a test of pages) there is only a stand-in."""
    server = streamlit.runtime.get_instance() if streamlit.runtime.exists() else None
    return server if type(server) is StreamlitRuntime else None


def _is_open(session_id: str) -> bool:
    server = _server()
    return server is not None and server.is_active_session(session_id)


_TABS = ClosedTabs(_is_open)
