"""The check after a kill bites: whatever is missing or half there is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.crash import Acknowledged, check
from tests.builders import add_assessment, add_clip, add_hypothesis, speech_like, wav_bytes
from tests.stored_versions import add_version
from workbench import intake
from workbench.runtime import Runtime


@pytest.fixture
def told(runtime: Runtime, speech_wav: bytes) -> Acknowledged:
    """One clip that was acknowledged; the runtime is closed, as after a crash."""
    told = Acknowledged()
    told.add(f"clip\t{intake.submit(runtime, speech_wav, file_name='a.wav').clip_id}\n")
    return told


def _after(runtime: Runtime, told: Acknowledged) -> list[str]:
    runtime.close()
    return check(runtime.settings.data_dir, told)


def test_an_intact_folder_has_no_problems(runtime: Runtime, told: Acknowledged) -> None:
    assert _after(runtime, told) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("clip\tc1\n", "clip c1 is gone"),
        ("assessed\tc1\n", "the transcript of clip c1 is gone"),
        ("draft\tc1\tsome text\n", "the draft of clip c1 is gone"),
        ("review\tc1\tsome text\n", "the review of clip c1 is gone"),
        ("version\tv1\n", "version v1 is gone"),
    ],
)
def test_what_was_acknowledged_and_is_not_there_is_named(
    runtime: Runtime, told: Acknowledged, line: str, problem: str
) -> None:
    told.add(line)
    assert _after(runtime, told) == [problem]


def test_a_line_that_the_kill_cut_off_acknowledges_nothing(
    runtime: Runtime, told: Acknowledged
) -> None:
    told.add("clip\tc1")
    assert _after(runtime, told) == []


def _lose_file(runtime: Runtime, clip_id: str) -> None:
    runtime.media.path(clip_id).unlink()


def _damage_file(runtime: Runtime, clip_id: str) -> None:
    runtime.media.path(clip_id).write_bytes(b"bit rot")


def _forget_assessment(runtime: Runtime, clip_id: str) -> None:
    with runtime.database.session() as session:
        add_hypothesis(session, clip_id)


def _forget_clip(runtime: Runtime, _clip_id: str) -> None:
    with runtime.database.session() as session:
        add_assessment(session, add_hypothesis(session, "f" * 64))


def _forget_job(runtime: Runtime, _clip_id: str) -> None:
    content = wav_bytes(speech_like(np.random.default_rng(7), 0.6))
    with runtime.media.receive(content, name="b.wav", max_bytes=10**6) as incoming:
        runtime.media.keep(incoming)
        with runtime.database.session() as session:
            add_clip(session, incoming.sha256)


def _forget_model(runtime: Runtime, _clip_id: str) -> None:
    with runtime.database.session() as session:
        add_version(session, "gone")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (_lose_file, "has no file"),
        (_damage_file, "is damaged"),
        (_forget_assessment, "a hypothesis without an assessment: 1"),
        (_forget_clip, "an assessment without its clip: 1"),
        (_forget_job, "was never queued"),
        (_forget_model, "does not load"),
    ],
)
def test_what_is_half_there_is_named(
    runtime: Runtime,
    told: Acknowledged,
    damage: Callable[[Runtime, str], None],
    problem: str,
) -> None:
    damage(runtime, next(iter(told.clips)))
    found = _after(runtime, told)
    assert len(found) == 1
    assert problem in found[0]


def test_a_folder_that_does_not_open_is_named(
    runtime: Runtime, told: Acknowledged, tmp_path: Path
) -> None:
    runtime.close()
    folder = tmp_path / "copy"
    shutil.copytree(runtime.settings.data_dir, folder)
    (folder / "werkbench.duckdb").write_bytes(b"broken" * 1000)
    assert check(folder, told)[0].startswith("it does not open")
