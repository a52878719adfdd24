"""Every refusal as problem JSON (RFC 9457): what is wrong, and what to do about it."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from qe_core.errors import (
    AudioError,
    ConflictError,
    EngineError,
    ForbiddenError,
    NotFoundError,
    StorageError,
    WerkbenchError,
)

__all__ = ["Problem", "add_problem_handlers", "problem_response", "status_of"]

_LOG = logging.getLogger(__name__)

_MEDIA_TYPE = "application/problem+json"
_STATUS_BY_CODE = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "bad_upload": HTTPStatus.BAD_REQUEST,
    "foreign_host": HTTPStatus.MISDIRECTED_REQUEST,
    "foreign_origin": HTTPStatus.FORBIDDEN,
    "unauthorised": HTTPStatus.UNAUTHORIZED,
    "not_audio": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "no_audio_stream": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
_HEADERS_BY_CODE = {
    # Whatever the client still sends would have to be read to the end otherwise.
    "too_large": {"Connection": "close"},
    "unauthorised": {"WWW-Authenticate": "Bearer"},
}
_STATUS_BY_CLASS: tuple[tuple[type[WerkbenchError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (AudioError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (EngineError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_READ_THE_DOCS = "Compare the request with /api/docs."


class Problem(BaseModel):
    """Why a request was refused."""

    type: str = Field("about:blank", description="a URN that is stable per code")
    title: str = Field(description="the kind of problem")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="what is wrong with this request")
    suggestion: str = Field(description="what to do about it")
    code: str = Field(description="stable machine-readable name")


def status_of(error: WerkbenchError) -> HTTPStatus:
    """HTTP status for an error of ours."""
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    for kind, status in _STATUS_BY_CLASS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_response(
    status: HTTPStatus | int,
    *,
    detail: str,
    suggestion: str,
    code: str,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A response of ``application/problem+json``."""
    problem = Problem(
        type=f"urn:werkbench:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=int(status),
        detail=detail,
        suggestion=suggestion,
        code=code,
    )
    return JSONResponse(problem.model_dump(), int(status), headers, media_type=_MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with problem JSON, unexpected ones without their traceback."""
    app.add_exception_handler(WerkbenchError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, WerkbenchError):
        raise error
    return problem_response(
        status_of(error),
        detail=error.message,
        suggestion=error.suggestion,
        code=error.code,
        headers=_HEADERS_BY_CODE.get(error.code),
    )


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=f"{where}: {first['msg']}.",
        suggestion=_READ_THE_DOCS,
        code="invalid_request",
    )


async def _http(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem_response(
        error.status_code,
        detail=f"{error.detail}.",
        suggestion=_READ_THE_DOCS,
        code=HTTPStatus(error.status_code).name.lower(),
        headers=dict(error.headers or {}),
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        detail="Something went wrong on this side; the log says what.",
        suggestion="Try again; if it stays, send the log to whoever runs this installation.",
        code="internal",
    )
