"""Keeping other web sites out of a server that trusts whoever can reach it.

Without a password the address is the only fence, and a browser on the same machine stands inside
it. So requests must name a host of ours (a foreign name that resolves to this machine is DNS
rebinding), and a page from elsewhere may not change anything (cross-site request forgery).
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_response, status_of
from qe_core.config import ServerSettings
from qe_core.errors import WerkbenchError

__all__ = ["Guard", "GuardError", "check_request"]

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class GuardError(WerkbenchError, PermissionError):
    """A request that another web site may have sent."""

    default_code = "foreign_origin"


def check_request(method: str, headers: Headers, server: ServerSettings) -> None:
    """Refuse a request that comes from another web site.

    Args:
        method: HTTP method
        headers: of the request
        server: ``allowed_hosts`` names what the server may be called; ``host`` is where it listens

    Raises:
        GuardError: foreign ``Host``, or a foreign ``Origin`` that wants to change something
    """
    host = headers.get("host", "")
    name = _host_name(host)
    # Who opens the server to the network without naming it accepts every name.
    allowed = {known.lower() for known in server.allowed_hosts}
    is_local = server.host in _LOCAL
    if (is_local or allowed) and name not in _LOCAL | allowed | {server.host}:
        raise GuardError(
            f"Host {name!r} is not a name of this server.",
            suggestion="Call it localhost, or add the name to server.allowed_hosts.",
            code="foreign_host",
        )
    origin = headers.get("origin")
    if method not in _SAFE_METHODS and origin is not None and origin.partition("//")[2] != host:
        raise GuardError(
            f"A page from {origin!r} may not change anything here.",
            suggestion="Send the request from a page of this server, or without a browser.",
        )


class Guard:
    """Applies :func:`check_request` to every request of an app.

    Args:
        app: what is guarded
        get_server: gives the settings when a request comes
    """

    def __init__(self, app: ASGIApp, get_server: Callable[[], ServerSettings]) -> None:
        self._app = app
        self._get_server = get_server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer foreign requests, pass on all others."""
        if scope["type"] == "http":
            try:
                check_request(scope["method"], Headers(scope=scope), self._get_server())
            except GuardError as error:
                response = problem_response(
                    status_of(error),
                    detail=error.message,
                    suggestion=error.suggestion,
                    code=error.code,
                )
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # brackets that do not close
        return ""
