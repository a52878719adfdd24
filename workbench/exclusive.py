"""Jobs of which one at a time may wait or run: asking for one, and stopping it."""

import threading
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from qe_core.errors import ConflictError
from storage.database import Session
from storage.records import Job
from storage.repositories import jobs
from workbench import people

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["add", "forget", "is_stopped", "stop"]

_ADDING = threading.Lock()
_STOPPED: set[str] = set()


def add(
    runtime: "Runtime",
    kind: str,
    *,
    actor: str | None,
    conflict: ConflictError,
    beside: Collection[str] = (),
    payload: Mapping[str, Any] | None = None,
) -> str:
    """Queue a job if none of its kind waits or runs; waking a worker is left to the caller.

    Args:
        runtime: the runtime
        kind: kind of the job
        actor: who asks for it
        conflict: raised where one is queued or running already
        beside: further kinds that it must not wait or run beside
        payload: what the job is to work on

    Returns:
        id of the job

    Raises:
        ConflictError: ``conflict``
        ForbiddenError: the actor is no admin
    """

    def work(session: Session) -> str | None:
        people.require(session, actor, "admin")
        if any(jobs.has_active(session, each) for each in {kind, *beside}):
            return None
        return jobs.add(session, kind, payload=payload, actor=actor).id

    # Two new rows do not collide in the database: the lock makes looking and adding one step.
    with _ADDING:
        job_id = runtime.database.write(work)
    if job_id is None:
        raise conflict
    return job_id


def stop(runtime: "Runtime", kind: str, actor: str | None) -> bool:
    """Ask the job of a kind that is queued or running to end; it looks with :func:`is_stopped`.

    Returns:
        whether there was one

    Raises:
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    with runtime.database.session() as session:
        job = jobs.find_latest(session, kind=kind)
    if job is None or job.state not in (jobs.QUEUED, jobs.RUNNING):
        return False
    _STOPPED.add(job.id)
    return True


def is_stopped(job: Job) -> bool:
    """Whether somebody asked for the end of a job."""
    return job.id in _STOPPED


def forget(job: Job) -> None:
    """Drop what is remembered of a job that has ended."""
    _STOPPED.discard(job.id)
