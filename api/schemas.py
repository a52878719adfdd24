"""What the API answers, as OpenAPI shows it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

__all__ = [
    "ClipDocument",
    "ClipList",
    "ClipSummary",
    "EstimateDocument",
    "Excerpt",
    "Prediction",
    "ReviewDocument",
    "SegmentDocument",
    "SpokenWord",
    "SubmissionDocument",
    "TranscriptDocument",
    "WordDocument",
]

State = Annotated[str, Field(description="queued, running, done or failed")]


class Prediction(BaseModel):
    """What can be said about a file without transcribing it."""

    predicted_wer: float = Field(description="predicted WER, may exceed 1")
    low: float = Field(description="lower end of its prediction interval")
    high: float = Field(description="upper end of its prediction interval")
    interval_level: float = Field(description="nominal coverage of the interval")
    flagged: bool = Field(description="predicted_wer reaches review.threshold")
    reasons: list[str] = Field(description="what drives the prediction, strongest first")
    duration: float = Field(description="seconds of audio")
    estimator: str = Field(description="which estimator made it")
    timings: dict[str, float] = Field(description="seconds spent per stage")


class SubmissionDocument(BaseModel):
    """What became of a file that was handed in."""

    id: str = Field(description="SHA-256 of the file's bytes")
    file_name: str
    is_duplicate: bool = Field(description="the same bytes had been handed in before")


class WordDocument(BaseModel):
    """A timed word."""

    word: str
    start_s: float
    end_s: float
    confidence: float | None = Field(description="the engine's own")
    error_probability: float | None = Field(description="our estimate")


class SegmentDocument(BaseModel):
    """A stretch of the transcript with the decoder's scores."""

    start_s: float
    end_s: float
    text: str
    expected_errors: float | None
    avg_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None
    temperature: float | None


class TranscriptDocument(BaseModel):
    """What an engine wrote."""

    text: str
    engine: str
    model: str
    version: str
    language: str
    segments: list[SegmentDocument]
    words: list[WordDocument]


class EstimateDocument(BaseModel):
    """Our prediction for a transcript."""

    predicted_wer: float
    low: float
    high: float
    interval_level: float
    expected_errors: float
    expected_words: float
    estimator: str


class ReviewDocument(BaseModel):
    """The latest verdict of a person."""

    verdict: str
    text: str = Field(description="the reference; empty on a reject")
    reject_reason: str | None
    reviewer: str
    actual_wer: float | None = Field(description="null on a reject or for an empty reference")
    created_at: datetime


class ClipDocument(BaseModel):
    """Everything about one clip."""

    id: str
    file_name: str
    source: str
    created_at: datetime
    duration: float
    state: State
    stage: str | None
    progress: float
    error: str | None
    suggestion: str | None
    transcript: TranscriptDocument | None
    estimate: EstimateDocument | None
    flagged: bool | None
    reasons: list[str]
    review: ReviewDocument | None
    audio: str = Field(description="where its sound is")


class ClipSummary(BaseModel):
    """One row of the library."""

    id: str
    file_name: str
    source: str
    created_at: datetime
    duration: float
    state: State
    predicted_wer: float | None
    flagged: bool | None
    reviewed: bool


class ClipList(BaseModel):
    """A page of the library."""

    clips: list[ClipSummary]
    total: int
    limit: int
    offset: int


class SpokenWord(BaseModel):
    """A word and when it is said within the clip."""

    word: str
    start: float = Field(description="seconds")
    end: float = Field(description="seconds")


class Excerpt(BaseModel):
    """What a recogniser wrote for a stretch of a clip."""

    engine: str
    model: str
    text: str
    words: list[SpokenWord]
