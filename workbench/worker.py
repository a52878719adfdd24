"""The background worker: one thread that takes jobs from the database, oldest first."""

import importlib
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from qe_core.asr.base import Progress
from qe_core.errors import ConflictError, StorageError, WerkbenchError
from storage.columns import utc_now
from storage.database import Session
from storage.records import Job
from storage.repositories import clips, jobs
from workbench import metrics
from workbench.logs import about_clip

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "BESIDE",
    "MAX_ATTEMPTS",
    "Handler",
    "JobStatus",
    "Step",
    "Worker",
    "progress",
    "register_handler",
    "retry",
]

_log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""How often a job is begun before it is given up."""

Handler = Callable[["Runtime", Job, Progress], None]
"""Does a job; told where to report the share done in [0, 1] and the stage."""

_POLL_S = 1.0
_STOP_TIMEOUT_S = 5.0
# The row of a running job is written at a new stage and as a sign of life, not at every step.
_MIN_WRITE_INTERVAL_S = 0.5
_HEARTBEAT_S = 5.0
_SILENT_S = 300.0
_IDLE_S = 60.0

_HANDLERS: dict[str, Handler] = {}
# Imported when the first job of the kind is taken; the module registers its handler.
_HOMES = {
    "assess": "workbench.assess",
    "retrain": "workbench.retrain",
    "adapt": "workbench.adapt",
    "reestimate": "workbench.reestimate",
    "finetune": "workbench.finetune",
    "look_again": "workbench.look_again",
}
BESIDE = frozenset({"finetune", "look_again"})
"""Kinds of jobs that take long and that no clip needs; a second worker does them."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where a job stands, for a page.

    Args:
        job_id: the job
        clip_id: its clip, if it is about one
        file_name: name of the clip; empty without one
        kind: ``assess``, ``retrain``, …
        state: ``queued``, ``running``, ``done``, ``failed``
        stage: what is being done: ``decoding``, ``transcribing``, ``estimating``, …
        progress: share done in [0, 1]
        error: why it failed
        suggestion: what to do about that
        created_at: when it was queued
    """

    job_id: str
    clip_id: str | None
    file_name: str
    kind: str
    state: str
    stage: str
    progress: float
    error: str | None
    suggestion: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What the running job does at this moment; newer than its row."""

    job_id: str
    stage: str
    progress: float


class _Interrupted(Exception):  # noqa: N818 - a request to stop, not an error
    """Raised inside a handler by its progress callback when the worker is to stop."""


def register_handler(kind: str, handler: Handler) -> None:
    """Say what is done for the jobs of a kind."""
    _HANDLERS[kind] = handler


def progress(runtime: "Runtime", clip_ids: Collection[str] | None = None) -> list[JobStatus]:
    """Where jobs stand.

    Args:
        runtime: the runtime
        clip_ids: the newest job of each of these clips; by default all unfinished jobs and the
            newest finished ones

    Returns:
        oldest first
    """
    with runtime.database.session() as session:
        if clip_ids is None:
            found = jobs.list_recent(session)
        else:
            found = jobs.latest_per_clip(session, clip_ids)
        names = clips.file_names(session, {job.clip_id for job in found if job.clip_id})
    steps = [step for step in (runtime.worker.step, runtime.trainer.step) if step is not None]
    return [
        _status(job, names, _step_of(job, steps)) for job in sorted(found, key=lambda job: job.id)
    ]


def retry(runtime: "Runtime", job_id: str, *, actor: str | None = None) -> str:
    """Queue a failed job again, as a new job.

    Returns:
        id of the new job

    Raises:
        NotFoundError: there is no such job
        ConflictError: it did not fail
    """

    def work(session: Session) -> str:
        job = jobs.get(session, job_id)
        if job.state != jobs.FAILED:
            raise ConflictError(
                f"The job is {job.state}; only a failed one is tried again.",
                suggestion="Wait until it ends.",
            )
        return jobs.add(session, job.kind, clip_id=job.clip_id, payload=job.payload, actor=actor).id

    new_id = runtime.database.write(work)
    runtime.worker.wake()
    return new_id


class Worker:
    """One thread that does jobs one after the other, for as long as the process lives.

    Nothing that happens in a job ends it: what a handler raises is stored with the job.

    Args:
        runtime: database, media, recogniser and estimators
        poll_s: how often it looks for jobs without being woken
        kinds: of the jobs that it does; by default all but those in :data:`BESIDE`
        on_idle: called about once a minute while there is nothing to do
    """

    def __init__(
        self,
        runtime: "Runtime",
        *,
        poll_s: float = _POLL_S,
        kinds: Collection[str] | None = None,
        on_idle: Callable[[], object] | None = None,
    ) -> None:
        self._runtime = runtime
        self._poll_s = poll_s
        self._kinds = kinds
        self._on_idle = on_idle
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._job: Job | None = None
        self._step: Step | None = None

    @property
    def kinds(self) -> set[str]:
        """Kinds of the jobs that it does."""
        return {*_HANDLERS, *_HOMES} - BESIDE if self._kinds is None else set(self._kinds)

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def step(self) -> Step | None:
        """What the running job does at this moment."""
        return self._step

    def start(self) -> None:
        """Take interrupted jobs up again and begin to work; does nothing when it works already."""
        if self.is_running:
            return
        self._stopping.clear()
        self.recover()
        self._thread = threading.Thread(target=self._work, name="werkbench-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Stop at the next step of the running job, which waits in the queue again.

        Args:
            timeout_s: how long to wait for that step; a recogniser in the middle of a long piece
                of audio is left to itself after this, and what it still finds is not stored
        """
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            job = self._job
            if self._thread.is_alive() and job is not None:
                self._settle(lambda session: jobs.requeue(session, job, is_attempt=False))
            self._thread = None

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def run_next(self) -> bool:
        """Do the oldest queued job, in the calling thread.

        Returns:
            whether there was one
        """
        kinds = self.kinds
        job = self._runtime.database.write(lambda session: jobs.take_next(session, kinds))
        if job is None:
            return False
        self._job = job
        self._step = Step(job.id, job.stage, 0.0)
        try:
            with about_clip(job.clip_id):
                self._run(job)
        finally:
            self._step = None
            self._job = None
        return True

    def _work(self) -> None:
        last_check = last_idle = time.monotonic()
        while not self._stopping.is_set():
            try:
                if self.run_next():
                    continue
                if self._on_idle is not None and time.monotonic() - last_idle > _IDLE_S:
                    last_idle = time.monotonic()
                    self._on_idle()
                if time.monotonic() - last_check > _SILENT_S:
                    last_check = time.monotonic()
                    self.recover(silent_since=utc_now() - timedelta(seconds=_SILENT_S))
            except Exception:  # noqa: BLE001 - the worker outlives everything
                if not self._stopping.is_set():
                    _log.exception("The worker could not take a job; it tries again.")
            self._woken.wait(self._poll_s)
            self._woken.clear()

    def _run(self, job: Job) -> None:
        try:
            _handler(job.kind)(self._runtime, job, self._reporter(job))
        except _Interrupted:
            _log.info("Interrupted; the job waits again.")
            metrics.count_job("interrupted")
            self._settle(lambda session: jobs.requeue(session, job, is_attempt=False))
        except WerkbenchError as error:
            if self._stopping.is_set() and isinstance(error, StorageError):
                return  # the database was closed under a job that was left to itself
            _log.warning("Job %s failed: %s", job.kind, error.message)
            metrics.count_job("failed")
            message, suggestion = error.message, error.suggestion
            self._settle(
                lambda session: jobs.fail(session, job, error=message, suggestion=suggestion)
            )
        except Exception:  # noqa: BLE001 - whatever a library raises ends the job, not the worker
            _log.exception("Job %s failed unexpectedly.", job.kind)
            metrics.count_job("failed")
            self._settle(
                lambda session: jobs.fail(
                    session,
                    job,
                    error="Something went wrong that Werkbench did not expect.",
                    suggestion="Try again; if it fails again, look into the log for the details.",
                )
            )
        else:
            metrics.count_job("done")
            self._settle(lambda session: jobs.finish(session, job))

    def _reporter(self, job: Job) -> Progress:
        """The progress callback of a job: where it is told to stop, too."""
        written_stage, written_at = job.stage, 0.0

        def report(share: float, stage: str) -> None:
            nonlocal written_stage, written_at
            if self._stopping.is_set():
                raise _Interrupted
            stage = stage.partition(",")[0]
            share = min(1.0, max(0.0, share))
            self._step = Step(job.id, stage, share)
            silent_s = time.monotonic() - written_at
            is_new_stage = stage != written_stage and silent_s > _MIN_WRITE_INTERVAL_S
            if is_new_stage or silent_s > _HEARTBEAT_S:
                self._runtime.database.write(
                    lambda session: jobs.update(session, job, stage=stage, progress=share)
                )
                written_stage, written_at = stage, time.monotonic()

        return report

    def _settle(self, write: Callable[[Session], None]) -> None:
        """Store how a job ended; one that cannot be settled is taken up again later."""
        try:
            self._runtime.database.write(write)
        except WerkbenchError as error:
            if not self._stopping.is_set():
                _log.error("The end of a job could not be stored: %s", error.message)

    def recover(self, *, silent_since: datetime | None = None) -> None:
        """Queue jobs that were interrupted, and give up those that were interrupted too often.

        Args:
            silent_since: only jobs that have shown no life since then; all running ones by
                default, which is right before this process has begun any
        """

        def work(session: Session) -> list[tuple[Job, bool]]:
            running = jobs.list_running(session, silent_since=silent_since)
            kinds = self.kinds
            interrupted = [job for job in running if job.kind in kinds]
            for job in interrupted:
                if job.attempts < MAX_ATTEMPTS:
                    jobs.requeue(session, job)
                else:
                    jobs.fail(
                        session,
                        job,
                        error=f"Werkbench was interrupted {job.attempts} times while doing this.",
                        suggestion="Try again with fewer other programs running; cut a very long "
                        "recording into parts.",
                    )
            return [(job, job.attempts < MAX_ATTEMPTS) for job in interrupted]

        for job, is_queued in self._runtime.database.write(work):
            what = "it waits again" if is_queued else "it is given up"
            _log.warning(
                "Job %s was interrupted; %s.", job.kind, what, extra={"clip_id": job.clip_id}
            )


def _handler(kind: str) -> Handler:
    if kind not in _HANDLERS:
        importlib.import_module(_HOMES[kind])
    return _HANDLERS[kind]


def _step_of(job: Job, steps: list[Step]) -> Step | None:
    return next((step for step in steps if step.job_id == job.id), None)


def _status(job: Job, names: dict[str, str], step: Step | None) -> JobStatus:
    stage, share = job.stage, job.progress
    if step is not None and job.state == jobs.RUNNING:
        stage, share = step.stage, step.progress
    return JobStatus(
        job_id=job.id,
        clip_id=job.clip_id,
        file_name=names.get(job.clip_id or "", ""),
        kind=job.kind,
        state=job.state,
        stage=stage,
        progress=share,
        error=job.error,
        suggestion=job.suggestion,
        created_at=job.created_at,
    )
