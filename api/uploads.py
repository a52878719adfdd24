"""Taking in a file: from a form or as the raw body, onto disk, never more than is allowed."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from qe_core.audio import safe_file_name
from qe_core.errors import WerkbenchError

__all__ = ["UPLOAD_SCHEMA", "Upload", "UploadError", "received"]

# Up to here a file stays in memory; beyond, it is an unnamed file, which no crash leaves behind.
_SPOOL_BYTES = 4 * 1024 * 1024
# What a form adds around its file: boundaries, headers, a few short fields.
_FORM_BYTES = 64 * 1024

_BINARY = {"schema": {"type": "string", "format": "binary"}}
UPLOAD_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "audio/*": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}


class UploadError(WerkbenchError, ValueError):
    """A request whose body cannot be taken as one file."""

    default_code = "bad_upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """A received file, open at its beginning and gone when it is closed.

    Args:
        file: the bytes
        name: file name, safe to display
    """

    file: BinaryIO
    name: str


@asynccontextmanager
async def received(
    request: Request, *, max_bytes: int, name: str | None = None
) -> AsyncIterator[Upload]:
    """Receive the one file of a request.

    A declared length over the limit is refused before anything is read, an undeclared one as soon
    as it is exceeded.

    Args:
        request: ``multipart/form-data`` with one file, or the file as the body
        max_bytes: largest file that is taken
        name: file name, for a raw body or instead of the form's

    Yields:
        the file

    Raises:
        UploadError: too large, no file, more than one file, or not a valid form
    """
    is_form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    limit = max_bytes + _FORM_BYTES if is_form else max_bytes
    _check_declared(request, limit, max_bytes)
    body = _limited(request, limit, max_bytes)
    if is_form:
        async with _from_form(request, body) as (file, form_name):
            if (file.size or 0) > max_bytes:
                raise _too_large(max_bytes)
            yield Upload(file.file, safe_file_name(name or form_name))
        return
    with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spooled:
        file = UploadFile(cast("BinaryIO", spooled), size=0)
        async for chunk in body:
            await file.write(chunk)
        await file.seek(0)
        yield Upload(cast("BinaryIO", spooled), safe_file_name(name or "clip"))


def _check_declared(request: Request, limit: int, max_bytes: int) -> None:
    declared = request.headers.get("content-length")
    if declared is not None and (not declared.isdecimal() or int(declared) > limit):
        raise _too_large(max_bytes)


async def _limited(request: Request, limit: int, max_bytes: int) -> AsyncGenerator[bytes, None]:
    num_bytes = 0
    try:
        async for chunk in request.stream():
            num_bytes += len(chunk)
            if num_bytes > limit:
                raise _too_large(max_bytes)
            yield chunk
    except ClientDisconnect as exc:
        raise UploadError(
            "The upload broke off before its end.", suggestion="Send it again."
        ) from exc


@asynccontextmanager
async def _from_form(
    request: Request, body: AsyncGenerator[bytes, None]
) -> AsyncIterator[tuple[UploadFile, str]]:
    parser = MultiPartParser(request.headers, body, max_files=1, max_fields=10)
    parser.spool_max_size = _SPOOL_BYTES
    try:
        form: FormData = await parser.parse()
    except MultiPartException as exc:
        raise UploadError(
            f"The form cannot be read: {exc.message}",
            suggestion="Send multipart/form-data with one field named file.",
        ) from exc
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files:
            raise UploadError(
                "The form holds no file.",
                suggestion="Send multipart/form-data with one field named file.",
            )
        yield files[0], files[0].filename or "clip"
    finally:
        await form.close()


def _too_large(max_bytes: int) -> UploadError:
    return UploadError(
        f"The file is larger than {max_bytes // (1024 * 1024)} MB, the most that is taken.",
        suggestion="Cut it into parts, store it compressed, or raise audio.max_upload_mb.",
        code="too_large",
    )
