"""The sound of clips for whoever shows or plays them: bytes, close-up peaks, pictures, words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from api.problems import Problem
from api.schemas import Excerpt, SpokenWord
from api.state import runtime_of
from storage.repositories import clips as stored
from workbench import second_opinion, sound

__all__ = ["media_router"]

media_router = APIRouter(tags=["sound"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}
_MAX_BINS = 20_000
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        # Bytes from strangers: whatever they are, the browser may only play them.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        # The id is the hash of the content, which therefore never changes.
        "Cache-Control": "private, max-age=31536000, immutable",
    }
)
_Seconds = Annotated[float, Query(ge=0.0, le=1e7, allow_inf_nan=False)]


class Span(BaseModel):
    """What to write again, and with what."""

    start: Annotated[float, Field(ge=0.0, le=1e7, description="seconds")]
    end: Annotated[float, Field(gt=0.0, le=1e7, description="seconds, at most 60 later")]
    engine: str = Field(description="whisper or pocketsphinx")
    prompt: Annotated[str, Field(max_length=200, description="words that may occur")] = ""


@media_router.get(
    "/clips/{clip_id}/audio",
    response_class=FileResponse,
    responses={206: {"description": "the requested range"}, **_PROBLEMS},
)
def listen(request: Request, clip_id: str) -> FileResponse:
    """The file as it was handed in, or as FLAC where browsers cannot play it; in ranges."""
    runtime = runtime_of(request)
    path, media_type = sound.playable(runtime, clip_id)
    with runtime.database.session() as session:
        clip = stored.get(session, clip_id)
    return FileResponse(
        path,
        media_type=media_type,
        headers=dict(_HEADERS),
        filename=clip.file_name,
        content_disposition_type="inline",
    )


@media_router.get("/clips/{clip_id}/peaks", response_class=Response, responses=_PROBLEMS)
def close_up(
    request: Request,
    clip_id: str,
    start: _Seconds = 0.0,
    end: _Seconds = 1e7,
    bins: Annotated[int, Query(ge=1, le=_MAX_BINS)] = 4000,
) -> Response:
    """The waveform of a stretch: lowest and highest sample per bin as signed bytes."""
    peaks = sound.fine_peaks(runtime_of(request), clip_id, start, max(start, end), bins)
    return Response(peaks.tobytes(), media_type="application/octet-stream", headers=dict(_HEADERS))


@media_router.get("/clips/{clip_id}/spectrogram", response_class=Response, responses=_PROBLEMS)
def spectrogram(
    request: Request, clip_id: str, tile: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> Response:
    """A PNG of fifteen seconds: a column is 10 ms, rows go from 8 kHz down to 0."""
    picture = sound.spectrogram_tile(runtime_of(request), clip_id, tile)
    return Response(picture, media_type="image/png", headers=dict(_HEADERS))


@media_router.post("/clips/{clip_id}/transcribe", responses=_PROBLEMS)
def write_again(request: Request, clip_id: str, span: Span) -> Excerpt:
    """Let a recogniser write a stretch of a clip; the answer is stored nowhere."""
    made = second_opinion.write_again(
        runtime_of(request),
        clip_id,
        span.start,
        span.end,
        engine=span.engine,
        prompt=span.prompt,
    )
    return Excerpt(
        engine=made.engine,
        model=made.model,
        text=made.text,
        words=[
            SpokenWord(word=word.word, start=word.start_s, end=word.end_s) for word in made.words
        ],
    )
