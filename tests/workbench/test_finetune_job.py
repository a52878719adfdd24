"""Fine-tuning as a use case: what it needs, what it stores, and that failures change nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qe_core.errors import ConflictError, EngineError, ForbiddenError, TrainingError
from storage.columns import utc_now
from storage.repositories import events, jobs
from tests.finetune_fixtures import open_runtime, store_corrected
from tests.stored_clips import add_clip, add_review
from tests.whisper_checkpoint import make_checkpoint
from workbench import finetune, finetune_schedule, people, preferences, recognisers
from workbench.finetune_data import gather, read_replay
from workbench.runtime import Runtime

NUM_KILLS = 2


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture
def tiny(tmp_path: Path, serving: Path) -> Iterator[Runtime]:
    opened = open_runtime(tmp_path / "data", serving)
    yield opened
    opened.close()


def kinds(runtime: Runtime) -> list[str]:
    with runtime.database.session() as session:
        found = [event.kind for event in events.list_recent(session)]
    return [kind for kind in reversed(found) if kind.startswith(("dataset", "training", "model"))]


def left_behind(runtime: Runtime) -> list[str]:
    folder = runtime.settings.recognisers_dir
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


# --- what it learns from -----------------------------------------------------------------------


def test_only_the_latest_verdict_of_a_clip_counts(runtime: Runtime) -> None:
    def work(session: Any) -> None:
        for name, verdict in (("a", "correct"), ("b", "accept"), ("c", "reject")):
            clip_id = add_clip(
                session, name, features={"wada_snr_db": 9.0}, speaker=f"speaker-{name}"
            )
            add_review(session, clip_id, "first text", verdict="correct")
            text = "" if verdict == "reject" else "last text"
            add_review(session, clip_id, text, verdict=verdict)

    runtime.database.write(work)

    data = gather(runtime)

    clips = [*data.train, *data.validation, *data.test]
    assert {clip.text for clip in clips} == {"last text"}
    assert {clip.speaker for clip in clips} == {"speaker-a", "speaker-b"}
    assert data.left_out["rejected"] == 1


def test_a_clip_whose_noise_could_not_be_measured_is_left_out(runtime: Runtime) -> None:
    def work(session: Any) -> None:
        for name, snr_db in (("a", float("nan")), ("b", 4.0), ("c", 6.0)):
            clip_id = add_clip(session, name, features={"wada_snr_db": snr_db})
            add_review(session, clip_id, "some text")

    runtime.database.write(work)

    assert gather(runtime).left_out == {
        "rejected": 0,
        "empty": 0,
        "too_short": 0,
        "too_long": 0,
        "unknown_snr": 1,
        "noisy": 1,
    }


def test_replayed_speech_is_split_as_corrections_are(tmp_path: Path, runtime: Runtime) -> None:
    manifest = tmp_path / "replay.jsonl"
    lines = [
        f'{{"audio_filepath": "{n}.wav", "duration": 2, "text": "hi", "speaker": "speaker-{n}"}}\n'
        for n in range(200)
    ]
    manifest.write_text("".join(lines))
    settings = runtime.settings.finetune.model_copy(update={"replay_manifest": manifest})

    data = read_replay(settings, 1000)

    assert data.num_clips == 200
    assert all(data.part(part) for part in ("train", "validation", "test"))
    assert data.train[0].audio.is_absolute()
    assert len(read_replay(settings, 3).train) == 12


def test_a_replay_manifest_that_cannot_be_read_is_an_error(
    tmp_path: Path, runtime: Runtime
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "no path"}\n')
    for name in ("gone.jsonl", "bad.jsonl"):
        settings = runtime.settings.finetune.model_copy(update={"replay_manifest": tmp_path / name})
        with pytest.raises(Exception, match="not a readable manifest"):
            read_replay(settings, 10)


# --- beginning ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_another_engine_cannot_be_fine_tuned(runtime: Runtime) -> None:
    problem = finetune.readiness(runtime).problem

    assert problem is not None
    assert "only a Whisper can be fine-tuned" in problem.message


@pytest.mark.slow
def test_readiness_counts_what_is_new_since_the_last_one(tiny: Runtime) -> None:
    num_clips = store_corrected(tiny)
    ready = finetune.readiness(tiny)
    assert ready.problem is None
    assert ready.data.num_clips == num_clips
    assert ready.new_s == pytest.approx(ready.data.duration_s)
    assert not ready.is_running

    finetune.start(tiny, "ann")

    ready = finetune.readiness(tiny)
    assert (ready.new_s, ready.is_running) == (0, True)


def test_two_at_once_are_refused_and_annotators_start_none(runtime: Runtime) -> None:
    finetune.start(runtime)
    with pytest.raises(ConflictError, match="under way"):
        finetune.start(runtime)
    people.sign_in(runtime, "ann", is_new_admin=True)
    people.sign_in(runtime, "bob")
    for act in (finetune.start, finetune.cancel):
        with pytest.raises(ForbiddenError):
            act(runtime, "bob")


def test_the_worker_of_short_jobs_leaves_it_to_the_other_one(runtime: Runtime) -> None:
    finetune.start(runtime)

    assert not runtime.worker.run_next()
    assert finetune.cancel(runtime)
    assert runtime.trainer.run_next()


def test_one_that_waits_is_cancelled_before_it_begins(runtime: Runtime) -> None:
    job_id = finetune.start(runtime)
    assert finetune.cancel(runtime)
    assert runtime.trainer.run_next()

    with runtime.database.session() as session:
        job = jobs.get(session, job_id)
    assert (job.state, job.error) == ("failed", "The fine-tuning was cancelled.")
    assert not finetune.cancel(runtime)
    finetune.start(runtime)


# --- running -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_recogniser_that_writes_better_serves_as_a_new_version(
    tmp_path: Path, serving: Path
) -> None:
    """One word for every clip is soon learnt, and random weights do not write it."""
    tiny = open_runtime(tmp_path / "data", serving, max_epochs=10, batch_size=1, test_share=0.45)
    store_corrected(tiny, text="yes")
    before = tiny.engine().engine
    seen: list[float] = []

    finished = finetune.run(tiny, lambda share, _text: seen.append(share), actor=None)

    assert finished.is_promoted, [condition.text for condition in finished.gate.conditions]
    assert kinds(tiny) == [
        "dataset.ready",
        "training.started",
        "training.completed",
        "model.promoted",
    ]
    engine = tiny.engine().engine
    assert engine.model == finished.name == "tiny-tuned-1"
    assert engine.version == finished.outcome.version_after != before.version
    (version,) = recognisers.versions(tiny)
    assert (version.state, version.num_clips) == ("champion", len(finished.data.train))
    assert version.wer_after == finished.outcome.test.wer_after
    assert left_behind(tiny) == [finished.version_id]
    assert seen == sorted(seen)
    # The new one has its checkpoint beside it, so that it can learn again.
    assert finetune.readiness(tiny).problem is None

    assert recognisers.rollback(tiny) == tiny.settings.engine.name
    assert tiny.engine().engine.version == before.version
    tiny.close()


@pytest.mark.slow
def test_a_refused_one_is_listed_with_its_reasons_and_not_kept(
    tmp_path: Path, serving: Path
) -> None:
    runtime = open_runtime(tmp_path / "data", serving, min_test_clips=1000)
    store_corrected(runtime)
    job_id = finetune.start(runtime)

    assert runtime.trainer.run_next()

    with runtime.database.session() as session:
        assert jobs.get(session, job_id).state == "done"
    (version,) = recognisers.versions(runtime)
    assert version.state == "refused"
    assert any("at least 1000 are needed" in text for _, text in version.conditions)
    assert kinds(runtime)[-1] == "training.completed"
    assert preferences.get(runtime).engine.name == f"whisper:{serving}"
    assert left_behind(runtime) == []
    runtime.close()


@pytest.mark.slow
def test_a_failure_is_an_event_and_changes_nothing(tiny: Runtime, tmp_path: Path) -> None:
    store_corrected(tiny)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    changed = tiny.settings.finetune.model_copy(update={"checkpoint": str(broken)})
    tiny.settings = tiny.settings.model_copy(update={"finetune": changed})

    with pytest.raises(TrainingError, match="not a usable Whisper checkpoint"):
        finetune.run(tiny)

    assert kinds(tiny) == ["dataset.ready", "training.started", "training.failed"]
    assert recognisers.versions(tiny) == []
    assert left_behind(tiny) == []
    assert tiny.engine().engine.model == "tiny"


@pytest.mark.slow
def test_too_few_speakers_are_a_failure_that_says_what_is_missing(tiny: Runtime) -> None:
    store_corrected(tiny, num_clips=1)

    with pytest.raises(TrainingError, match="The split leaves no clip"):
        finetune.run(tiny)

    assert kinds(tiny) == ["training.failed"]


@pytest.mark.slow
def test_one_that_runs_is_cancelled_at_once(tiny: Runtime) -> None:
    store_corrected(tiny)
    finetune.start(tiny)
    tiny.trainer.start()
    deadline = time.monotonic() + 60
    while "training.started" not in kinds(tiny) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert finetune.cancel(tiny)

    while finetune.readiness(tiny).is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    assert kinds(tiny)[-1] == "training.failed"
    assert left_behind(tiny) == []


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_learns_leaves_what_serves(
    tmp_path: Path, serving: Path
) -> None:
    data_dir = tmp_path / "data"
    runtime = open_runtime(data_dir, serving)
    store_corrected(runtime)
    runtime.close()
    for turn in range(NUM_KILLS):
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.finetune_fixtures", data_dir, serving],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        time.sleep(3.0 + 2.5 * turn)
        trainers = _children(parent.pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.communicate()

        runtime = open_runtime(data_dir, serving)
        listed = recognisers.versions(runtime)
        serving_now = [version.name for version in listed if version.state == "champion"]
        assert runtime.engine().engine.model == (serving_now or ["tiny"])[0]
        runtime.close()
        deadline = time.monotonic() + 20
        while any(_is_alive(pid) for pid in trainers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(_is_alive(pid) for pid in trainers)


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _is_alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


# --- by itself ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_begins_by_itself_when_enough_is_new_and_once(tmp_path: Path, serving: Path) -> None:
    runtime = open_runtime(tmp_path / "data", serving, min_new_hours=0.01)
    store_corrected(runtime)
    assert finetune_schedule.begin_if_due(runtime) is None  # the recogniser is not loaded yet
    runtime.engine()

    assert finetune_schedule.begin_if_due(runtime) is not None
    assert finetune_schedule.begin_if_due(runtime) is None
    runtime.close()


@pytest.mark.slow
def test_it_begins_by_the_clock_when_anything_is_new(tmp_path: Path, serving: Path) -> None:
    now = utc_now().astimezone().replace(hour=3, minute=0) + timedelta(days=1)
    runtime = open_runtime(tmp_path / "data", serving, schedule="02:30", min_new_hours=0)
    runtime.engine()
    assert finetune_schedule.begin_if_due(runtime, now) is None
    store_corrected(runtime)

    assert finetune_schedule.begin_if_due(runtime, now.replace(hour=2, minute=0)) is None
    assert finetune_schedule.begin_if_due(runtime, now) is not None
    runtime.close()


@pytest.mark.slow
def test_it_does_not_begin_what_cannot_succeed(tmp_path: Path, serving: Path) -> None:
    runtime = open_runtime(tmp_path / "data", serving, min_new_hours=0.0001)
    runtime.engine()
    store_corrected(runtime, num_clips=1)

    assert finetune_schedule.begin_if_due(runtime) is None
    runtime.close()


def test_a_missing_recogniser_is_a_problem_and_no_crash(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EngineError("No recogniser.", suggestion="Get one.")

    monkeypatch.setattr(runtime, "engine", fail)

    problem = finetune.readiness(runtime).problem
    assert problem is not None
    assert problem.message == "No recogniser."
    assert np.isfinite(finetune.readiness(runtime).new_s)
