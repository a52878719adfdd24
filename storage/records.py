"""What the repositories return: frozen values, one per row."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from qe_core.serialise import estimate_from_json, transcript_from_json
from qe_core.types import Estimate, SpeechSpan, Transcript
from qe_core.wer import ErrorCounts

__all__ = [
    "Claim",
    "Clip",
    "Draft",
    "Event",
    "Hypothesis",
    "Job",
    "ModelVersion",
    "Preference",
    "Promotion",
    "Review",
    "StoredAssessment",
    "features_to_json",
    "speech_to_json",
]

_SPEECH: TypeAdapter[tuple[SpeechSpan, ...]] = TypeAdapter(tuple[SpeechSpan, ...])


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file.

    Args:
        id: SHA-256 of the file's bytes, 64 hexadecimal digits
        file_name: safe to display
        source: where it came from: ``upload``, ``microphone``, ``api``, ``folder``, ``sample``
        size_bytes: size of the file
        container: container by content
        codec: audio codec
        sample_rate_hz: sample rate in the file
        num_channels: channels in the file
        bandwidth_hz: highest frequency with speech-level energy, ``None`` when unknown
        duration_s: decoded length
        actor: who brought it
        created_at: when it was acknowledged, UTC
    """

    id: str
    file_name: str
    source: str
    size_bytes: int
    container: str
    codec: str
    sample_rate_hz: int
    num_channels: int
    bandwidth_hz: float | None
    duration_s: float
    actor: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Work for the background worker.

    Args:
        id: ULID
        kind: ``assess``, ``retrain``, …: which handler does it
        clip_id: the clip it is about, if any
        state: ``queued``, ``running``, ``done``, ``failed``
        stage: what it does at the moment, e.g. ``transcribing``
        progress: share done in [0, 1]
        attempts: how often it was taken
        payload_json: arguments of the handler; see :attr:`payload`
        error: why it failed, in plain words
        suggestion: what to do about that
        actor: who asked for it
        created_at: when it was queued
        started_at: when it was last taken
        heartbeat_at: when it last showed life
        finished_at: when it was done or failed
    """

    id: str
    kind: str
    clip_id: str | None
    state: str
    stage: str
    progress: float
    attempts: int
    payload_json: str
    error: str | None
    suggestion: str | None
    actor: str | None
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None

    @property
    def payload(self) -> Mapping[str, Any]:
        """Arguments of the handler."""
        return _mapping(self.payload_json)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What an engine wrote for a clip; see :attr:`transcript`."""

    id: str
    clip_id: str
    engine: str
    model: str
    version: str
    language: str
    text: str
    transcript_json: str
    speech_json: str
    created_at: datetime

    @property
    def transcript(self) -> Transcript:
        """The full transcript with segments and words."""
        return transcript_from_json(self.transcript_json)

    @property
    def speech(self) -> tuple[SpeechSpan, ...]:
        """Where somebody speaks."""
        return _SPEECH.validate_json(self.speech_json)


@dataclass(frozen=True, slots=True)
class StoredAssessment:
    """An estimate for a hypothesis as it was stored.

    Args:
        id: ULID
        clip_id: the clip
        hypothesis_id: the hypothesis it is about
        estimator: id of the estimator that made it
        engine: engine that wrote the hypothesis
        feature_schema: schema of the features
        features_json: see :attr:`features`
        estimate_json: see :attr:`estimate`
        timings_json: see :attr:`timings_s`
        predicted_wer: predicted WER, may exceed 1
        low: lower end of its interval
        high: upper end of its interval
        expected_errors: expected number of word errors
        must_review: a rule flags the clip whatever the predicted WER
        duration_s: length of the clip
        created_at: when it was made
    """

    id: str
    clip_id: str
    hypothesis_id: str
    estimator: str
    engine: str
    feature_schema: str
    features_json: str
    estimate_json: str
    timings_json: str
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    must_review: bool
    duration_s: float
    created_at: datetime

    @property
    def features(self) -> Mapping[str, float]:
        """Every feature by name; NaN where it is undefined."""
        return {
            name: math.nan if value is None else float(value)
            for name, value in _mapping(self.features_json).items()
        }

    @property
    def estimate(self) -> Estimate:
        """The full estimate with reasons and probabilities per word."""
        return estimate_from_json(self.estimate_json)

    @property
    def timings_s(self) -> Mapping[str, float]:
        """Seconds spent per stage."""
        return _mapping(self.timings_json)

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.predicted_wer >= threshold


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's verdict on a hypothesis.

    Args:
        id: ULID
        clip_id: the clip
        hypothesis_id: the hypothesis that was judged
        assessment_id: the assessment that was shown, if any
        reviewer: who judged
        verdict: ``accept``, ``correct`` or ``reject``
        text: the reference; empty on a reject
        reject_reason: why the clip is unusable
        normaliser: version of the normaliser behind the counts
        hits: words that were right; ``None`` on a reject, as the other counts
        substitutions: wrong words
        deletions: missing words
        insertions: words too many
        predicted_wer: what had been predicted
        lead_time_s: seconds from opening to saving
        listened_share: share of the clip that was played, in [0, 1]
        replays: how often a stretch was played again
        propensity: probability with which the queue drew the clip; ``None`` when it was opened
        policy: ``expected_errors``, ``uncertain``, ``audit`` or ``opened``
        created_at: when it was saved
    """

    id: str
    clip_id: str
    hypothesis_id: str
    assessment_id: str | None
    reviewer: str
    verdict: str
    text: str
    reject_reason: str | None
    normaliser: str
    hits: int | None
    substitutions: int | None
    deletions: int | None
    insertions: int | None
    predicted_wer: float | None
    lead_time_s: float
    listened_share: float
    replays: int
    propensity: float | None
    policy: str
    created_at: datetime

    @property
    def counts(self) -> ErrorCounts | None:
        """Word errors of the hypothesis; ``None`` on a reject."""
        if self.hits is None:
            return None
        return ErrorCounts(
            self.hits, self.substitutions or 0, self.deletions or 0, self.insertions or 0
        )

    @property
    def actual_wer(self) -> float | None:
        """WER of the hypothesis; ``None`` on a reject or for an empty reference."""
        return self.counts.wer if self.counts is not None else None


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth remembering; see :attr:`payload`."""

    id: str
    kind: str
    clip_id: str | None
    actor: str | None
    payload_json: str
    created_at: datetime

    @property
    def payload(self) -> Mapping[str, Any]:
        """What there is to know about it."""
        return _mapping(self.payload_json)


@dataclass(frozen=True, slots=True)
class Preference:
    """A setting that a person chose; see :attr:`value`."""

    id: str
    key: str
    value_json: str
    actor: str | None
    created_at: datetime

    @property
    def value(self) -> Any:
        """The chosen value."""
        return json.loads(self.value_json)


@dataclass(frozen=True, slots=True)
class Claim:
    """A reviewer's lease on a clip.

    Args:
        clip_id: the clip
        reviewer: who holds it
        token: secret of the holder's page; changes with every claim
        policy: which part of the queue's mix drew it
        propensity: probability of the draw
        claimed_at: when it was claimed
        expires_at: when it comes back unless renewed
    """

    clip_id: str
    reviewer: str
    token: str
    policy: str
    propensity: float | None
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsaved work on a clip.

    Args:
        clip_id: the clip
        reviewer: whose draft it is
        text: the text as typed so far
        position_s: where playback stood
        cursor: where the caret stood, in characters
        updated_at: when it was last saved
    """

    clip_id: str
    reviewer: str
    text: str
    position_s: float
    cursor: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained estimator.

    Args:
        id: ULID
        estimator: id of the estimator, as its manifest and its estimates name it
        kind: ``transcript`` or ``audio``
        engine: engine whose transcripts it judges
        folder: where it lies, relative to the models folder
        manifest_json: see :attr:`manifest`
        report_json: see :attr:`report`
        actor: who had it trained
        created_at: when it was stored
    """

    id: str
    estimator: str
    kind: str
    engine: str
    folder: str
    manifest_json: str
    report_json: str
    actor: str | None
    created_at: datetime

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Its manifest."""
        return _mapping(self.manifest_json)

    @property
    def report(self) -> Mapping[str, Any]:
        """How it did against the champion, and what the gate said."""
        return _mapping(self.report_json)


@dataclass(frozen=True, slots=True)
class Promotion:
    """From when on a version serves.

    Args:
        id: ULID
        kind: ``transcript`` or ``audio``
        engine: engine whose transcripts it judges
        version_id: the model version; ``None`` for the built-in one
        action: ``promote`` or ``rollback``
        actor: who decided
        created_at: when
    """

    id: str
    kind: str
    engine: str
    version_id: str | None
    action: str
    actor: str | None
    created_at: datetime


def features_to_json(features: Mapping[str, float]) -> str:
    """Write features as JSON; what is not finite becomes null.

    Examples:
        >>> features_to_json({"snr_db": 12.5, "f0_hz": float("nan")})
        '{"snr_db": 12.5, "f0_hz": null}'
    """
    return json.dumps(
        {name: float(value) if math.isfinite(value) else None for name, value in features.items()}
    )


def speech_to_json(speech: tuple[SpeechSpan, ...]) -> str:
    """Write speech spans as JSON."""
    return _SPEECH.dump_json(speech).decode()


def _mapping(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text)
    return loaded
