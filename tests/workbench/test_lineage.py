"""A version can be made again from its lineage, bit for bit."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from qe_core.errors import TrainingError
from storage.database import Session
from tests.retrain_fixtures import LENIENT, fill, open_runtime
from tests.small_models import FAST
from tests.stored_clips import add_review, clip_id_of
from workbench import lineage, retrain
from workbench.runtime import Runtime

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ships_small_built_in")]


@pytest.fixture
def runtime(small_runtime: Runtime) -> Runtime:
    return small_runtime


def test_a_version_lists_what_it_was_made_of(runtime: Runtime) -> None:
    fill(runtime, 40, num_audits=20)
    outcome = retrain.run(runtime, plan=FAST)

    listed = retrain.versions(runtime)[0].lineage

    review_ids, judging = listed["review_ids"], listed["held_out_review_ids"]
    assert isinstance(review_ids, list)
    assert isinstance(judging, list)
    assert len(review_ids) == outcome.num_reviews
    assert len(set(review_ids) | set(judging)) == 40
    expected = {"normaliser", "schema", "engine_version", "code_version", "seed", "num_clips"}
    assert expected <= listed.keys()


def test_what_came_since_changes_nothing_about_a_version_that_is_made_again(
    runtime: Runtime,
) -> None:
    fill(runtime, 40, num_audits=20)
    version_id = retrain.run(runtime, plan=FAST).version_id

    def work(session: Session) -> None:
        add_review(session, clip_id_of("clip-1000"), "quite another text")

    runtime.database.write(work)
    fill(runtime, 5, first=3000)
    retrain.run(runtime, plan=FAST)

    made = lineage.reproduce(runtime, version_id)

    assert made.is_identical
    assert {"manifest.json", "rate.ubj", "word_errors.ubj"} <= made.files.keys()
    assert made.code_before == made.code_now


def test_a_version_whose_reviews_are_gone_says_so(runtime: Runtime) -> None:
    fill(runtime)
    version_id = retrain.run(runtime, plan=FAST).version_id
    folder = runtime.settings.models_dir / version_id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["lineage"]["retraining"]["reviews"][0][0] = "lost"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(TrainingError, match=r"1 of its 20 reviews are gone, e\.g\. lost"):
        lineage.reproduce(runtime, version_id)
    del manifest["lineage"]["retraining"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(TrainingError, match="does not say"):
        lineage.reproduce(runtime, version_id)


def test_the_command_says_whether_all_files_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = open_runtime(tmp_path)
    fill(runtime)
    version_id = retrain.run(runtime, plan=FAST).version_id
    runtime.close()
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WERKBENCH_ENGINE__NAME", "pocketsphinx")
    for name, value in LENIENT.items():
        monkeypatch.setenv(f"WERKBENCH_RETRAIN__{name.upper()}", str(value))

    same = CliRunner().invoke(app, ["reproduce", version_id, "--json"])
    manifest = tmp_path / "models" / version_id / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    other = CliRunner().invoke(app, ["reproduce", version_id])
    unknown = CliRunner().invoke(app, ["reproduce", "nope"])

    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["is_identical"]
    assert other.exit_code == 1
    assert "manifest.json" in other.stdout
    assert unknown.exit_code == 2
