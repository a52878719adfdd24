"""Calibrating: the serving estimator is adapted, shown, stored as a version, and rolled back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qe_core.config import load_settings
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import ForbiddenError, TrainingError
from storage.repositories import models
from tests.small_models import example, sphinx
from workbench import champions, people
from workbench.adapt import calibrate
from workbench.runtime import Runtime


@pytest.fixture
def runtime(ships_small_built_in: None, tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path, engine={"name": "pocketsphinx"}))
    yield opened
    opened.close()


def other_sound(count: int) -> list[TrainingExample]:
    """Clips that the estimator takes for as bad as at home, and in which nearly all is right."""
    made = [example(5000 + index) for index in range(count)]
    return [replace(item, reference=item.transcript.text + " more") for item in made]


def test_the_adapted_estimator_serves_and_is_nearer_to_the_truth(runtime: Runtime) -> None:
    owner = sphinx().name, sphinx().model

    finished = calibrate(runtime, sphinx(), other_sound(60), origin="calls.jsonl")

    before, after = finished.adaptation.before, finished.adaptation.after
    assert finished.verdict == "promoted"
    assert before is not None
    assert after is not None
    assert after.mae < before.mae - 0.05
    serving = runtime.estimator(owner).manifest
    assert serving.id == finished.estimator
    assert serving.adaptation == finished.adaptation
    assert serving.lineage["adaptation"]["origin"] == "calls.jsonl"
    assert serving.lineage["base_id"] == runtime.built_in_estimator().manifest.id


def test_a_version_says_how_far_it_has_come_and_can_be_rolled_back(runtime: Runtime) -> None:
    built_in = runtime.estimator().manifest.id
    finished = calibrate(runtime, sphinx(), other_sound(34), origin="calls.jsonl")

    newest = champions.versions(runtime)[0]
    assert (newest.id, newest.state) == (finished.version_id, "champion")
    assert newest.adaptation == "Adapted with 34 of 300 reviews"
    assert newest.metrics["mae"] < newest.champion_metrics["mae"]
    assert [is_met for is_met, _ in newest.conditions] == [True, True, True, True]
    assert newest.is_cross_validated

    champions.rollback(runtime)

    assert runtime.estimator().manifest.id == built_in
    assert runtime.estimator().manifest.adaptation is None


def test_a_second_calibration_starts_from_the_bare_estimator(runtime: Runtime) -> None:
    first = calibrate(runtime, sphinx(), other_sound(40), origin="calls.jsonl")
    second = calibrate(runtime, sphinx(), other_sound(40), origin="calls.jsonl")

    assert second.adaptation == first.adaptation
    assert runtime.estimator().manifest.id == second.estimator


def test_one_speaker_is_not_enough(runtime: Runtime) -> None:
    lonely = [replace(item, group="ann") for item in other_sound(30)]

    with pytest.raises(TrainingError, match="of one speaker at most"):
        calibrate(runtime, sphinx(), lonely, origin="calls.jsonl")

    with runtime.database.session() as session:
        assert models.list_versions(session) == []


def test_only_an_admin_calibrates(runtime: Runtime) -> None:
    people.sign_in(runtime, "ada", is_new_admin=True)
    people.sign_in(runtime, "ann")

    with pytest.raises(ForbiddenError):
        calibrate(runtime, sphinx(), other_sound(30), origin="calls.jsonl", actor="ann")
