"""Estimating stored transcripts again, in the background, after another estimator took over."""

import logging
from typing import TYPE_CHECKING

from qe_core.asr.base import Progress
from qe_core.errors import WerkbenchError
from qe_core.estimation.manifest import ANY_ENGINE
from storage.database import Session
from storage.records import Job
from storage.repositories import jobs
from storage.repositories.corrections import list_estimators
from workbench.logs import about_clip
from workbench.worker import register_handler

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["REESTIMATE", "queue", "queue_if_profile_moved", "run_job"]

REESTIMATE = "reestimate"
"""Kind of the jobs that estimate an engine's transcripts again."""

_log = logging.getLogger(__name__)


def queue(
    session: Session, engine: str, model: str, actor: str | None, *, estimator: str = ""
) -> str:
    """Queue the job, in the transaction that changes the champion.

    Args:
        session: the session
        engine: whose transcripts are estimated again
        model: of that engine
        actor: who changed the champion
        estimator: id of the estimates to come, where it is known
    """
    payload = {"engine": engine, "model": model, "estimator": estimator}
    return jobs.add(session, REESTIMATE, payload=payload, actor=actor).id


def queue_if_profile_moved(runtime: "Runtime") -> str | None:
    """Have all clips estimated again when a cold start reads ranks from another profile.

    Otherwise clips that came early would stand in the queue by another scale than later ones.

    Args:
        runtime: the runtime; nothing happens before its recogniser is loaded

    Returns:
        id of the job, or ``None``
    """
    if runtime.loaded_engine() is None:
        return None
    owner = runtime.owner()
    serving = runtime.estimator(owner)
    if serving.profile is None:
        return None

    def work(session: Session) -> str | None:
        latest = jobs.find_latest(session, kind=REESTIMATE)
        if latest is not None and latest.payload.get("estimator") == serving.id:
            return None
        return queue(session, *owner, None, estimator=serving.id)

    job_id = runtime.database.write(work)
    if job_id is not None:
        runtime.worker.wake()
    return job_id


def run_job(runtime: "Runtime", job: Job, on_progress: Progress) -> None:
    """Estimate again what the serving estimator has not estimated yet.

    A job that was interrupted goes on where it was; a clip that cannot be estimated keeps its
    former estimate.
    """
    # Assessing knows of trials, trials of promotions, and a promotion queues this job.
    from workbench.assess import reassess

    owner = str(job.payload["engine"]), str(job.payload.get("model", ANY_ENGINE))
    serving = runtime.estimator(owner).id
    with runtime.database.session() as session:
        made_by = list_estimators(session, *owner)
    waiting = sorted(clip_id for clip_id, estimator in made_by.items() if estimator != serving)
    for index, clip_id in enumerate(waiting):
        on_progress(index / len(waiting), "estimating")
        with about_clip(clip_id):
            try:
                reassess(runtime, clip_id)
            except WerkbenchError as error:
                _log.warning("The estimate stays as it is: %s", error.message)
    _log.info("Estimated %d clips again with %s.", len(waiting), serving)


register_handler(REESTIMATE, run_job)
