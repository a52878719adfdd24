"""Who may use the API: programs with a token, and people whom the pages know.

Where nobody logs in and no token is set, whoever reaches the server may: it listens on this
machine.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request

from api.state import runtime_of
from qe_core.errors import ForbiddenError, WerkbenchError
from workbench import people
from workbench.runtime import Runtime

__all__ = ["NO_LOGIN", "AccessError", "Login", "may_hear", "may_use", "viewer_of"]

_SCHEME = "bearer"
# Stored with nothing: somebody whom nobody knows, with the rights of an annotator.
_ANYBODY = ""


class AccessError(WerkbenchError, PermissionError):
    """A request without a token or a login where one is needed."""

    default_code = "unauthorised"


@dataclass(frozen=True, slots=True)
class Login:
    """How the pages know people.

    Args:
        is_configured: whether people have to log in
        subject_of: how the identity provider knows the person with these cookies, ``None`` when
            nobody is logged in
    """

    is_configured: Callable[[], bool]
    subject_of: Callable[[Mapping[str, str]], str | None]


NO_LOGIN = Login(lambda: False, lambda _: None)
"""Nobody logs in."""


def may_use(request: Request) -> None:
    """Let a request pass that comes with a token or from somebody who is logged in.

    Raises:
        AccessError: it comes with neither, and one of them is needed
        ForbiddenError: the person is locked out
    """
    _check(request, needs_token=bool(runtime_of(request).settings.api.tokens))


def may_hear(request: Request) -> None:
    """As :func:`may_use`, for what the pages themselves fetch: without logins it is open.

    Raises:
        AccessError: people have to log in, and this is nobody
        ForbiddenError: the person is locked out
    """
    _check(request, needs_token=False)


def viewer_of(request: Request) -> str | None:
    """Whose eyes the answer is for; ``None`` for a program with a token, which sees everything."""
    viewer: str | None = request.state.viewer
    return viewer


def _check(request: Request, *, needs_token: bool) -> None:
    runtime = runtime_of(request)
    login: Login = request.app.state.login
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == _SCHEME:
        if not _is_known(runtime, token.strip()):
            raise _refused("This token is not one of this server's.")
        request.state.viewer = None
    elif login.is_configured():
        request.state.viewer = _person(runtime, login.subject_of(request.cookies))
    elif needs_token:
        raise _refused("The API of this server takes a token.")
    else:
        request.state.viewer = _ANYBODY


def _is_known(runtime: Runtime, token: str) -> bool:
    known = [each.get_secret_value() for each in runtime.settings.api.tokens]
    # All are compared, so that the time taken says nothing about which one was nearly right.
    return sum(hmac.compare_digest(token.encode(), each.encode()) for each in known) > 0


def _person(runtime: Runtime, subject: str | None) -> str:
    person = None if subject is None else people.find_subject(runtime, subject)
    if person is None:
        raise _refused("Nobody is logged in.")
    if not people.may(runtime, person.name, "annotator"):
        raise ForbiddenError(
            f"{person.name} may not work here.",
            suggestion="Ask an admin; roles are given on the people page.",
        )
    return person.name


def _refused(what: str) -> AccessError:
    return AccessError(
        what,
        suggestion="Send “Authorization: Bearer …” with a token of api.tokens, or log in on the "
        "pages of this server.",
    )
