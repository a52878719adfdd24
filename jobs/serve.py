"""Starting the app."""

import os
import socket
import threading
import time
import webbrowser
from typing import TYPE_CHECKING

from jobs.console import say
from qe_core.config import load_settings
from qe_core.errors import ConfigError

if TYPE_CHECKING:
    import uvicorn

__all__ = ["serve_app"]

_ALL_ADDRESSES = frozenset({"0.0.0.0", "::"})  # noqa: S104  recognised, not bound
# A message of the pages' web socket carries at most one uploaded chunk or recording.
_MAX_MESSAGE_BYTES = 256 * 1024 * 1024
# Open pages keep their web socket; a stop does not wait for them longer than this.
_PATIENCE_S = 3
_POLL_S = 0.05


def serve_app(*, host: str | None, port: int | None, opens_browser: bool) -> None:
    """Serve pages, API and worker until the process is told to stop.

    Args:
        host: address to listen on; that of the settings by default
        port: port to listen on; 0 takes any that is free
        opens_browser: open the first page once it answers

    Raises:
        ConfigError: the address is taken or not one of this machine
    """
    settings = load_settings().server
    host = host or settings.host
    with _listen(host, settings.port if port is None else port) as listener:
        port = listener.getsockname()[1]
        _export_address(host, port)
        url = f"http://{_name_of(host)}:{port}"
        say(f"Werkbench is starting on {url} …")
        server = _make_server()
        threading.Thread(target=_welcome, args=(server, url, opens_browser), daemon=True).start()
        server.run(sockets=[listener])


def _make_server() -> "uvicorn.Server":
    import uvicorn

    from app import app

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            ws_max_size=_MAX_MESSAGE_BYTES,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
    )


def _welcome(server: "uvicorn.Server", url: str, opens_browser: bool) -> None:
    while not server.started:
        time.sleep(_POLL_S)
    say(f"Werkbench is ready: {url} (Ctrl+C stops it)")
    if opens_browser:
        webbrowser.open(url)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{host}:{port} cannot be listened on ({error.strerror}).",
            suggestion="Stop what runs there, or choose another one with --port.",
        ) from error
    return listener


def _export_address(host: str, port: int) -> None:
    """The rest of the process reads the same settings: what the command line says must be there."""
    prefix = "WERKBENCH_SERVER__"
    os.environ[f"{prefix}HOST"] = host  # noqa: TID251  written for qe_core.config, not read
    os.environ[f"{prefix}PORT"] = str(port)  # noqa: TID251  written for qe_core.config, not read


def _name_of(host: str) -> str:
    if host in _ALL_ADDRESSES:
        return "localhost"
    return f"[{host}]" if ":" in host else host
