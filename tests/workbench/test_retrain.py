"""Retraining: what is learnt from, what judges, what the gate says, and what serves afterwards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qe_core.errors import ConflictError, EstimatorError, TrainingError
from storage.database import Session
from storage.repositories import assessments, events, models
from tests.retrain_fixtures import add_reviewed, fill, open_runtime
from tests.small_models import FAST, built_in_table, sphinx
from tests.stored_clips import add_clip, add_review
from workbench import lessons, preferences, quality, retrain
from workbench.retrain import BUILT_IN, LeftOut, RetrainOutcome
from workbench.runtime import Runtime

pytestmark = pytest.mark.usefixtures("ships_small_built_in")


@pytest.fixture
def runtime(small_runtime: Runtime) -> Runtime:
    return small_runtime


def trained(runtime: Runtime, **kwargs: object) -> RetrainOutcome:
    return retrain.run(runtime, plan=FAST, actor="ann", **kwargs)  # type: ignore[arg-type]  # names


def name_of(outcome: RetrainOutcome) -> str:
    return f"quality-pocketsphinx-en-us-{outcome.version_id[-8:].lower()}"


# --- what is learnt from -----------------------------------------------------------------------


def test_a_review_weighs_as_configured_on_average_and_rare_draws_weigh_more(
    runtime: Runtime,
) -> None:
    fill(runtime, 12, num_audits=2)

    found = lessons.gather(runtime, sphinx())

    weights = np.array([example.weight for example in found.examples])
    assert weights.mean() == pytest.approx(runtime.settings.retrain.review_weight)
    assert weights[0] / weights[-1] == pytest.approx(20 * 0.7)


def test_what_cannot_be_used_is_counted_by_reason(runtime: Runtime) -> None:
    def work(session: Session) -> None:
        add_reviewed(session, 0)
        rejected, silent = (add_clip(session, name) for name in ("rejected", "silent"))
        add_review(session, rejected, "", verdict="reject")
        add_review(session, silent, "")
        add_reviewed(session, 1, version="another")
        add_reviewed(session, 2, feature_schema="another@1:1")

    runtime.database.write(work)

    found = lessons.gather(runtime, sphinx())

    assert found.left_out == LeftOut(
        num_rejected=1, num_empty=1, num_other_engine=1, num_other_features=1
    )
    assert found.left_out.total == 4
    assert len(found.examples) == 1


def test_only_audits_judge_and_the_same_ones_for_ever(runtime: Runtime) -> None:
    fill(runtime, 40, num_audits=20)
    before = lessons.gather(runtime, sphinx())
    fill(runtime, 10, first=2000, num_audits=0)

    after = lessons.gather(runtime, sphinx())

    judging = {e.id for e, held in zip(before.examples, before.is_held_out, strict=True) if held}
    assert 0 < len(judging) < 20
    assert all(example.is_uniform_draw for example in before.examples if example.id in judging)
    assert judging == {
        e.id for e, held in zip(after.examples, after.is_held_out, strict=True) if held
    }


# --- the training ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_challenger_that_passes_the_gate_serves(runtime: Runtime) -> None:
    fill(runtime)
    steps: list[tuple[float, str]] = []

    outcome = trained(runtime, on_progress=lambda share, text: steps.append((share, text)))

    assert outcome.is_promoted
    assert runtime.estimator().manifest.id == name_of(outcome)
    newest, built_in = retrain.versions(runtime)
    assert (newest.id, newest.state, newest.actor) == (outcome.version_id, "champion", "ann")
    assert (built_in.id, built_in.state) == (BUILT_IN, "retired")
    assert newest.num_reviews == outcome.num_reviews
    assert newest.metrics["mae"] == outcome.duel.challenger.mae
    assert newest.champion_metrics["mae"] == outcome.duel.champion.mae
    assert all(is_met for is_met, _ in newest.conditions)
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 0.95


@pytest.mark.slow
def test_both_are_judged_on_the_same_clips_that_taught_neither(runtime: Runtime) -> None:
    fill(runtime, 40, num_audits=20)
    found = lessons.gather(runtime, sphinx())

    outcome = trained(runtime)

    held_out = int((built_in_table().is_held_out & built_in_table().is_uniform_draw).sum())
    assert outcome.num_held_out == held_out + sum(found.is_held_out)
    duel = outcome.duel
    assert duel.champion.num_clips == duel.challenger.num_clips == outcome.num_held_out
    learnt = runtime.estimator().manifest
    assert learnt.num_clips == (~built_in_table().is_held_out).sum() + outcome.num_reviews
    assert learnt.lineage["num_reviews"] == outcome.num_reviews


def teaching_audits(runtime: Runtime) -> int:
    found = lessons.gather(runtime, sphinx())
    pairs = zip(found.examples, found.is_held_out, strict=True)
    return sum(example.is_uniform_draw and not held_out for example, held_out in pairs)


@pytest.mark.slow
def test_audits_that_teach_judge_too_until_a_champion_knows_them(runtime: Runtime) -> None:
    fill(runtime, 40, num_audits=20)
    before = teaching_audits(runtime)

    first = trained(runtime)
    fill(runtime, 12, first=2000, num_audits=8)
    second = trained(runtime)

    assert first.is_promoted
    assert first.duel.num_teaching_audits == before > 0
    assert second.duel.num_teaching_audits == teaching_audits(runtime) - before > 0


@pytest.mark.slow
def test_too_few_new_reviews_are_refused_by_name_and_the_champion_stays(tmp_path: Path) -> None:
    runtime = open_runtime(tmp_path, min_new_reviews=50)
    fill(runtime)
    before = runtime.estimator().manifest.id

    outcome = trained(runtime)

    assert not outcome.is_promoted
    assert [c.name for c in outcome.gate.conditions if not c.passed] == ["enough_reviews"]
    assert runtime.estimator().manifest.id == before
    refused, built_in = retrain.versions(runtime)
    assert (refused.state, built_in.state) == ("refused", "champion")
    with pytest.raises(ConflictError, match="20 new reviews are too few"):
        retrain.promote(runtime, refused.id)
    runtime.close()


@pytest.mark.slow
def test_reviews_that_a_champion_knows_are_not_new(runtime: Runtime) -> None:
    fill(runtime)
    assert retrain.readiness(runtime).num_new == 20

    trained(runtime)
    after = retrain.readiness(runtime)
    fill(runtime, 3, first=2000, num_audits=0)

    assert (after.num_new, after.num_needed, after.is_running) == (0, 10, False)
    assert retrain.readiness(runtime).num_new == 3


@pytest.mark.slow
def test_rollback_goes_back_one_version_at_a_time(runtime: Runtime) -> None:
    built_in = runtime.estimator().manifest.id
    fill(runtime)
    outcome = trained(runtime)
    first = outcome.version_id
    fill(runtime, 12, first=2000)
    second = trained(runtime).version_id
    assert retrain.versions(runtime)[0].id == second

    assert retrain.rollback(runtime, "ann") == first
    assert runtime.estimator().manifest.id == name_of(outcome)
    assert retrain.rollback(runtime, "ann") == BUILT_IN
    assert runtime.estimator().manifest.id == built_in
    with pytest.raises(ConflictError, match="none before"):
        retrain.rollback(runtime)

    retrain.promote(runtime, second)
    assert [version.state for version in retrain.versions(runtime)] == [
        "champion",
        "retired",
        "retired",
    ]
    retrain.promote(runtime, BUILT_IN)
    with pytest.raises(ConflictError, match="serves already"):
        retrain.promote(runtime, BUILT_IN)
    assert retrain.rollback(runtime) == second


@pytest.mark.slow
def test_a_damaged_version_cannot_be_promoted(runtime: Runtime) -> None:
    fill(runtime)
    version_id = trained(runtime).version_id
    retrain.rollback(runtime)
    (runtime.settings.models_dir / version_id / "words.ubj").write_bytes(b"x")

    with pytest.raises(EstimatorError):
        retrain.promote(runtime, version_id)

    assert retrain.versions(runtime)[-1].state == "champion"


@pytest.mark.slow
def test_after_a_promotion_stored_clips_are_estimated_again(runtime: Runtime) -> None:
    fill(runtime)
    outcome = trained(runtime)

    while runtime.worker.run_next():
        pass

    with runtime.database.session() as session:
        estimators = {row.estimator for row in assessments.list_latest(session)}
        kinds = [event.kind for event in events.list_recent(session)]
    assert estimators == {runtime.estimator().manifest.id}
    assert "model.promote" in kinds
    # The audits that taught the new champion no longer correct its estimates.
    stream = quality.summary(runtime).stream
    assert outcome.num_reviews > 0
    assert stream.num_audits < 5


@pytest.mark.slow
def test_a_crash_before_the_row_leaves_nothing_but_a_folder_that_is_swept(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(runtime)
    before = runtime.estimator().manifest.id

    def crash(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(models, "add_version", crash)
        with pytest.raises(KeyboardInterrupt):
            trained(runtime)
    left = list(runtime.settings.models_dir.iterdir())
    assert len([path for path in left if path.is_dir()]) == 1
    assert runtime.estimator().manifest.id == before

    outcome = trained(runtime)

    folders = [path.name for path in runtime.settings.models_dir.iterdir() if path.is_dir()]
    assert folders == [outcome.version_id]


@pytest.mark.slow
def test_without_any_correction_there_is_nothing_to_train(runtime: Runtime) -> None:
    with pytest.raises(TrainingError, match="no correction to learn from"):
        trained(runtime)

    assert len(retrain.versions(runtime)) == 1


@pytest.mark.slow
def test_another_engine_learns_from_its_own_reviews_alone(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in examples are another engine's; without audits nothing can judge."""
    fill(runtime, 30, num_audits=0)
    manifest = runtime.built_in_estimator().manifest
    foreign = replace(runtime.built_in_estimator(), manifest=replace(manifest, model="other"))
    monkeypatch.setattr(runtime, "built_in_estimator", lambda _depth=None: foreign)

    with pytest.raises(TrainingError, match="no held-out clip"):
        trained(runtime)


@pytest.mark.slow
def test_a_poisoned_batch_is_refused_by_name_of_what_gets_worse(runtime: Runtime) -> None:
    fill(runtime, 60, num_audits=10, is_poisoned=True)
    before = runtime.estimator().manifest.id
    for name, value in (
        ("min_spearman", 0.0),
        ("max_recall_loss", 0.03),
        ("max_mae_increase", 0.01),
        ("max_slice_loss", 0.03),
    ):
        preferences.set(runtime, f"retrain.{name}", value)

    outcome = trained(runtime)

    assert not outcome.is_promoted
    assert runtime.estimator().manifest.id == before
    failed = {item.name: item.text for item in outcome.gate.conditions if not item.passed}
    assert "set: reference clips (40 clips)" in failed["slices"]
    assert "source: synthetic" in failed["slices"]
