"""Hypotheses: what engines wrote; immutable."""

from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from qe_core.serialise import transcript_to_json
from qe_core.types import SpeechSpan, Transcript
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Hypothesis, speech_to_json
from storage.repositories.mapping import to_record
from storage.tables import Hypotheses

__all__ = ["add", "find_latest", "get"]


def add(
    session: Session,
    clip_id: str,
    transcript: Transcript,
    speech: tuple[SpeechSpan, ...],
    *,
    is_second: bool = False,
) -> Hypothesis:
    """Store what an engine wrote for a clip, as its hypothesis or as a second opinion."""
    row = Hypotheses(
        id=new_id(),
        clip_id=clip_id,
        engine=transcript.engine,
        model=transcript.model,
        version=transcript.version,
        language=transcript.language,
        text=transcript.text,
        transcript_json=transcript_to_json(transcript),
        speech_json=speech_to_json(speech),
        created_at=utc_now(),
        is_second=is_second,
    )
    session.add(row)
    session.flush()
    return to_record(Hypothesis, row)


def get(session: Session, hypothesis_id: str) -> Hypothesis:
    """The hypothesis with this id.

    Raises:
        NotFoundError: there is none
    """
    row = session.get(Hypotheses, hypothesis_id)
    if row is None:
        raise NotFoundError(
            f"There is no hypothesis {hypothesis_id!r}.", suggestion="Transcribe the clip again."
        )
    return to_record(Hypothesis, row)


def find_latest(
    session: Session,
    clip_id: str,
    *,
    engine: str | None = None,
    model: str | None = None,
    version: str | None = None,
    is_second: bool = False,
) -> Hypothesis | None:
    """The newest hypothesis of a clip, of one engine, model and version where they are given.

    Args:
        session: a database session
        clip_id: the clip
        engine: of this engine
        model: of this model
        version: of this version
        is_second: the newest second opinion instead
    """
    query = select(Hypotheses).where(
        Hypotheses.clip_id == clip_id, col(Hypotheses.is_second).is_(is_second)
    )
    for column, value in (
        (Hypotheses.engine, engine),
        (Hypotheses.model, model),
        (Hypotheses.version, version),
    ):
        if value is not None:
            query = query.where(col(column) == value)
    row = session.exec(query.order_by(col(Hypotheses.id).desc()).limit(1)).first()
    return None if row is None else to_record(Hypothesis, row)
