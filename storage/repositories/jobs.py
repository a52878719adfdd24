"""Jobs: what the background worker has to do, does and did."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import Job
from storage.repositories.mapping import to_record, to_records
from storage.tables import Jobs

__all__ = [
    "DONE",
    "FAILED",
    "QUEUED",
    "RUNNING",
    "add",
    "count_by_state",
    "fail",
    "find_latest",
    "finish",
    "get",
    "has_active",
    "latest_per_clip",
    "list_recent",
    "list_running",
    "requeue",
    "take_next",
    "update",
]

QUEUED = "queued"
RUNNING = "running"
DONE = "done"
FAILED = "failed"


def add(
    session: Session,
    kind: str,
    *,
    clip_id: str | None = None,
    payload: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> Job:
    """Queue a job."""
    row = Jobs(
        id=new_id(),
        kind=kind,
        clip_id=clip_id,
        payload_json=json.dumps(dict(payload or {})),
        actor=actor,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    return to_record(Job, row)


def get(session: Session, job_id: str) -> Job:
    """The job with this id.

    Raises:
        NotFoundError: there is none
    """
    row = session.get(Jobs, job_id)
    if row is None:
        raise NotFoundError(
            f"There is no job {job_id!r}.", suggestion="Look at the list of jobs on the page."
        )
    return to_record(Job, row)


def take_next(session: Session, kinds: Collection[str]) -> Job | None:
    """Take the oldest queued job of these kinds; nobody else gets it."""
    job_id = session.exec(
        select(Jobs.id)
        .where(Jobs.state == QUEUED, col(Jobs.kind).in_(kinds))
        .order_by(col(Jobs.id))
        .limit(1)
    ).first()
    if job_id is None:
        return None
    now = utc_now()
    row = session.exec(
        sa.update(Jobs)
        .where(col(Jobs.id) == job_id, col(Jobs.state) == QUEUED)
        .values(
            state=RUNNING,
            stage="",
            progress=0.0,
            attempts=Jobs.attempts + 1,
            started_at=now,
            heartbeat_at=now,
        )
        .returning(Jobs)
    ).scalar_one_or_none()
    return None if row is None else to_record(Job, row)


def update(session: Session, job: Job, *, stage: str, progress: float) -> None:
    """Note how far a running job is; it counts as a heartbeat."""
    _set(session, job, stage=stage, progress=progress, heartbeat_at=utc_now())


def finish(session: Session, job: Job) -> None:
    """A job is done."""
    _set(session, job, state=DONE, stage="", progress=1.0, finished_at=utc_now())


def fail(session: Session, job: Job, *, error: str, suggestion: str) -> None:
    """A job cannot be done, and why."""
    _set(session, job, state=FAILED, error=error, suggestion=suggestion, finished_at=utc_now())


def requeue(session: Session, job: Job, *, is_attempt: bool = True) -> None:
    """A job that was interrupted waits again.

    Args:
        session: the session
        job: as it was taken
        is_attempt: whether the interrupted attempt counts
    """
    attempts = job.attempts if is_attempt else job.attempts - 1
    _set(session, job, state=QUEUED, stage="", progress=0.0, attempts=attempts)


def list_running(session: Session, *, silent_since: datetime | None = None) -> list[Job]:
    """Jobs that are marked as running.

    Args:
        session: the session
        silent_since: only those whose last heartbeat is older
    """
    query = select(Jobs).where(Jobs.state == RUNNING)
    if silent_since is not None:
        query = query.where(col(Jobs.heartbeat_at) < silent_since)
    return to_records(Job, session.exec(query.order_by(col(Jobs.id))))


def has_active(session: Session, kind: str) -> bool:
    """Whether a job of this kind is queued or running."""
    query = select(Jobs.id).where(Jobs.kind == kind, col(Jobs.state).in_((QUEUED, RUNNING)))
    return session.exec(query.limit(1)).first() is not None


def count_by_state(session: Session) -> dict[str, int]:
    """How many jobs are in each state that occurs."""
    query = sa.select(col(Jobs.state), sa.func.count()).group_by(col(Jobs.state))
    return {row[0]: row[1] for row in session.connection().execute(query)}


def find_latest(
    session: Session, *, kind: str | None = None, clip_id: str | None = None
) -> Job | None:
    """The newest job of a kind and a clip."""
    query = select(Jobs).order_by(col(Jobs.id).desc()).limit(1)
    if kind is not None:
        query = query.where(Jobs.kind == kind)
    if clip_id is not None:
        query = query.where(Jobs.clip_id == clip_id)
    row = session.exec(query).first()
    return None if row is None else to_record(Job, row)


def latest_per_clip(session: Session, clip_ids: Collection[str]) -> list[Job]:
    """The newest job of each of these clips, oldest first."""
    if not clip_ids:  # DuckDB cannot compare with an empty list
        return []
    newest = (
        select(sa.func.max(Jobs.id))
        .where(col(Jobs.clip_id).in_(clip_ids))
        .group_by(col(Jobs.clip_id))
    )
    query = select(Jobs).where(col(Jobs.id).in_(newest)).order_by(col(Jobs.id))
    return to_records(Job, session.exec(query))


def list_recent(session: Session, *, limit: int = 200) -> list[Job]:
    """The newest jobs, newest first; unfinished ones always come along."""
    query = select(Jobs).order_by(col(Jobs.id).desc())
    recent = to_records(Job, session.exec(query.limit(limit)))
    waiting = to_records(Job, session.exec(query.where(col(Jobs.state).in_((QUEUED, RUNNING)))))
    known = {job.id for job in recent}
    return recent + [job for job in waiting if job.id not in known]


def _set(session: Session, job: Job, **values: Any) -> None:
    """Change a running job unless somebody else took it since: its start is the fence."""
    session.exec(
        sa.update(Jobs)
        .where(
            col(Jobs.id) == job.id,
            col(Jobs.state) == RUNNING,
            col(Jobs.started_at) == job.started_at,
        )
        .values(**values)
    )
