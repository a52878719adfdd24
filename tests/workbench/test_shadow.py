"""A challenger on trial: it scores new clips along, and serves when nothing speaks against it."""

import logging
from dataclasses import replace

import pytest

from qe_core.asr.provider import Resolved
from qe_core.errors import ConflictError
from qe_core.estimation.estimator import Estimator
from storage.database import Session
from storage.repositories import assessments, hypotheses, shadows
from tests.retrain_fixtures import add_reviewed, fill
from tests.small_models import FAST, example, sphinx
from tests.stored_clips import add_clip, add_review, clip_id_of, estimate
from tests.stored_versions import add_version
from workbench import champions, preferences, retrain, shadow
from workbench.runtime import Runtime

pytestmark = pytest.mark.usefixtures("ships_small_built_in")

OWNER = ("pocketsphinx", "en-us")


@pytest.fixture
def runtime(small_runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    opened = small_runtime
    monkeypatch.setattr(opened, "loaded_engine", lambda: Resolved(sphinx(), "for a test"))
    for name, value in (("hours", 1e-9), ("clips", 2), ("audits", 2)):
        preferences.set(opened, f"quality.shadow_{name}", value)
    return opened


def begin_trial(runtime: Runtime, *, name: str = "challenger") -> str:
    """Store a version as a training that passed the gate would, and try it."""
    built_in = runtime.built_in_estimator()
    manifest = replace(built_in.manifest, id=name)
    replace(built_in, manifest=manifest).save(runtime.settings.models_dir / name)

    def work(session: Session) -> str:
        version = add_version(session, name, owner=OWNER, report={"is_passed": True})
        champions.note_decision(session, OWNER, version.id, "shadow", None)
        return version.id

    return runtime.database.write(work)


def score(
    runtime: Runtime, version_id: str, name: str, predicted: float, policy: str | None = "audit"
) -> None:
    """A clip of ten words with four errors, of which the champion expects two."""

    def work(session: Session) -> None:
        text = " ".join("abcdefghij")
        clip_id = add_clip(session, name, text=text, expected_errors=2.0)
        beside = assessments.find_latest(session, clip_id)
        assert beside is not None
        shadows.add(session, version_id, beside, estimate(predicted, 10))
        if policy is not None:
            add_review(session, clip_id, "w x y z " + " ".join("efghij"), policy=policy)

    runtime.database.write(work)


def state_of(runtime: Runtime, version_id: str) -> str:
    return {item.id: item.state for item in retrain.versions(runtime)}[version_id]


def test_a_trial_says_what_it_lacks(runtime: Runtime) -> None:
    preferences.set(runtime, "quality.shadow_hours", 24.0)
    version_id = begin_trial(runtime)
    score(runtime, version_id, "a", 3.0, policy=None)

    trial = shadow.find(runtime)

    assert trial is not None
    assert (trial.num_clips, trial.num_audits, trial.champion) == (1, 0, None)
    assert trial.champion_wer == pytest.approx(0.2)
    assert trial.challenger_wer == pytest.approx(0.3)
    assert trial.missing == (
        "24.0 of 24 hours.",
        "1 of 2 new clips.",
        "2 of 2 audits of these clips.",
    )
    assert not trial.is_over
    assert shadow.promote_if_due(runtime) is None
    assert state_of(runtime, version_id) == "challenger"


def test_a_challenger_whose_audits_are_not_worse_serves_when_its_trial_is_over(
    runtime: Runtime,
) -> None:
    version_id = begin_trial(runtime)
    for name in "ab":
        score(runtime, version_id, name, 3.0)
    trial = shadow.find(runtime)
    assert trial is not None
    assert trial.missing == ()
    assert trial.champion is not None
    assert trial.challenger is not None
    assert trial.champion.mae == pytest.approx(0.2)
    assert trial.challenger.mae == pytest.approx(0.1)

    assert shadow.promote_if_due(runtime) == version_id

    assert state_of(runtime, version_id) == "champion"
    assert runtime.estimator().manifest.id == "challenger"
    assert shadow.find(runtime) is None
    assert shadow.promote_if_due(runtime) is None


def test_a_challenger_whose_audits_are_worse_waits_for_a_person(runtime: Runtime) -> None:
    version_id = begin_trial(runtime)
    for name in "ab":
        score(runtime, version_id, name, 9.0)

    assert shadow.promote_if_due(runtime) is None

    trial = shadow.find(runtime)
    assert trial is not None
    assert trial.is_over
    assert "the mean error of its WER is 50.0 %, the champion's 20.0 %" in trial.missing[0]


def test_only_audits_count(runtime: Runtime) -> None:
    version_id = begin_trial(runtime)
    score(runtime, version_id, "a", 3.0, policy="expected_errors")
    trial = shadow.find(runtime)
    assert trial is not None
    assert trial.num_audits == 0


def test_a_challenger_can_be_dropped_or_promoted_by_hand(runtime: Runtime) -> None:
    version_id = begin_trial(runtime)
    shadow.drop(runtime, "ann")
    assert state_of(runtime, version_id) == "retired"
    assert shadow.find(runtime) is None
    with pytest.raises(ConflictError, match="No challenger"):
        shadow.drop(runtime)

    second = begin_trial(runtime, name="second")
    retrain.promote(runtime, second, "ann")
    assert state_of(runtime, second) == "champion"
    assert shadow.find(runtime) is None
    assert retrain.rollback(runtime) == retrain.BUILT_IN


def test_a_newer_challenger_takes_the_place_of_the_former(runtime: Runtime) -> None:
    former, newer = begin_trial(runtime), begin_trial(runtime, name="newer")
    assert (state_of(runtime, former), state_of(runtime, newer)) == ("retired", "challenger")


def test_without_a_trial_nothing_is_scored_or_promoted(runtime: Runtime) -> None:
    assert shadow.promote_if_due(runtime) is None
    preferences.set(runtime, "quality.shadow_clips", 0)
    preferences.set(runtime, "quality.shadow_hours", 0.0)
    assert not shadow.is_on(preferences.get(runtime).quality)


def score_clip(runtime: Runtime) -> None:
    """Assessing a clip ends with this."""
    with runtime.database.session() as session:
        stored = assessments.find_latest(session, clip_id_of("clip-7"))
        assert stored is not None
        written = hypotheses.get(session, stored.hypothesis_id)
    features = example(7).features
    shadow.score_along(runtime, stored, written.transcript, written.speech, features, None)


def test_the_challenger_scores_a_new_clip_and_the_assessment_stays_the_champions(
    runtime: Runtime,
) -> None:
    runtime.database.write(lambda session: add_reviewed(session, 7))
    score_clip(runtime)
    version_id = begin_trial(runtime)
    with runtime.database.session() as session:
        assert shadows.summarise(session, version_id)["num_clips"][0] == 0

    score_clip(runtime)

    with runtime.database.session() as session:
        assert shadows.summarise(session, version_id)["num_clips"][0] == 1
        latest = assessments.find_latest(session, clip_id_of("clip-7"))
    assert latest is not None
    assert latest.estimator == "builtin"


def test_a_challenger_that_cannot_be_loaded_stops_nobody(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.database.write(lambda session: add_reviewed(session, 7))
    begin_trial(runtime)
    (runtime.settings.models_dir / "challenger" / "words.ubj").write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        score_clip(runtime)
    assert "could not score along" in caplog.text


@pytest.mark.slow
def test_what_passes_the_gate_is_tried_before_it_serves(runtime: Runtime) -> None:
    fill(runtime)
    before = runtime.estimator().manifest.id

    outcome = retrain.run(runtime, plan=FAST)

    assert (outcome.is_promoted, outcome.is_tried) == (False, True)
    assert runtime.estimator().manifest.id == before
    assert state_of(runtime, outcome.version_id) == "challenger"
    trial = shadow.find(runtime)
    assert trial is not None
    assert trial.version_id == outcome.version_id
    assert Estimator.load(runtime.settings.models_dir / outcome.version_id)
