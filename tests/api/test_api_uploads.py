"""Taking in a file: from a form or as the body, never more than is allowed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from api.uploads import UploadError, received

Message = dict[str, Any]


def receive_one(
    chunks: list[bytes], headers: dict[str, str], *, max_bytes: int = 100
) -> tuple[bytes, str, int]:
    """Content and name of a received file, and how many chunks were asked for."""
    left = iter(chunks)
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        chunk = next(left, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": asked < len(chunks)}

    async def run() -> tuple[bytes, str]:
        scope = {
            "type": "http",
            "method": "POST",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }
        async with received(Request(scope, receive), max_bytes=max_bytes) as upload:
            return upload.file.read(), upload.name

    try:
        content, name = asyncio.run(run())
    except UploadError as error:
        raise RefusedError(error, asked) from error
    return content, name, asked


class RefusedError(Exception):
    def __init__(self, error: UploadError, asked: int) -> None:
        super().__init__(error.code)
        self.error = error
        self.asked = asked


def form(*parts: tuple[str, str | None, bytes]) -> Iterator[bytes]:
    for name, file_name, content in parts:
        file = f'; filename="{file_name}"' if file_name is not None else ""
        yield f'--B\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        yield content + b"\r\n"
    yield b"--B--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=B"}


def test_raw_body_is_the_file() -> None:
    assert receive_one([b"abc", b"def"], {})[:2] == (b"abcdef", "clip")


def test_form_names_its_file() -> None:
    content, name, _ = receive_one(list(form(("file", "../a.wav", b"abc"))), FORM)
    assert (content, name) == (b"abc", "a.wav")


def test_other_fields_of_a_form_are_passed_over() -> None:
    parts = form(("comment", None, b"hello"), ("file", "a.wav", b"abc"))
    assert receive_one(list(parts), FORM)[0] == b"abc"


@pytest.mark.parametrize("length", ["101", "99999999999999999999", "-1", "ten"])
def test_declared_length_over_the_limit_is_refused_before_anything_is_read(length: str) -> None:
    with pytest.raises(RefusedError) as caught:
        receive_one([b"x" * 101], {"content-length": length})
    assert caught.value.error.code == "too_large"
    assert caught.value.asked == 0


def test_undeclared_length_is_refused_as_soon_as_it_is_exceeded() -> None:
    with pytest.raises(RefusedError) as caught:
        receive_one([b"x" * 60] * 1000, {})
    assert caught.value.error.code == "too_large"
    assert caught.value.asked == 2


def test_large_file_inside_a_form_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        receive_one(list(form(("file", "a.wav", b"x" * 101))), FORM)
    assert caught.value.error.code == "too_large"


def test_file_larger_than_the_memory_buffer_arrives_whole() -> None:
    chunk = bytes(range(256)) * 4096
    content, _, _ = receive_one([chunk] * 6, {}, max_bytes=10_000_000)
    assert content == chunk * 6


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "no file"),
        ([("file", None, b"abc")], "no file"),
        ([("file", "a.wav", b"a"), ("file", "b.wav", b"b")], "Too many files"),
    ],
)
def test_form_has_to_hold_exactly_one_file(
    parts: list[tuple[str, str | None, bytes]], words: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        receive_one(list(form(*parts)), FORM)
    assert caught.value.error.code == "bad_upload"
    assert words in caught.value.error.message


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=X"])
def test_form_that_cannot_be_read_is_refused(content_type: str) -> None:
    with pytest.raises(RefusedError) as caught:
        receive_one(list(form(("file", "a.wav", b"abc"))), {"content-type": content_type})
    assert caught.value.error.code == "bad_upload"


def test_upload_that_breaks_off_is_refused() -> None:
    class _Endless(list[bytes]):
        def __len__(self) -> int:
            return 100

    with pytest.raises(RefusedError) as caught:
        receive_one(_Endless([b"abc"]), {})
    assert "broke off" in caught.value.error.message
