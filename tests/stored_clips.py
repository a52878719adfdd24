"""Clips stored without a recogniser having run: for the review desk and the charts."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import (
    Estimate,
    Reason,
    Segment,
    SourceFormat,
    SpeechSpan,
    Transcript,
    Verdict,
    Word,
)
from qe_core.wer import count_errors
from storage.columns import utc_now
from storage.database import Session
from storage.records import Review, StoredAssessment
from storage.repositories import assessments, clips, hypotheses, reviews
from workbench.runtime import Runtime

SCHEMA = "test@1:2"


def clip_id_of(name: str) -> str:
    """The id under which :func:`store_clip` stores a clip of this name."""
    return hashlib.sha256(name.encode()).hexdigest()


def transcript(
    text: str,
    *,
    model: str = "en-us",
    version: str = "1",
    confidence: float = 0.8,
    language: str = "en",
) -> Transcript:
    """One segment, half a second per word."""
    words = tuple(
        Word(word, index * 0.5, index * 0.5 + 0.4, confidence)
        for index, word in enumerate(text.split())
    )
    segments = (Segment(0.0, max(0.5, len(words) * 0.5), text, words),) if words else ()
    return Transcript(segments, language, "pocketsphinx", model, version)


def estimate(
    expected_errors: float, expected_words: float, *, width: float = 0.2, estimator: str = "builtin"
) -> Estimate:
    """An estimate whose interval is centred."""
    wer = expected_errors / expected_words
    return Estimate(
        expected_errors=expected_errors,
        expected_words=expected_words,
        predicted_wer=wer,
        low=max(0.0, wer - width / 2),
        high=wer + width / 2,
        interval_level=0.9,
        estimator=estimator,
    )


def assess(  # noqa: PLR0913 - defaults for all but what is assessed
    session: Session,
    clip_id: str,
    text: str,
    predicted: Estimate,
    *,
    duration_s: float = 10.0,
    features: Mapping[str, float] | None = None,
    feature_schema: str = SCHEMA,
    must_review: bool = False,
    **of_transcript: Any,
) -> StoredAssessment:
    """Store a hypothesis and an estimate for a clip."""
    hypothesis = hypotheses.add(
        session, clip_id, transcript(text, **of_transcript), (SpeechSpan(0.0, duration_s),)
    )
    return assessments.add(
        session,
        hypothesis,
        estimate=predicted,
        features=features or {"snr_db": 20.0},
        feature_schema=feature_schema,
        must_review=must_review,
        duration_s=duration_s,
        timings_s={"transcribing": 1.0},
    )


def add_clip(  # noqa: PLR0913 - defaults for all but the name
    session: Session,
    name: str,
    *,
    text: str = "one two three four",
    expected_errors: float = 1.0,
    width: float = 0.2,
    duration_s: float = 10.0,
    days_ago: float = 0.0,
    source: str = "upload",
    speaker: str | None = None,
    reasons: tuple[str, ...] = (),
    **of_assessment: Any,
) -> str:
    """Add an assessed clip in a running transaction and return its id."""
    clip_id = clip_id_of(name)
    clips.add(
        session,
        clip_id,
        file_name=f"{name}.wav",
        source=source,
        speaker=speaker,
        size_bytes=320_000,
        duration_s=duration_s,
        source_format=SourceFormat("wav", "pcm_s16le", 16_000, 1),
    )
    if days_ago:
        session.connection().execute(
            sa.text("UPDATE clips SET created_at = :at WHERE id = :id"),
            {"at": (utc_now() - timedelta(days=days_ago)).replace(tzinfo=None), "id": clip_id},
        )
    predicted = replace(
        estimate(expected_errors, max(1, len(text.split())), width=width),
        reasons=tuple(Reason(reason, reason) for reason in reasons),
    )
    assess(session, clip_id, text, predicted, duration_s=duration_s, **of_assessment)
    return clip_id


def store_clip(runtime: Runtime, name: str, **of_clip: Any) -> str:
    """Store an assessed clip and return its id; see :func:`add_clip`."""
    return runtime.database.write(lambda session: add_clip(session, name, **of_clip))


def expire_claims(runtime: Runtime) -> None:
    """As if all reviewers had gone home."""
    runtime.database.write(
        lambda session: session.connection().execute(
            sa.text("UPDATE claims SET expires_at = expires_at - INTERVAL 1 DAY")
        )
    )


def add_review(
    session: Session,
    clip_id: str,
    reference: str,
    *,
    verdict: Verdict = "correct",
    policy: str = "expected_errors",
    propensity: float | None = 0.7,
) -> Review:
    """Add a review of a clip's current hypothesis, as the desk would."""
    assessment = assessments.find_latest(session, clip_id)
    assert assessment is not None
    hypothesis = hypotheses.get(session, assessment.hypothesis_id)
    return reviews.add(
        session,
        clip_id=clip_id,
        hypothesis_id=hypothesis.id,
        assessment_id=assessment.id,
        reviewer="ann",
        verdict=verdict,
        text=reference,
        normaliser=DEFAULT_NORMALISER,
        counts=None if verdict == "reject" else count_errors(reference, hypothesis.text),
        predicted_wer=assessment.predicted_wer,
        lead_time_s=30.0,
        listened_share=1.0,
        policy=policy,
        propensity=propensity,
        reject_reason="no_speech" if verdict == "reject" else None,
    )


def store_review(runtime: Runtime, clip_id: str, reference: str, **of_review: Any) -> Review:
    """Store a review of a clip's current hypothesis; see :func:`add_review`."""
    return runtime.database.write(
        lambda session: add_review(session, clip_id, reference, **of_review)
    )
