"""Retraining as a job: begun once, failing, interrupted, killed."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qe_core.errors import ConflictError, NotFoundError
from storage.database import Session
from storage.repositories import assessments, jobs
from tests.retrain_fixtures import fill, open_runtime
from tests.small_models import FAST
from tests.stored_clips import add_clip, clip_id_of
from workbench import reestimate, retrain
from workbench.runtime import Runtime
from workbench.worker import Worker

pytestmark = pytest.mark.usefixtures("ships_small_built_in")

NUM_KILLS = 3


@pytest.fixture
def runtime(small_runtime: Runtime) -> Runtime:
    return small_runtime


def test_two_trainings_at_once_are_refused(runtime: Runtime) -> None:
    retrain.start(runtime, "ann")

    with pytest.raises(ConflictError, match="under way"):
        retrain.start(runtime, "bob")


def test_of_many_clicks_at_once_one_starts_a_training(runtime: Runtime) -> None:
    barrier = threading.Barrier(8)

    def click(_: int) -> bool:
        barrier.wait()
        try:
            retrain.start(runtime)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(click, range(8))) == 1


@pytest.mark.slow
def test_a_failed_training_says_why_and_leaves_the_champion_serving(runtime: Runtime) -> None:
    before = runtime.estimator().manifest.id
    job_id = retrain.start(runtime, "ann")

    assert runtime.worker.run_next()

    with runtime.database.session() as session:
        job = jobs.get(session, job_id)
    assert job.state == "failed"
    assert job.error is not None
    assert "no correction" in job.error
    assert job.suggestion
    assert runtime.estimator().manifest.id == before
    retrain.start(runtime)


@pytest.mark.slow
def test_a_job_that_was_stored_before_the_process_ended_is_not_done_twice(
    runtime: Runtime,
) -> None:
    fill(runtime)
    job_id = retrain.start(runtime, "ann")
    retrain.run(runtime, plan=FAST, actor="ann", job_id=job_id)

    assert runtime.worker.run_next()

    with runtime.database.session() as session:
        assert jobs.get(session, job_id).state == "done"
    assert len(retrain.versions(runtime)) == 2


def test_an_estimate_that_cannot_be_renewed_stays(runtime: Runtime) -> None:
    def work(session: Session) -> None:
        add_clip(session, "a", feature_schema="another@1:1")
        reestimate.queue(session, "pocketsphinx", "en-us", "ann")

    runtime.database.write(work)

    assert Worker(runtime).run_next()

    with runtime.database.session() as session:
        latest = assessments.find_latest(session, clip_id_of("a"))
        job = jobs.find_latest(session, kind=reestimate.REESTIMATE)
    assert latest is not None
    assert latest.estimator == "builtin"
    assert job is not None
    assert job.state == "done"


def test_an_unknown_version_cannot_be_promoted(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError):
        retrain.promote(runtime, "nope")


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_trains_leaves_a_champion_that_serves(
    tmp_path: Path, small_built_in: Path
) -> None:
    data_dir = tmp_path / "data"
    runtime = open_runtime(data_dir)
    fill(runtime)
    runtime.close()
    for turn in range(NUM_KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.retrain_until_killed", data_dir, small_built_in],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(1.0 + 0.37 * turn)
        child.kill()
        said = child.communicate()[0]
        assert said == ""

        runtime = open_runtime(data_dir)
        listed = retrain.versions(runtime)
        serving = [version for version in listed if version.state == "champion"]
        assert [version.estimator for version in serving] == [runtime.estimator().manifest.id]
        for version in listed[:-1]:
            assert (runtime.settings.models_dir / version.id / "manifest.json").is_file()
        runtime.close()
