"""Transcripts and assessments as JSON, for the database, the API and the corpus."""

from pydantic import TypeAdapter

from qe_core.types import Assessment, Estimate, Transcript

__all__ = [
    "assessment_to_json",
    "estimate_from_json",
    "estimate_to_json",
    "transcript_from_json",
    "transcript_to_json",
]

_TRANSCRIPT: TypeAdapter[Transcript] = TypeAdapter(Transcript)
_ESTIMATE: TypeAdapter[Estimate] = TypeAdapter(Estimate)
_ASSESSMENT: TypeAdapter[Assessment] = TypeAdapter(Assessment)


def transcript_to_json(transcript: Transcript) -> str:
    """Write a transcript as one line of JSON."""
    return _TRANSCRIPT.dump_json(transcript).decode()


def transcript_from_json(text: str | bytes) -> Transcript:
    """Read what :func:`transcript_to_json` wrote; raises ``ValueError`` for anything else."""
    return _TRANSCRIPT.validate_json(text)


def estimate_to_json(estimate: Estimate) -> str:
    """Write an estimate as one line of JSON."""
    return _ESTIMATE.dump_json(estimate).decode()


def estimate_from_json(text: str | bytes) -> Estimate:
    """Read what :func:`estimate_to_json` wrote; raises ``ValueError`` for anything else."""
    return _ESTIMATE.validate_json(text)


def assessment_to_json(assessment: Assessment) -> str:
    """Write an assessment as one line of JSON; NaN features become null."""
    return _ASSESSMENT.dump_json(assessment).decode()
