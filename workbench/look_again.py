"""Looking at the clips in the queue again, after the depth of estimates or the features changed.

Audits are looked at along with them, and corrected clips that lack features: see
:mod:`storage.repositories.outdated`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from qe_core.asr.base import Progress
from qe_core.errors import ConflictError, WerkbenchError
from qe_core.features import DEPTHS, Depth
from qe_core.features.base import schema_of
from qe_core.pipeline import depth_of
from storage.records import Event, Job
from storage.repositories import events, outdated
from storage.repositories.outdated import Wanted
from workbench import exclusive, preferences
from workbench.assess import reassess
from workbench.logs import about_clip
from workbench.worker import register_handler

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "COST_MS_PER_S",
    "LOOKED_AGAIN",
    "LOOK_AGAIN",
    "Backlog",
    "Depths",
    "backlog",
    "depths",
    "latest",
    "run_job",
    "start",
    "stop",
]

LOOK_AGAIN = "look_again"
"""Kind of the jobs that look at clips in the queue again."""

LOOKED_AGAIN = "looked_again"
"""Kind of the events that say what came of one."""

COST_MS_PER_S: Mapping[Depth, float] = MappingProxyType(
    {"fast": 0.05, "standard": 1.0, "thorough": 101.0}
)
"""CPU time in ms per second of audio, rounded: ``python -m benchmarks.overhead --depth D``."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Depths:
    """What is looked at for the transcripts of the recogniser in use, and by whom.

    Args:
        chosen: what the settings ask for
        serving: what the estimator that serves looks at
        computed: what is computed for every new clip, the deeper one of both
        training: what the next estimator will look at
    """

    chosen: Depth
    serving: Depth
    computed: Depth
    training: Depth


@dataclass(frozen=True, slots=True)
class Backlog:
    """Clips that wait for review, and reviewed ones, with an estimate that new clips would not get.

    Args:
        num_clips: all of them
        num_taken: of these, as many as would be looked at again
        duration_s: length of the latter
        cost_s: CPU time that they take, about
    """

    num_clips: int
    num_taken: int
    duration_s: float
    cost_s: float


def depths(runtime: "Runtime") -> Depths:
    """What is looked at now.

    Raises:
        EstimatorError: no estimator can be loaded
    """
    return Depths(
        chosen=preferences.get(runtime).quality.depth,
        serving=depth_of(runtime.estimator()),
        computed=runtime.depth(),
        training=runtime.training_depth(),
    )


def backlog(runtime: "Runtime", limit: int) -> Backlog:
    """Which clips by the recogniser in use there are to look at again.

    Args:
        runtime: the runtime
        limit: clips at most, those that repay a review most

    Raises:
        EstimatorError: no estimator can be loaded
    """
    wanted = _wanted(runtime)
    with runtime.database.session() as session:
        num_clips, _ = outdated.measure(session, wanted)
        num_taken, duration_s = outdated.measure(session, wanted, limit=limit)
    cost_s = duration_s * COST_MS_PER_S[runtime.depth()] / 1000
    return Backlog(num_clips, num_taken, duration_s, cost_s)


def latest(runtime: "Runtime") -> Event | None:
    """What came of the last time, in ``payload``.

    ``num_clips`` were estimated anew at ``depth``; ``num_failed`` kept their former estimate, the
    first of them because of ``error``.
    """
    with runtime.database.session() as session:
        found = events.list_recent(session, kind=LOOKED_AGAIN, limit=1)
    return found[0] if found else None


def start(runtime: "Runtime", limit: int, actor: str | None = None) -> str:
    """Queue looking again at the clips of :func:`backlog`.

    A second worker does it, so that new clips need not wait.

    Returns:
        id of the job

    Raises:
        ConflictError: one is queued or running already
        ForbiddenError: the actor is no admin
    """
    conflict = ConflictError(
        "The clips in the queue are being looked at again already.",
        suggestion="Wait until that ends, or stop it on the settings page.",
        code="looking_again",
    )
    job_id = exclusive.add(
        runtime, LOOK_AGAIN, actor=actor, conflict=conflict, payload={"limit": limit}
    )
    runtime.trainer.wake()
    return job_id


def stop(runtime: "Runtime", actor: str | None = None) -> bool:
    """End the job that is queued or running; what it has estimated stays.

    Returns:
        whether there was one

    Raises:
        ForbiddenError: the actor is no admin
    """
    is_stopping = exclusive.stop(runtime, LOOK_AGAIN, actor)
    runtime.trainer.wake()
    return is_stopping


def run_job(runtime: "Runtime", job: Job, on_progress: Progress) -> None:
    """Estimate clips anew from what the settings ask for now; nothing is transcribed.

    A job that was interrupted goes on where it was. A clip that cannot be estimated keeps its
    former estimate, and so does one that is reviewed meanwhile.
    """
    limit = int(job.payload["limit"])
    with runtime.database.session() as session:
        num_before = outdated.num_estimated_since(session, job.created_at)
        waiting = outdated.list_outdated(
            session, _wanted(runtime), limit=max(0, limit - num_before)
        )
    num_done, errors = num_before, list[str]()
    for index, clip_id in enumerate(waiting):
        on_progress((num_before + index) / (num_before + len(waiting)), "looking again")
        if exclusive.is_stopped(job):
            break
        with about_clip(clip_id):
            try:
                num_done += _look(runtime, clip_id)
            except WerkbenchError as error:
                errors.append(error.message)
                _log.warning("The estimate stays as it is: %s", error.message)
    exclusive.forget(job)
    _note(runtime, job, num_done, errors)


def _look(runtime: "Runtime", clip_id: str) -> bool:
    """Estimate a clip anew if that is still wanted; says whether it was."""
    with runtime.database.session() as session:
        if not outdated.is_outdated(session, _wanted(runtime), clip_id):
            return False
    reassess(runtime, clip_id)
    return True


def _note(runtime: "Runtime", job: Job, num_clips: int, errors: list[str]) -> None:
    depth = runtime.depth()
    payload = {
        "num_clips": num_clips,
        "num_failed": len(errors),
        "error": errors[0] if errors else "",
        "depth": depth,
    }
    runtime.database.write(
        lambda session: events.add(session, LOOKED_AGAIN, actor=job.actor, payload=payload)
    )
    _log.info("Looked at %d clips again at depth %s.", num_clips, depth)


def _wanted(runtime: "Runtime") -> Wanted:
    owner = runtime.owner()
    schema = schema_of(DEPTHS[runtime.depth(owner)])
    return Wanted(*owner, schema=schema, estimator=runtime.estimator(owner).id)


register_handler(LOOK_AGAIN, run_job)
