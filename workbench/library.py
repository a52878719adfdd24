"""Every clip: searched, filtered, sorted, opened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qe_core.audio import decode, waveform_peaks
from qe_core.types import Estimate, FloatArray, Transcript
from storage.records import Clip, Job, Review, StoredAssessment
from storage.repositories import assessments, clips, entries, hypotheses, jobs, reviews
from storage.repositories.search import SORTS, FoundClip, Query, Sort, find_clips
from workbench import people, preferences
from workbench.assess import ASSESS

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "SORTS",
    "ClipAssessment",
    "ClipDetails",
    "ClipPage",
    "ClipRow",
    "Sort",
    "details",
    "peaks",
    "search",
]


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip in a list; what does not exist yet is ``None``.

    Args:
        clip_id: the clip
        file_name: its name
        source: how it came
        created_at: when it came, UTC
        duration_s: its length
        engine: engine of the current hypothesis
        text: beginning of the current hypothesis
        predicted_wer: current estimate
        low: lower end of its interval
        high: upper end of its interval
        expected_errors: expected word errors
        flagged: whether review is recommended now
        reviewed: whether there is a review
        verdict: of the review that counts
        actual_wer: by the review that counts; ``None`` on a reject or an empty reference
        state: of the job that assesses it: ``queued``, ``running``, ``done``, ``failed``
        error: why that job failed
    """

    clip_id: str
    file_name: str
    source: str
    created_at: datetime
    duration_s: float
    engine: str | None
    text: str | None
    predicted_wer: float | None
    low: float | None
    high: float | None
    expected_errors: float | None
    flagged: bool | None
    reviewed: bool
    verdict: str | None
    actual_wer: float | None
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class ClipPage:
    """Some of the clips that were found.

    Args:
        rows: the clips of this page
        total: how many there are on all pages
    """

    rows: list[ClipRow]
    total: int


@dataclass(frozen=True, slots=True)
class ClipAssessment:
    """The current estimate of a clip.

    Args:
        id: the stored assessment
        estimate: expected errors, predicted WER, interval, reasons
        features: every feature by name, NaN where it is undefined
        flagged: whether review is recommended at the threshold that holds now
        must_review: a rule flags it whatever the threshold
        created_at: when it was made
    """

    id: str
    estimate: Estimate
    features: Mapping[str, float]
    flagged: bool
    must_review: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClipDetails:
    """Everything there is to know about a clip.

    Args:
        clip: the clip
        media_path: its audio file
        peaks: its waveform, shape ``(num_bins, 2)``
        transcript: the current hypothesis, once there is one
        assessment: the current estimate, once there is one
        job: the newest job that assesses it
        reviews: its reviews, oldest first; the last one counts
    """

    clip: Clip
    media_path: Path
    peaks: FloatArray
    transcript: Transcript | None
    assessment: ClipAssessment | None
    job: Job | None
    reviews: list[Review]


def search(  # noqa: PLR0913 - filters, all optional
    runtime: "Runtime",
    *,
    text: str = "",
    flagged: bool | None = None,
    reviewed: bool | None = None,
    source: str | None = None,
    sort: Sort = "newest",
    limit: int = 50,
    offset: int = 0,
    viewer: str | None = None,
) -> ClipPage:
    """Find clips.

    Args:
        runtime: the runtime
        text: occurs in the file name, the transcript or the correction, in any case
        flagged: only flagged clips, or only assessed ones that are not flagged
        reviewed: only reviewed clips, or only others
        source: only clips that came this way
        sort: ``newest``, ``oldest``, ``worst`` (predicted WER), ``longest`` or ``name``
        limit: rows at most
        offset: rows to pass over
        viewer: who looks; ``None`` is no person. Clips that they may still review blind are not
            found by the text of the first review

    Raises:
        NotFoundError: there is no such order
    """
    threshold = preferences.get(runtime).review.threshold
    query = Query(
        text=text,
        is_flagged=flagged,
        threshold=threshold,
        is_reviewed=reviewed,
        source=source,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    with runtime.database.session() as session:
        if not people.has(session, viewer, "lead"):
            query = replace(query, blind_for=viewer)
        found, total = find_clips(session, query)
    return ClipPage([_row(clip, threshold) for clip in found], total)


def details(runtime: "Runtime", clip_id: str, viewer: str | None = None) -> ClipDetails:
    """Everything about one clip.

    Args:
        runtime: the runtime
        clip_id: the clip
        viewer: who looks; ``None`` is no person. Reviews are left out as long as the viewer may
            review the clip blind

    Raises:
        NotFoundError: there is no such clip, or its file is missing
    """
    with runtime.database.session() as session:
        clip = clips.get(session, clip_id)
        assessment = assessments.find_latest(session, clip_id)
        hypothesis = hypotheses.find_latest(session, clip_id)
        job = jobs.find_latest(session, kind=ASSESS, clip_id=clip_id)
        judged = reviews.list_for_clip(session, clip_id)
        entry = entries.find(session, clip_id)
        if entry is not None and entry.stage == "second" and entry.first_reviewer != viewer:
            judged = judged if people.has(session, viewer, "lead") else []
    if assessment is not None and hypothesis is not None:
        threshold = preferences.get(runtime).review.threshold
        shown = _shown(assessment, threshold)
    else:
        shown = None
    return ClipDetails(
        clip=clip,
        media_path=runtime.media.path(clip_id),
        peaks=peaks(runtime, clip),
        transcript=None if hypothesis is None else hypothesis.transcript,
        assessment=shown,
        job=job,
        reviews=judged,
    )


def peaks(runtime: "Runtime", clip: Clip) -> FloatArray:
    """The waveform of a clip: cached, and made again where the cache was lost.

    Raises:
        NotFoundError: its file is missing
        AudioError: its file is damaged
    """
    cached = runtime.media.peaks(clip.id)
    if cached is not None:
        return cached
    audio = decode(runtime.media.path(clip.id), name=clip.file_name, limits=runtime.settings.audio)
    made = waveform_peaks(audio)
    runtime.media.keep_peaks(clip.id, made)
    return made


def _shown(assessment: StoredAssessment, threshold: float) -> ClipAssessment:
    return ClipAssessment(
        id=assessment.id,
        estimate=assessment.estimate,
        features=assessment.features,
        flagged=assessment.is_flagged(threshold),
        must_review=assessment.must_review,
        created_at=assessment.created_at,
    )


def _row(clip: FoundClip, threshold: float) -> ClipRow:
    flagged = None
    if clip.predicted_wer is not None:
        flagged = bool(clip.must_review) or clip.predicted_wer >= threshold
    return ClipRow(
        clip_id=clip.clip_id,
        file_name=clip.file_name,
        source=clip.source,
        created_at=clip.created_at,
        duration_s=clip.duration_s,
        engine=clip.engine,
        text=clip.text,
        predicted_wer=clip.predicted_wer,
        low=clip.low,
        high=clip.high,
        expected_errors=clip.expected_errors,
        flagged=flagged,
        reviewed=clip.verdict is not None,
        verdict=clip.verdict,
        actual_wer=None if clip.counts is None else clip.counts.wer,
        state=clip.state or jobs.DONE,
        error=clip.error,
    )
