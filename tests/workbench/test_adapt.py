"""A recogniser without a model of its own: adapting to it from the desk's corrections."""

from pathlib import Path

import pytest

from qe_core.errors import ConflictError, ForbiddenError, TrainingError
from qe_core.estimation.estimator import Estimator
from storage.database import Session
from storage.repositories import assessments, hypotheses, jobs, models
from tests.retrain_fixtures import NUM_CALM, OpenCold, add_reviewed, fill, fill_calm
from tests.small_models import FAST, SCHEMA, example, sphinx
from tests.stored_clips import clip_id_of, estimate, store_clip
from workbench import (
    adapt,
    challengers,
    champions,
    cold_start,
    lineage,
    look_again,
    people,
    preferences,
    reestimate,
    retrain,
    retrain_schedule,
    shadow,
)
from workbench.cold_start import ColdStart
from workbench.lessons import LeftOut
from workbench.runtime import Runtime
from workbench.worker import Worker

OWNER = ("pocketsphinx", "en-us")


@pytest.fixture
def runtime(open_cold: OpenCold, cold_data: Path) -> Runtime:
    return open_cold(cold_data)


def found(runtime: Runtime) -> ColdStart:
    cold = cold_start.find(runtime)
    assert cold is not None
    return cold


# --- adapting ----------------------------------------------------------------------------------


def test_a_few_corrections_are_too_few_and_nothing_is_stored(open_cold: OpenCold) -> None:
    runtime = open_cold()
    fill_calm(runtime, 6)
    cold = found(runtime)
    assert (cold.step, cold.num_missing, cold.stages[0].num_adapted) == ("wait", 24, None)

    with pytest.raises(TrainingError, match="6 corrections to adapt to; at least 30"):
        adapt.run(runtime)

    with runtime.database.session() as session:
        assert models.list_versions(session) == []
    preferences.set(runtime, "retrain.every_reviews", 5)
    preferences.set(runtime, "retrain.min_new_reviews", 5)
    assert retrain_schedule.begin_if_due(runtime) is None


def test_corrections_bring_the_level_and_the_adaptation_serves(runtime: Runtime) -> None:
    cold = found(runtime)
    assert (cold.step, cold.num_adapted) == ("adapt", 0)
    assert 0 < cold.num_judging < 20
    assert cold.num_teaching + cold.num_judging == NUM_CALM

    outcome = adapt.run(runtime, actor="ann")

    assert outcome.verdict == "promoted"
    assert outcome.judgement.how == "cross_validation"
    assert outcome.judgement.after.mae < outcome.judgement.before.mae - 0.03
    serving = runtime.estimator(OWNER)
    assert serving.manifest.id == outcome.estimator
    assert (serving.manifest.engine, serving.manifest.model) == OWNER
    newest = champions.versions(runtime)[0]
    assert (newest.state, newest.num_reviews) == ("champion", cold.num_teaching)
    assert newest.actor == "ann"
    assert newest.adaptation == f"Adapted with {cold.num_teaching} of 300 reviews"
    assert newest.is_cross_validated
    assert any(f"{cold.num_judging} of 30 audits" in text for _, text in newest.conditions)
    after = found(runtime)
    assert (after.step, after.num_missing, after.num_adapted) == ("wait", 10, cold.num_teaching)
    first, second, _ = after.stages
    assert first.num_adapted == cold.num_teaching
    assert first.before == outcome.adaptation.before
    assert first.after == outcome.adaptation.after
    assert second.num_adapted is None


def test_the_profile_that_it_was_adapted_under_stays(runtime: Runtime) -> None:
    adapt.run(runtime)
    profile = runtime.estimator(OWNER).manifest.profile
    before = _estimate(runtime.estimator(OWNER))

    fill_calm(runtime, 3)

    assert profile is not None
    assert profile.num_clips == 37
    assert _estimate(runtime.estimator(OWNER)) == before
    assert runtime.estimator(OWNER).manifest.profile == profile
    moved = runtime.estimator_for_any(OWNER)
    assert moved.id == "small-any@46"
    # The next adaptation is fitted under the profile of its own day.
    assert adapt.base_of(runtime, OWNER)[0].profile == moved.profile


def _estimate(estimator: Estimator) -> float:
    made = example(7)
    return estimator.estimate(
        made.features, transcript=made.transcript, speech=(), duration_s=made.duration_s
    ).predicted_wer


def test_enough_held_out_audits_judge_and_never_teach(open_cold: OpenCold, cold_data: Path) -> None:
    runtime = open_cold(cold_data, min_test_clips=3)
    num_judging = found(runtime).num_judging

    outcome = adapt.run(runtime)

    assert (outcome.judgement.how, outcome.judgement.num_clips) == ("held_out", num_judging)
    assert outcome.adaptation.num_reviews == NUM_CALM - num_judging
    newest = champions.versions(runtime)[0]
    taught, judged = (newest.lineage[name] for name in ("review_ids", "held_out_review_ids"))
    assert isinstance(taught, list)
    assert isinstance(judged, list)
    assert (len(judged), set(taught) & set(judged)) == (num_judging, set())
    assert not newest.is_cross_validated
    assert newest.metrics["er20"] is not None
    assert any(f"{num_judging} audits that it was not fitted on" in t for _, t in newest.conditions)
    assert lineage.reproduce(runtime, outcome.version_id).is_identical


def test_corrections_that_belong_to_other_clips_are_refused_and_whose_they_are_is_said(
    open_cold: OpenCold,
) -> None:
    runtime = open_cold(min_length_agreement=0.2)
    numbers = sorted(range(1000, 1040), key=lambda number: example(number).duration_s)

    def work(session: Session) -> None:
        for place, number in enumerate(numbers):
            other = example(numbers[(place + 20) % 40])
            add_reviewed(session, number, reference=other.reference)

    runtime.database.write(work)

    outcome = adapt.run(runtime)

    failed = {item.name: item.text for item in outcome.gate.conditions if not item.passed}
    assert outcome.verdict == "refused"
    assert failed["heard"].startswith("The corrections by ")
    assert "not longer where more was written" in failed["heard"]


def test_random_text_as_corrections_is_refused(open_cold: OpenCold) -> None:
    runtime = open_cold(min_word_auc=0.52)
    fill(runtime, 32, num_audits=0, is_poisoned=True)

    outcome = adapt.run(runtime)

    assert outcome.verdict == "refused"
    assert "sense" in [c.name for c in outcome.gate.conditions if not c.passed]
    assert runtime.estimator(OWNER).manifest.engine == "any"
    assert found(runtime).stages[0].num_adapted is None


def test_where_challengers_are_tried_an_adaptation_is_tried_first(runtime: Runtime) -> None:
    preferences.set(runtime, "quality.shadow_clips", 5)

    outcome = adapt.run(runtime)

    assert outcome.verdict == "on trial"
    assert runtime.estimator(OWNER).manifest.engine == "any"
    trial = shadow.find(runtime)
    assert trial is not None
    assert trial.version_id == outcome.version_id
    cold = found(runtime)
    assert (cold.num_adapted, cold.num_on_trial) == (0, outcome.adaptation.num_reviews)
    assert cold.num_missing == 10  # what it learnt from is nothing new while it is tried
    champions.promote(runtime, outcome.version_id)
    assert found(runtime).num_adapted == outcome.adaptation.num_reviews


def test_references_of_a_manifest_bring_a_profile_when_hardly_anything_was_written_here(
    open_cold: OpenCold,
) -> None:
    runtime = open_cold()
    examples = [example(5000 + index) for index in range(40)]

    outcome = adapt.calibrate(runtime, sphinx(), examples, origin="calls.jsonl")

    folder = runtime.settings.models_dir / outcome.version_id
    profile = Estimator.load(folder).manifest.profile
    assert profile is not None
    assert profile.num_clips == 40
    assert "enough_reviews" not in [condition.name for condition in outcome.gate.conditions]


# --- the job -----------------------------------------------------------------------------------


def test_the_worker_adapts_once_and_everything_is_estimated_again(runtime: Runtime) -> None:
    preferences.set(runtime, "retrain.every_reviews", 12)
    job_id = retrain_schedule.begin_if_due(runtime)
    assert job_id is not None
    for start in (adapt.start, retrain.start):
        with pytest.raises(ConflictError):
            start(runtime)
    worker = Worker(runtime)

    assert worker.run_next()
    with runtime.database.session() as session:
        job = jobs.get(session, job_id)
    assert job.kind == challengers.ADAPT
    adapt.run_job(runtime, job, lambda _share, _text: None)  # as after a crash

    with runtime.database.session() as session:
        (version,) = models.list_versions(session)
        waiting = jobs.find_latest(session, kind=reestimate.REESTIMATE)
    assert (job.state, version.report["job_id"]) == ("done", job_id)
    assert waiting is not None
    assert waiting.payload["engine"] == "pocketsphinx"


def test_only_an_admin_adapts(open_cold: OpenCold) -> None:
    runtime = open_cold()
    people.sign_in(runtime, "ada", is_new_admin=True)
    people.sign_in(runtime, "ann")
    with pytest.raises(ForbiddenError):
        adapt.start(runtime, "ann")


def test_clips_are_estimated_again_once_when_the_profile_moves(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimated = []
    monkeypatch.setattr("workbench.assess.reassess", lambda _, clip_id: estimated.append(clip_id))

    assert reestimate.queue_if_profile_moved(runtime) is not None
    assert reestimate.queue_if_profile_moved(runtime) is None
    assert Worker(runtime).run_next()

    assert len(estimated) == NUM_CALM
    assert runtime.estimator(OWNER).id == "small-any@37"
    adapt.run(runtime)
    assert reestimate.queue_if_profile_moved(runtime) is None


def test_what_was_estimated_under_the_profile_of_today_needs_no_second_look(
    runtime: Runtime,
) -> None:
    before = look_again.backlog(runtime, 1000).num_clips
    for name in ("former", "newest"):
        written = {"text": "one two three", "version": sphinx().version}
        store_clip(runtime, name, feature_schema=SCHEMA, **written)
    assert look_again.backlog(runtime, 1000).num_clips == before + 2
    serving = runtime.estimator(OWNER).id
    assert serving != "small-any"

    def estimate_again(session: Session) -> None:
        hypothesis = hypotheses.find_latest(session, clip_id_of("newest"))
        assert hypothesis is not None
        assessments.add(
            session,
            hypothesis,
            estimate=estimate(1.0, 3.0, estimator=serving),
            features={},
            feature_schema=SCHEMA,
            must_review=False,
            duration_s=10.0,
            timings_s={},
        )

    runtime.database.write(estimate_again)
    assert look_again.backlog(runtime, 1000).num_clips == before + 1


# --- a model of its own ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("num_teaching", "num_judging", "num_missing", "step"),
    [(12, 0, 18, "wait"), (35, 2, 0, "adapt"), (500, 12, 0, "adapt"), (500, 30, 0, "train")],
)
def test_the_next_step_is_a_model_of_its_own_once_it_could_pass_the_gate(
    num_teaching: int, num_judging: int, num_missing: int, step: str
) -> None:
    cold = ColdStart(
        "whisper:base", 0, 0, num_teaching, num_judging, num_missing, 100, 30, (), LeftOut()
    )
    assert cold.step == step


@pytest.mark.slow
def test_a_model_of_its_own_is_judged_against_the_adapted_one(
    open_cold: OpenCold, cold_data: Path
) -> None:
    runtime = open_cold(cold_data, min_test_clips=3, max_mae_increase=1.0)
    adapted = adapt.run(runtime)
    assert adapted.verdict == "promoted"

    outcome = retrain.run(runtime, plan=FAST)

    assert "enough_reviews" in [c.name for c in outcome.gate.conditions if c.passed]
    assert outcome.num_reviews + outcome.num_held_out == NUM_CALM
    with runtime.database.session() as session:
        version = models.get_version(session, outcome.version_id)
    assert version.report["champion_id"] == adapted.estimator
    assert version.report["champion"]["mae"] == pytest.approx(adapted.judgement.after.mae)
    assert lineage.reproduce(runtime, outcome.version_id).is_identical
    assert outcome.is_promoted, [c.text for c in outcome.gate.conditions if not c.passed]
    assert cold_start.find(runtime) is None
    assert cold_start.next_job(runtime) == challengers.RETRAIN
    assert champions.rollback(runtime) == adapted.version_id
    assert found(runtime).num_adapted == adapted.adaptation.num_reviews
