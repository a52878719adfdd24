"""Clips, and what is done with them and found out about them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from qe_core.serialise import estimate_from_json, transcript_from_json
from qe_core.types import Estimate, SpeechSpan, Transcript
from storage.records.mapping import mapping

__all__ = [
    "Clip",
    "Hypothesis",
    "Job",
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
        recording: the longer thing that it comes from; ``None`` when it is one of its own
        speaker: who speaks, where that is known
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
    recording: str | None = None
    speaker: str | None = None


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
        return mapping(self.payload_json)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What an engine wrote for a clip; see :attr:`transcript`.

    A second opinion only tells where the clip's own hypothesis may be wrong.
    """

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
    is_second: bool = False

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
            for name, value in mapping(self.features_json).items()
        }

    @property
    def estimate(self) -> Estimate:
        """The full estimate with reasons and probabilities per word."""
        return estimate_from_json(self.estimate_json)

    @property
    def timings_s(self) -> Mapping[str, float]:
        """Seconds spent per stage."""
        return mapping(self.timings_json)

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.predicted_wer >= threshold


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
