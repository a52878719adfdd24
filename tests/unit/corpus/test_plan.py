"""A plan says which clips a corpus holds; the same plan says the same for ever."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qe_core.corpus.build import join_parts
from qe_core.corpus.plan import CorpusPlan, plan_tasks

PlanOf = Callable[[int], CorpusPlan]


@pytest.fixture
def plan_of(tmp_path: Path) -> PlanOf:
    """Plans over two speakers with so many clips of 3 s each."""

    def make(num_clips: int) -> CorpusPlan:
        with (tmp_path / "speech.jsonl").open("w") as file:
            for number in range(2 * num_clips):
                path = tmp_path / f"{number}.flac"
                samples = 0.1 * np.sin(np.arange(48_000) / 10 + 0.1)
                soundfile.write(path, samples, 16_000, subtype="PCM_16")
                row = {"audio_filepath": path.name, "text": f"clip {number}", "source": "a"}
                row |= {"speaker": f"speaker-{number % 2}", "language": "en"}
                file.write(json.dumps(row) + "\n")
        return CorpusPlan(
            manifest=tmp_path / "speech.jsonl",
            noise_manifest=tmp_path / "noise.jsonl",
            copies={"a": 0},
            limits={},
        )

    return make


def test_long_clips_leave_the_others_as_they_were(plan_of: PlanOf, tmp_path: Path) -> None:
    plan = plan_of(3)

    short = plan_tasks(plan, tmp_path)
    both = plan_tasks(replace(plan, long={"a": 4}), tmp_path)

    unchanged = [task for task in both if task.length_s is None]
    assert sorted(map(str, unchanged)) == sorted(map(str, short))
    assert sum(task.length_s is not None for task in both) == 4
    assert both == plan_tasks(replace(plan, long={"a": 4}), tmp_path)


def test_a_long_clip_is_of_one_speaker_and_as_long_as_planned(
    plan_of: PlanOf, tmp_path: Path
) -> None:
    tasks = plan_tasks(replace(plan_of(12), long={"a": 20}), tmp_path)
    long = [task for task in tasks if task.length_s is not None]

    assert len({task.audio_path for task in tasks}) == 24 + 20
    for task in long:
        samples, reference = join_parts(task, tmp_path)
        duration_s = len(samples) / 16_000
        assert len({row["speaker"] for row in task.rows}) == 1
        assert task.length_s is not None
        # One part more than asked for is at most 3 s and a pause; never more than a window.
        assert task.length_s - 4 <= duration_s <= min(30.0, task.length_s + 4)
        assert reference.startswith(task.rows[0]["text"])
        assert reference.count("clip") == round(np.count_nonzero(samples) / 48_000)


def test_a_speaker_with_one_clip_makes_no_long_one(plan_of: PlanOf, tmp_path: Path) -> None:
    assert len(plan_tasks(replace(plan_of(1), long={"a": 5}), tmp_path)) == 2
