"""An adaptation says what it was made of, and can be made again from that."""

import json
from pathlib import Path

import pytest

from qe_core.errors import TrainingError
from storage.database import Session
from tests.retrain_fixtures import NUM_CALM, OpenCold, fill_calm
from tests.stored_clips import add_review, clip_id_of
from workbench import adapt, champions, lineage
from workbench.runtime import Runtime


@pytest.fixture
def runtime(open_cold: OpenCold, cold_data: Path) -> Runtime:
    return open_cold(cold_data)


def test_a_version_is_adapted_again_bit_for_bit_whatever_came_since(runtime: Runtime) -> None:
    version_id = adapt.run(runtime).version_id

    def work(session: Session) -> None:
        add_review(session, clip_id_of("clip-1000"), "quite another text")

    runtime.database.write(work)
    fill_calm(runtime, 3)
    adapt.run(runtime)

    made = lineage.reproduce(runtime, version_id)

    assert made.is_identical, made.files
    assert {"manifest.json", "rate.ubj", "word_errors.ubj"} <= made.files.keys()


def test_an_adapted_version_says_what_it_was_made_of_or_why_it_cannot_be_made_again(
    runtime: Runtime,
) -> None:
    outcome = adapt.run(runtime)

    shown = champions.versions(runtime)[0].lineage
    expected = {"normaliser", "schema", "engine_version", "code_version", "seed", "review_ids"}
    assert expected <= shown.keys()
    folder = runtime.settings.models_dir / outcome.version_id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    made_by = manifest["lineage"]["adaptation"]
    assert len(made_by["reviews"]) == NUM_CALM
    assert made_by["profile"]["num_clips"] == 37
    assert manifest["lineage"]["base_id"] == "small-any"
    assert manifest["metrics"]["held_out"]["estimator"]["mae"] == outcome.judgement.after.mae

    def with_lineage(adaptation: object) -> None:
        manifest["lineage"]["adaptation"] = adaptation
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    with_lineage({**made_by, "base": "base-gone"})
    with pytest.raises(TrainingError, match="is gone"):
        lineage.reproduce(runtime, outcome.version_id)
    with_lineage({"origin": "calls.jsonl"})
    with pytest.raises(TrainingError, match=r"references of calls\.jsonl") as caught:
        lineage.reproduce(runtime, outcome.version_id)
    assert "werkbench calibrate --manifest calls.jsonl" in caught.value.suggestion
    with_lineage(None)
    with pytest.raises(TrainingError, match="does not say what it was adapted to"):
        lineage.reproduce(runtime, outcome.version_id)
