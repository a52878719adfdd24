"""Clips: hand one in, see what became of it, hear it."""

from http import HTTPStatus
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from api.access import viewer_of
from api.problems import Problem
from api.schemas import (
    ClipDocument,
    ClipList,
    ClipSummary,
    EstimateDocument,
    ReviewDocument,
    SubmissionDocument,
    TranscriptDocument,
)
from api.state import runtime_of
from api.uploads import UPLOAD_SCHEMA, received
from qe_core.types import Estimate, Transcript
from storage.records import Review
from workbench import intake, library
from workbench.exchange import segment_records, word_records

__all__ = ["router"]

router = APIRouter(tags=["clips"])

_MB = 1024 * 1024
_PROBLEMS: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}
_UPLOAD_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 413, 415, 422)
}


@router.post(
    "/clips",
    status_code=HTTPStatus.ACCEPTED,
    responses={200: {"model": SubmissionDocument}, **_UPLOAD_PROBLEMS},
    openapi_extra=UPLOAD_SCHEMA,
)
async def hand_in(
    request: Request,
    response: Response,
    file_name: Annotated[str | None, Query(max_length=1000)] = None,
    speaker: Annotated[str | None, Query(max_length=200)] = None,
    recording: Annotated[
        str | None,
        Query(max_length=200, description="what several clips come from: a call, a file cut up"),
    ] = None,
) -> SubmissionDocument:
    """Hand in a file: it is checked and kept at once, and assessed in the background.

    202 for a new clip, 200 when the same bytes had been handed in before.
    """
    runtime = runtime_of(request)
    max_bytes = runtime.settings.audio.max_upload_mb * _MB
    async with received(request, max_bytes=max_bytes, name=file_name) as upload:
        submission = await anyio.to_thread.run_sync(
            lambda: intake.submit(
                runtime,
                upload.file,
                file_name=upload.name,
                source="api",
                speaker=speaker,
                recording=recording,
            )
        )
    if submission.is_duplicate:
        response.status_code = HTTPStatus.OK
    response.headers["Location"] = _path_of(request, "show", submission.clip_id)
    return SubmissionDocument(
        id=submission.clip_id,
        file_name=submission.file_name,
        is_duplicate=submission.is_duplicate,
    )


@router.get("/clips", responses={422: {"model": Problem}})
def browse(
    request: Request,
    text: Annotated[str, Query(max_length=200, description="in the name or the text")] = "",
    flagged: bool | None = None,
    reviewed: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> ClipList:
    """Clips, newest first."""
    page = library.search(
        runtime_of(request),
        text=text,
        flagged=flagged,
        reviewed=reviewed,
        limit=limit,
        offset=offset,
        viewer=viewer_of(request),
    )
    return ClipList(
        clips=[_summary(row) for row in page.rows], total=page.total, limit=limit, offset=offset
    )


@router.get("/clips/{clip_id}", responses=_PROBLEMS)
def show(request: Request, clip_id: str) -> ClipDocument:
    """Everything about a clip: how far its assessment is, transcript, estimate, review."""
    details = library.details(runtime_of(request), clip_id, viewer=viewer_of(request))
    clip, job, assessment = details.clip, details.job, details.assessment
    estimate = assessment.estimate if assessment is not None else None
    return ClipDocument(
        id=clip.id,
        file_name=clip.file_name,
        source=clip.source,
        created_at=clip.created_at,
        duration=clip.duration_s,
        state=job.state if job is not None else "done",
        stage=(job.stage or None) if job is not None else None,
        progress=job.progress if job is not None else 1.0,
        error=job.error if job is not None else None,
        suggestion=job.suggestion if job is not None else None,
        transcript=_transcript(details.transcript, estimate),
        estimate=_estimate(estimate),
        flagged=assessment.flagged if assessment is not None else None,
        reasons=[reason.text for reason in estimate.reasons] if estimate is not None else [],
        review=_review(details.reviews[-1]) if details.reviews else None,
        audio=_path_of(request, "listen", clip.id),
    )


def _path_of(request: Request, route: str, clip_id: str) -> str:
    return request.url_for(route, clip_id=clip_id).path


def _transcript(
    transcript: Transcript | None, estimate: Estimate | None
) -> TranscriptDocument | None:
    if transcript is None:
        return None
    return TranscriptDocument.model_validate(
        {
            "text": transcript.text,
            "engine": transcript.engine,
            "model": transcript.model,
            "version": transcript.version,
            "language": transcript.language,
            "segments": segment_records(transcript, estimate),
            "words": word_records(transcript, estimate),
        }
    )


def _estimate(estimate: Estimate | None) -> EstimateDocument | None:
    if estimate is None:
        return None
    return EstimateDocument(
        predicted_wer=estimate.predicted_wer,
        low=estimate.low,
        high=estimate.high,
        interval_level=estimate.interval_level,
        expected_errors=estimate.expected_errors,
        expected_words=estimate.expected_words,
        estimator=estimate.estimator,
    )


def _review(review: Review) -> ReviewDocument:
    return ReviewDocument(
        verdict=review.verdict,
        text=review.text,
        reject_reason=review.reject_reason,
        reviewer=review.reviewer,
        actual_wer=review.actual_wer,
        created_at=review.created_at,
    )


def _summary(row: library.ClipRow) -> ClipSummary:
    return ClipSummary(
        id=row.clip_id,
        file_name=row.file_name,
        source=row.source,
        created_at=row.created_at,
        duration=row.duration_s,
        state=row.state,
        predicted_wer=row.predicted_wer,
        flagged=row.flagged,
        reviewed=row.reviewed,
    )
