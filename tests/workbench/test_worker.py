"""The worker does what is queued and outlives what goes wrong."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from qe_core.asr.base import Progress
from qe_core.errors import AudioError, ConflictError, StorageError
from storage.records import Job
from storage.repositories import jobs
from tests.builders import add_clip
from workbench import worker
from workbench.runtime import Runtime
from workbench.worker import Worker, register_handler

KIND = "test"


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    before = dict(worker._HANDLERS)
    yield
    worker._HANDLERS.clear()
    worker._HANDLERS.update(before)


def _queue(runtime: Runtime, *, clip_id: str | None = None, kind: str = KIND) -> Job:
    return runtime.database.write(lambda session: jobs.add(session, kind, clip_id=clip_id))


def _job(runtime: Runtime, job: Job) -> Job:
    with runtime.database.session() as session:
        return jobs.get(session, job.id)


def _take(runtime: Runtime) -> Job:
    job = runtime.database.write(lambda session: jobs.take_next(session, (KIND,)))
    assert job is not None
    return job


def _wait_until(condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def _nothing(_runtime: Runtime, _job: Job, _on_progress: Progress) -> None:
    return None


def test_jobs_are_done_oldest_first(runtime: Runtime) -> None:
    done: list[str] = []
    register_handler(KIND, lambda _runtime, job, _report: done.append(job.id))
    queued = [_queue(runtime).id for _ in range(3)]
    while runtime.worker.run_next():
        pass
    assert done == queued
    assert {_state(runtime, job_id) for job_id in queued} == {"done"}


def _state(runtime: Runtime, job_id: str) -> str:
    with runtime.database.session() as session:
        return jobs.get(session, job_id).state


def test_a_job_of_an_unknown_kind_is_left_alone(runtime: Runtime) -> None:
    job = _queue(runtime, kind="from the future")
    assert not runtime.worker.run_next()
    assert _job(runtime, job).state == "queued"


def test_a_readable_error_is_stored_with_its_suggestion(runtime: Runtime) -> None:
    def refuse(_runtime: Runtime, _job: Job, _report: Progress) -> None:
        raise AudioError("a.wav: damaged.", suggestion="Export it again.")

    register_handler(KIND, refuse)
    job = _queue(runtime)
    runtime.worker.run_next()
    failed = _job(runtime, job)
    assert (failed.state, failed.error, failed.suggestion) == (
        "failed",
        "a.wav: damaged.",
        "Export it again.",
    )


def test_an_unexpected_error_shows_no_details_and_logs_them_with_the_clip(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_runtime: Runtime, _job: Job, _report: Progress) -> None:
        raise ZeroDivisionError("secret detail")

    register_handler(KIND, crash)
    monkeypatch.setattr(logging.getLogger("workbench"), "propagate", True)
    job = _queue(runtime, clip_id="c" * 64)
    runtime.worker.run_next()
    failed = _job(runtime, job)
    assert failed.state == "failed"
    assert "secret" not in f"{failed.error}{failed.suggestion}"
    assert "secret detail" in caplog.text


def test_the_worker_goes_on_after_an_error(runtime: Runtime) -> None:
    def fail_first(_runtime: Runtime, job: Job, _report: Progress) -> None:
        if job.id == first.id:
            raise MemoryError

    register_handler(KIND, fail_first)
    first, second = _queue(runtime), _queue(runtime)
    runtime.worker.start()
    _wait_until(lambda: _job(runtime, second).state == "done")
    assert _job(runtime, first).state == "failed"
    assert runtime.worker.is_running


def test_the_worker_outlives_a_database_that_fails(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_handler(KIND, _nothing)
    take_next = jobs.take_next
    num_failures: list[int] = []

    def fail_twice(*args: object) -> Job | None:
        if len(num_failures) < 2:
            num_failures.append(1)
            raise StorageError("disk full", suggestion="")
        return take_next(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(jobs, "take_next", fail_twice)
    quick = Worker(runtime, poll_s=0.01)
    job = _queue(runtime)
    quick.start()
    _wait_until(lambda: _job(runtime, job).state == "done")
    quick.stop()
    assert not quick.is_running


def test_waking_starts_a_job_at_once(runtime: Runtime) -> None:
    register_handler(KIND, _nothing)
    patient = Worker(runtime, poll_s=60.0)
    patient.start()
    time.sleep(0.05)
    job = _queue(runtime)
    patient.wake()
    _wait_until(lambda: _job(runtime, job).state == "done")
    patient.stop()


def test_progress_is_shown_from_memory_while_a_job_runs(runtime: Runtime) -> None:
    may_end = threading.Event()
    reported = threading.Event()

    def work(_runtime: Runtime, _job: Job, report: Progress) -> None:
        report(0.0, "decoding")
        report(0.4, "transcribing, part 1 of 2")
        reported.set()
        may_end.wait(10)

    register_handler(KIND, work)
    with runtime.database.session() as session:
        add_clip(session, "c" * 64, file_name="call.wav")
    _queue(runtime, clip_id="c" * 64)
    runtime.worker.start()
    assert reported.wait(10)
    (status,) = worker.progress(runtime, ["c" * 64])
    may_end.set()
    assert (status.state, status.stage, status.progress) == ("running", "transcribing", 0.4)
    assert (status.file_name, status.clip_id) == ("call.wav", "c" * 64)
    _wait_until(lambda: worker.progress(runtime)[0].state == "done")
    assert worker.progress(runtime)[0].progress == 1.0


def test_progress_lists_jobs_oldest_first(runtime: Runtime) -> None:
    queued = [_queue(runtime).id for _ in range(3)]
    assert [status.job_id for status in worker.progress(runtime)] == queued
    assert worker.progress(runtime, []) == []


def test_many_steps_are_few_writes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[float] = []
    update = jobs.update

    def count(*args: object, **values: object) -> None:
        writes.append(1)
        update(*args, **values)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(jobs, "update", count)

    def work(_runtime: Runtime, _job: Job, report: Progress) -> None:
        for step in range(500):
            report(step / 500, f"stage {step}")

    register_handler(KIND, work)
    _queue(runtime)
    runtime.worker.run_next()
    assert len(writes) <= 3


def test_stopping_interrupts_at_the_next_step_and_queues_again(runtime: Runtime) -> None:
    started = threading.Event()

    def endless(_runtime: Runtime, _job: Job, report: Progress) -> None:
        while True:
            report(0.5, "transcribing")
            started.set()
            time.sleep(0.001)

    register_handler(KIND, endless)
    job = _queue(runtime)
    runtime.worker.start()
    assert started.wait(10)
    runtime.worker.stop()
    waiting = _job(runtime, job)
    assert (waiting.state, waiting.attempts, waiting.progress) == ("queued", 0, 0.0)


def test_stopping_does_not_wait_for_a_handler_that_does_not_listen(runtime: Runtime) -> None:
    may_end, started = threading.Event(), threading.Event()

    def deaf(_runtime: Runtime, _job: Job, _report: Progress) -> None:
        started.set()
        may_end.wait(10)

    register_handler(KIND, deaf)
    job = _queue(runtime)
    runtime.worker.start()
    assert started.wait(10)
    thread = runtime.worker._thread
    assert thread is not None
    runtime.worker.stop(timeout_s=0.02)
    assert _job(runtime, job).state == "queued"
    may_end.set()
    thread.join(10)
    assert _job(runtime, job).state == "queued"


def test_an_interrupted_job_is_taken_again_at_the_next_start(runtime: Runtime) -> None:
    register_handler(KIND, _nothing)
    job = _queue(runtime)
    _take(runtime)
    runtime.worker.start()
    _wait_until(lambda: _job(runtime, job).state == "done")
    assert _job(runtime, job).attempts == 2


def test_a_job_that_was_interrupted_too_often_is_given_up(runtime: Runtime) -> None:
    register_handler(KIND, _nothing)
    job = _queue(runtime)
    for _ in range(worker.MAX_ATTEMPTS):
        taken = _take(runtime)
        if taken.attempts < worker.MAX_ATTEMPTS:
            runtime.database.write(lambda session: jobs.requeue(session, taken))  # noqa: B023 - runs at once
    runtime.worker.start()
    failed = _job(runtime, job)
    assert failed.state == "failed"
    assert failed.error == "Werkbench was interrupted 3 times while doing this."


def test_starting_twice_is_one_thread(runtime: Runtime) -> None:
    runtime.worker.start()
    thread = runtime.worker._thread
    runtime.worker.start()
    assert runtime.worker._thread is thread


def test_a_failed_job_can_be_tried_again(runtime: Runtime) -> None:
    def refuse(_runtime: Runtime, _job: Job, _report: Progress) -> None:
        raise AudioError("No.", suggestion="Again.")

    register_handler(KIND, refuse)
    job = _queue(runtime, clip_id="c" * 64)
    with pytest.raises(ConflictError, match="only a failed one"):
        worker.retry(runtime, job.id)
    runtime.worker.run_next()
    again = worker.retry(runtime, job.id, actor="ann")
    with runtime.database.session() as session:
        assert jobs.get(session, again).clip_id == "c" * 64
        assert jobs.get(session, again).state == "queued"
