"""Which corrected clips a recogniser learns from, and which only judge it."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from qe_core.config import EngineSettings, FinetuneSettings
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.recogniser.dataset import (
    DataSet,
    SpokenClip,
    part_of,
    require_all_parts,
    sort_out,
)
from qe_core.recogniser.finetune_task import Task

SETTINGS = FinetuneSettings()


def clip(name: str = "a", **changes: object) -> SpokenClip:
    usable = SpokenClip(name, Path("a.wav"), "one two", duration_s=3.0, snr_db=20.0)
    return replace(usable, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_rejected": True, "text": ""}, "rejected"),
        ({"text": " [noise] … "}, "empty"),
        ({"duration_s": 0.4}, "too_short"),
        ({"duration_s": 30.1}, "too_long"),
        ({"snr_db": float("nan")}, "unknown_snr"),
        ({"snr_db": 4.9}, "noisy"),
        ({"snr_db": 4.9, "duration_s": 0.1}, "too_short"),
    ],
)
def test_a_clip_is_left_out_and_counted_once_by_its_first_reason(
    changes: dict[str, object], reason: str
) -> None:
    data = sort_out([clip(), clip("b", **changes)], SETTINGS)

    assert data.num_clips == 1
    assert {name: count for name, count in data.left_out.items() if count} == {reason: 1}


def test_bounds_belong_to_what_is_taken() -> None:
    clips = [clip("a", duration_s=0.5), clip("b", duration_s=30.0), clip("c", snr_db=5.0)]

    assert sort_out(clips, SETTINGS).num_clips == 3


def test_all_clips_of_a_speaker_are_in_one_part() -> None:
    clips = [clip(f"{n}", speaker=f"speaker-{n % 50}") for n in range(500)]

    data = sort_out(clips, SETTINGS.model_copy(update={"test_share": 0.2, "validation_share": 0.2}))

    speakers = [
        {clip.speaker for clip in part} for part in (data.train, data.validation, data.test)
    ]
    assert all(speakers)
    assert sum(map(len, speakers)) == len(set().union(*speakers)) == data.num_speakers == 50


def test_clips_of_one_speaker_are_split_only_when_asked_to() -> None:
    clips = [clip(f"{n}", speaker="ann") for n in range(300)]

    together = sort_out(clips, SETTINGS)
    apart = sort_out(clips, SETTINGS.model_copy(update={"split_by": "clip"}))

    assert [len(together.part(name)) for name in ("validation", "test")] == [0, 0]
    assert all(apart.part(name) for name in ("train", "validation", "test"))


def test_shares_are_met_about() -> None:
    parts = [part_of(f"speaker-{number}", SETTINGS) for number in range(5000)]

    assert parts.count("test") / 5000 == pytest.approx(0.04, abs=0.01)
    assert parts.count("validation") / 5000 == pytest.approx(0.04, abs=0.01)


def test_who_judges_is_held_out_of_all_other_training() -> None:
    names = [f"speaker-{number}" for number in range(1000)]

    assert all(is_held_out(name) for name in names if part_of(name, SETTINGS) != "train")


def test_nothing_to_learn_from_is_said_with_the_reasons() -> None:
    data = sort_out([clip(snr_db=1.0), clip(snr_db=2.0), clip(text="")], SETTINGS)

    with pytest.raises(TrainingError, match="left out: 1 without words, 2 too noisy"):
        require_all_parts(data)
    with pytest.raises(TrainingError, match="nothing has been reviewed yet"):
        require_all_parts(sort_out([], SETTINGS))


@pytest.mark.parametrize(
    ("speakers", "shown"),
    [(["ann"], "one speaker"), (["ann", "bob"], "2 speakers"), ([None], "unknown speakers")],
)
def test_an_empty_part_is_said_with_what_is_missing(speakers: list[str], shown: str) -> None:
    data = sort_out([clip(speaker=speaker) for speaker in speakers], SETTINGS)

    with pytest.raises(TrainingError, match=f"no clip for validation and test.*{shown}") as caught:
        require_all_parts(data)
    assert "more speakers" in caught.value.suggestion


def test_a_task_keeps_ratios_that_are_not_finite_on_its_way_to_the_process() -> None:
    data = DataSet((clip(snr_db=math.inf),), (), (), {"noisy": 1})
    task = Task(Path("s"), Path("c"), Path("w"), data, data, SETTINGS, EngineSettings())

    assert Task.from_json(task.to_json()) == task
