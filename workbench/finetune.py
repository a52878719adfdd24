"""The recogniser learns from corrections: data set, training, comparison, promotion or refusal."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qe_core.asr.base import Progress
from qe_core.errors import ConflictError, TrainingError, WerkbenchError
from qe_core.estimation.promotion import GateResult
from qe_core.recogniser.dataset import DataSet, require_all_parts
from qe_core.recogniser.finetune_checkpoint import fetch_checkpoint
from qe_core.recogniser.finetune_judge import decide
from qe_core.recogniser.finetune_process import fine_tune_beside
from qe_core.recogniser.finetune_task import MODEL, Outcome, Task
from storage import model_folders
from storage.database import Session
from storage.ids import new_id
from storage.records import Job
from storage.repositories import events, jobs
from storage.repositories import recognisers as stored
from workbench import exclusive, preferences, recognisers
from workbench.finetune_data import Base, find_base, gather, read_replay, reviewed
from workbench.worker import register_handler

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "FINETUNE",
    "FinetuneOutcome",
    "Readiness",
    "cancel",
    "latest_start",
    "readiness",
    "run",
    "run_job",
    "start",
]

FINETUNE = "finetune"
"""Kind of the jobs that fine-tune the recogniser."""

_WORK = ".new-work-"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a fine-tuning could begin, and what it would learn from.

    Args:
        data: usable clips by part, and what is left out
        new_s: seconds of accepted audio that were reviewed since the last fine-tuning began
        problem: why it cannot begin, with what to do; ``None`` when it can
        is_running: one is queued or running
    """

    data: DataSet
    new_s: float
    problem: WerkbenchError | None
    is_running: bool


@dataclass(frozen=True, slots=True)
class FinetuneOutcome:
    """What a fine-tuning led to.

    Args:
        version_id: the version, stored whether it was promoted or refused
        name: what the new recogniser is called
        is_promoted: it serves now
        gate: every condition with its figures
        outcome: training and comparison
        data: what it learnt from and was judged by
    """

    version_id: str
    name: str
    is_promoted: bool
    gate: GateResult
    outcome: Outcome
    data: DataSet


def readiness(runtime: "Runtime") -> Readiness:
    """Look at what there is; loads the recogniser when it is not loaded yet."""
    data = gather(runtime)
    problem: WerkbenchError | None = None
    try:
        find_base(runtime)
        require_all_parts(data)
    except WerkbenchError as error:
        problem = error
    with runtime.database.session() as session:
        is_running = jobs.has_active(session, FINETUNE)
    new = {clip.clip_id for clip in reviewed(runtime, since=latest_start(runtime))}
    clips = (*data.train, *data.validation, *data.test)
    return Readiness(
        data=data,
        new_s=sum(clip.duration_s for clip in clips if clip.id in new),
        problem=problem,
        is_running=is_running,
    )


def latest_start(runtime: "Runtime") -> datetime | None:
    """When a fine-tuning was last begun or asked for, UTC, whatever came of it."""
    with runtime.database.session() as session:
        begun = events.list_recent(session, kind="dataset.ready", limit=1)
        job = jobs.find_latest(session, kind=FINETUNE)
    times = [event.created_at for event in begun] + ([job.created_at] if job else [])
    return max(times, default=None)


def start(runtime: "Runtime", actor: str | None = None) -> str:
    """Queue a fine-tuning for the background worker.

    Returns:
        id of the job

    Raises:
        ForbiddenError: the actor is no admin
        ConflictError: one is queued or running already
    """
    conflict = ConflictError(
        "A fine-tuning is under way already.",
        suggestion="Wait until it ends, or cancel it on the settings page.",
        code="finetuning",
    )
    job_id = exclusive.add(runtime, FINETUNE, actor=actor, conflict=conflict)
    runtime.trainer.wake()
    return job_id


def cancel(runtime: "Runtime", actor: str | None = None) -> bool:
    """End the fine-tuning that is queued or running; what it made is thrown away.

    Returns:
        whether there was one

    Raises:
        ForbiddenError: the actor is no admin
    """
    if not exclusive.stop(runtime, FINETUNE, actor):
        return False
    _log.info("%s cancels the fine-tuning.", actor or "Somebody")
    runtime.trainer.wake()
    return True


def run_job(runtime: "Runtime", job: Job, on_progress: Progress) -> None:
    """What the worker does for a job of kind :data:`FINETUNE`."""
    with runtime.database.session() as session:
        known = stored.list_versions(session)
    if any(version.report.get("job_id") == job.id for version in known):
        return  # it was stored, and then the process ended before the job could say so

    def tell(share: float, text: str) -> None:
        if exclusive.is_stopped(job):
            raise TrainingError(
                "The fine-tuning was cancelled.",
                suggestion="Start it again when there is time for it.",
                code="cancelled",
            )
        on_progress(share, text)

    try:
        run(runtime, tell, actor=job.actor, job_id=job.id)
    finally:
        exclusive.forget(job)


def run(
    runtime: "Runtime",
    on_progress: Progress | None = None,
    *,
    actor: str | None = None,
    job_id: str | None = None,
) -> FinetuneOutcome:
    """Fine-tune the serving Whisper, judge the result, and promote it if the gate lets it through.

    The training runs in a process of its own and touches nothing but its work folder. The serving
    recogniser serves until the very transaction that promotes the new one; whatever fails before
    leaves it where it is.

    Args:
        runtime: the process's runtime
        on_progress: told how far it is; what it raises ends the training
        actor: who asked for it
        job_id: the job that this is done for

    Raises:
        TrainingError: nothing to learn from or to judge by, no checkpoint, or the training failed
        EngineError: the serving recogniser cannot be loaded
    """
    tell = on_progress or (lambda _share, _text: None)
    _sweep(runtime)
    version_id = new_id()
    work = (runtime.settings.recognisers_dir / f"{_WORK}{version_id}").absolute()
    try:
        tell(0.0, "collecting corrections")
        base = find_base(runtime)
        task = _prepare(runtime, base, work, tell, actor)
        outcome = fine_tune_beside(task, lambda share, text: tell(0.02 + 0.96 * share, text))
        gate = decide(outcome.test, outcome.replay, task.settings)
        tell(0.99, "saving")
        finished = FinetuneOutcome(
            version_id=version_id,
            name=_name(runtime, base),
            is_promoted=gate.passed,
            gate=gate,
            outcome=outcome,
            data=task.data,
        )
        _store(runtime, base, finished, work / MODEL, actor=actor, job_id=job_id)
    except WerkbenchError as error:
        _note(runtime, "training.failed", actor, {"error": error.message, "code": error.code})
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _log.info("Fine-tuned %s: %s.", finished.name, "promoted" if gate.passed else "refused")
    return finished


def _prepare(runtime: "Runtime", base: Base, work: Path, tell: Progress, actor: str | None) -> Task:
    settings = preferences.get(runtime)
    data = gather(runtime)
    require_all_parts(data)
    replay = read_replay(settings.finetune, len(data.train))
    _note(runtime, "dataset.ready", actor, _described(data))
    checkpoint = fetch_checkpoint(
        base.checkpoint, timeout_s=settings.engine.fetch_timeout_s, on_progress=tell
    )
    work.mkdir(parents=True)
    _note(runtime, "training.started", actor, {"base": base.model, "base_version": base.version})
    return Task(
        serving=base.folder.absolute(),
        checkpoint=checkpoint.absolute(),
        work=work,
        data=data,
        replay=replay,
        settings=settings.finetune,
        engine=settings.engine,
    )


def _described(data: DataSet) -> dict[str, Any]:
    return {
        "num_clips": {
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
        },
        "num_speakers": data.num_speakers,
        "duration_s": round(data.duration_s, 2),
        "left_out": dict(data.left_out),
    }


def _name(runtime: "Runtime", base: Base) -> str:
    """``base-tuned-3``: the model that came from outside, and a number that nothing had before."""
    with runtime.database.session() as session:
        number = len(stored.list_versions(session)) + 1
    return f"{base.model.partition('-tuned-')[0]}-tuned-{number}"


def _store(
    runtime: "Runtime",
    base: Base,
    finished: FinetuneOutcome,
    model: Path,
    *,
    actor: str | None,
    job_id: str | None,
) -> None:
    """Files first, complete and flushed; then version, promotion and events in one transaction."""
    place = runtime.settings.recognisers_dir / finished.version_id / finished.name
    if finished.is_promoted:
        model_folders.keep(
            runtime.settings.recognisers_dir,
            finished.version_id,
            lambda folder: _move(model, folder / finished.name),
        )
    report = _report(finished, job_id)
    before = preferences.get(runtime).engine.name

    def write(session: Session) -> None:
        stored.add_version(
            session,
            version_id=finished.version_id,
            name=finished.name,
            base=base.model,
            base_version=base.version,
            engine_version=finished.outcome.version_after,
            folder=f"{finished.version_id}/{finished.name}" if finished.is_promoted else None,
            report=report,
            actor=actor,
        )
        payload = {
            "version_id": finished.version_id,
            "is_promoted": finished.is_promoted,
            "conditions": report["conditions"],
            "timings_s": report["outcome"]["timings_s"],
        }
        events.add(session, "training.completed", actor=actor, payload=payload)
        if finished.is_promoted:
            after = recognisers.engine_name_of(place)
            recognisers.add_promotion(session, finished.version_id, before, after, actor)

    runtime.database.write(write)


def _move(model: Path, place: Path) -> None:
    place.parent.mkdir()
    model.rename(place)


def _report(finished: FinetuneOutcome, job_id: str | None) -> dict[str, Any]:
    return {
        **_described(finished.data),
        "conditions": [asdict(condition) for condition in finished.gate.conditions],
        "outcome": finished.outcome.to_dict(),
        "job_id": job_id,
    }


def _note(runtime: "Runtime", kind: str, actor: str | None, payload: Mapping[str, Any]) -> None:
    runtime.database.write(lambda session: events.add(session, kind, actor=actor, payload=payload))


def _sweep(runtime: "Runtime") -> None:
    """Remove what a crash during a former fine-tuning left; only one runs at a time."""
    with runtime.database.session() as session:
        known = {
            version.folder.partition("/")[0]
            for version in stored.list_versions(session)
            if version.folder
        }
    for name in model_folders.sweep(runtime.settings.recognisers_dir, known):
        _log.info("Removed the unfinished recogniser %s.", name)


register_handler(FINETUNE, run_job)
