"""Clips: one per content hash."""

from collections.abc import Collection

from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from qe_core.types import SourceFormat
from storage.columns import utc_now
from storage.records import Clip
from storage.repositories.mapping import to_record
from storage.tables import Clips

__all__ = ["add", "file_names", "find", "get", "ids"]


def add(  # noqa: PLR0913 - one argument per part of a clip
    session: Session,
    clip_id: str,
    *,
    file_name: str,
    source: str,
    size_bytes: int,
    duration_s: float,
    source_format: SourceFormat,
    actor: str | None = None,
    recording: str | None = None,
    speaker: str | None = None,
) -> Clip:
    """Store a clip whose file is already in its place."""
    row = Clips(
        id=clip_id,
        file_name=file_name,
        source=source,
        size_bytes=size_bytes,
        container=source_format.container,
        codec=source_format.codec,
        sample_rate_hz=source_format.sample_rate_hz,
        num_channels=source_format.num_channels,
        bandwidth_hz=source_format.bandwidth_hz,
        duration_s=duration_s,
        actor=actor,
        created_at=utc_now(),
        recording=recording,
        speaker=speaker,
    )
    session.add(row)
    session.flush()
    return to_record(Clip, row)


def find(session: Session, clip_id: str) -> Clip | None:
    """The clip with this hash, if there is one."""
    row = session.get(Clips, clip_id)
    return None if row is None else to_record(Clip, row)


def get(session: Session, clip_id: str) -> Clip:
    """The clip with this hash.

    Raises:
        NotFoundError: there is none
    """
    clip = find(session, clip_id)
    if clip is None:
        raise NotFoundError(
            f"There is no clip {clip_id[:12]!r}.",
            suggestion="Open it from the library; it may belong to another data folder.",
        )
    return clip


def ids(session: Session) -> set[str]:
    """The hashes of all clips."""
    return set(session.exec(select(Clips.id)))


def file_names(session: Session, clip_ids: Collection[str]) -> dict[str, str]:
    """The file names of these clips, by id."""
    if not clip_ids:  # DuckDB cannot compare with an empty list
        return {}
    query = select(Clips.id, Clips.file_name).where(col(Clips.id).in_(clip_ids))
    return dict(session.exec(query).all())
