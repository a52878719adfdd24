"""Looking at the clips in the queue again after the depth has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from qe_core.asr.provider import Resolved
from qe_core.asr.second import SECOND
from qe_core.config import load_settings
from qe_core.errors import ConflictError, EngineError, ForbiddenError
from qe_core.features import DEPTHS
from qe_core.features.base import schema_of
from storage.records import StoredAssessment
from storage.repositories import assessments, entries, hypotheses, jobs, windows
from tests.stored_clips import store_clip, store_review
from tests.typist import Typist
from workbench import intake, lessons, look_again, people, preferences
from workbench.assess import assess_clip
from workbench.look_again import Depths
from workbench.runtime import Runtime
from workbench.worker import Worker

pytestmark = pytest.mark.slow

NUM_CLIPS = 4


@pytest.fixture
def runtime(tmp_path: Path, ships_both_depths: None) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path, engine={"name": "pocketsphinx"}))
    yield opened
    opened.close()


@pytest.fixture
def typist(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """The recogniser in use."""
    typist = Typist(("pocketsphinx", "en-us"), "one two three")
    monkeypatch.setattr(runtime, "engine", lambda _progress=None: Resolved(typist, "for a test"))
    return typist


@pytest.fixture
def second(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """The recogniser that gives second opinions."""
    typist = Typist(SECOND, "one too three")
    monkeypatch.setattr(runtime, "second_engine", lambda: typist)
    return typist


@pytest.fixture
def clip_ids(runtime: Runtime, typist: Typist, speech_wav: bytes) -> list[str]:
    """Clips that were assessed at depth standard; the depth is thorough from now on."""
    ids = []
    for index in range(NUM_CLIPS):
        sound = speech_wav[:-2] + bytes([index, 0])
        ids.append(intake.submit(runtime, sound, file_name=f"{index}.wav").clip_id)
        assess_clip(runtime, ids[-1])
    while runtime.worker.run_next():
        pass
    typist.num_calls = 0
    preferences.set(runtime, "quality.depth", "thorough")
    return ids


def latest(runtime: Runtime, clip_id: str) -> StoredAssessment:
    with runtime.database.session() as session:
        found = assessments.find_latest(session, clip_id)
    assert found is not None
    return found


def num_thorough(runtime: Runtime, clip_ids: list[str]) -> int:
    schema = schema_of(DEPTHS["thorough"])
    return [latest(runtime, clip_id).feature_schema for clip_id in clip_ids].count(schema)


def outcome(runtime: Runtime) -> tuple[int, int, str]:
    event = look_again.latest(runtime)
    assert event is not None
    return event.payload["num_clips"], event.payload["num_failed"], event.payload["depth"]


def test_clips_in_the_queue_get_the_second_opinion_and_are_not_transcribed_again(
    runtime: Runtime, typist: Typist, second: Typist, clip_ids: list[str]
) -> None:
    former = latest(runtime, clip_ids[0])
    found = look_again.backlog(runtime, 1000)
    assert (found.num_clips, found.num_taken) == (NUM_CLIPS, NUM_CLIPS)
    assert found.duration_s == pytest.approx(NUM_CLIPS * 2.0, abs=0.1)
    assert found.cost_s == pytest.approx(found.duration_s * 0.101)

    look_again.start(runtime, 1000)
    assert runtime.trainer.run_next()

    assert (typist.num_calls, second.num_calls) == (0, NUM_CLIPS)
    now = latest(runtime, clip_ids[0])
    assert now.hypothesis_id == former.hypothesis_id
    assert now.features["second_disagreement"] == pytest.approx(2 / 6)
    assert now.estimator == runtime.estimator().manifest.id
    with runtime.database.session() as session:
        kept = assessments.get(session, former.id)
        opinion = hypotheses.find_latest(session, clip_ids[0], is_second=True)
        entry = entries.find(session, clip_ids[0])
    assert kept == former
    assert opinion is not None
    assert opinion.text == "one too three"
    assert entry is not None
    assert entry.predicted_wer == now.predicted_wer
    assert outcome(runtime) == (NUM_CLIPS, 0, "thorough")
    assert look_again.backlog(runtime, 1000).num_clips == 0


def test_the_worst_clips_come_first_and_no_more_than_asked_for(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    runtime.database.write(
        lambda session: session.connection().execute(
            sa.text("UPDATE queue_entries SET expected_errors = 99 WHERE clip_id = :id"),
            {"id": clip_ids[2]},
        )
    )

    look_again.start(runtime, 1)
    runtime.trainer.run_next()

    assert num_thorough(runtime, clip_ids) == num_thorough(runtime, [clip_ids[2]]) == 1
    found = look_again.backlog(runtime, 2)
    assert (found.num_clips, found.num_taken) == (NUM_CLIPS - 1, 2)


def test_what_was_cut_off_goes_on_where_it_was(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    look_again.start(runtime, 3)
    with runtime.database.session() as session:
        queued = jobs.find_latest(session, kind=look_again.LOOK_AGAIN)
    assert queued is not None
    taken = runtime.database.write(lambda session: jobs.take_next(session, ["look_again"]))
    assert taken is not None

    class Killed(BaseException):
        """The process ends in the middle of the second clip's turn."""

    def report(share: float, _stage: str) -> None:
        if share > 0.4:
            raise Killed

    with pytest.raises(Killed):
        look_again.run_job(runtime, taken, report)
    assert second.num_calls == 2

    runtime.trainer.recover()
    assert runtime.trainer.run_next()

    assert second.num_calls == 3
    assert num_thorough(runtime, clip_ids) == 3
    assert outcome(runtime) == (3, 0, "thorough")


def test_audits_are_looked_at_along_so_that_the_streams_wer_stays_true(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    for clip_id, policy in zip(clip_ids, ("audit", "expected_errors"), strict=False):
        store_review(runtime, clip_id, "one two three", policy=policy)
        runtime.database.write(lambda session, at=clip_id: entries.move(session, at, "done"))
    # Both have what is needed; the clips are estimated by another model from now on.
    preferences.set(runtime, "quality.depth", "standard")
    runtime.database.write(
        lambda session: session.connection().execute(
            sa.text("UPDATE assessments SET estimator = 'former'")
        )
    )
    look_again.start(runtime, 1000)
    runtime.trainer.run_next()
    found = [latest(runtime, clip_id).estimator for clip_id in clip_ids]
    assert found == [found[0], "former", found[0], found[0]]
    assert found[0] != "former"


def test_corrections_that_lack_features_are_made_fit_to_teach(
    runtime: Runtime, typist: Typist, second: Typist, clip_ids: list[str]
) -> None:
    store_review(runtime, clip_ids[0], "one two three", policy="expected_errors")
    runtime.database.write(lambda session: entries.move(session, clip_ids[0], "done"))
    assert lessons.survey(runtime, typist).left_out.num_other_features == 1
    store_review(runtime, clip_ids[1], "", verdict="reject")
    runtime.database.write(lambda session: entries.move(session, clip_ids[1], "done"))
    look_again.start(runtime, 1000)
    runtime.trainer.run_next()
    assert num_thorough(runtime, clip_ids) == NUM_CLIPS - 1
    assert lessons.survey(runtime, typist).left_out == lessons.LeftOut(num_rejected=1)


def test_drift_goes_by_how_a_clip_was_looked_at_when_it_came_in(
    runtime: Runtime, second: Typist, clip_ids: list[str], speech_wav: bytes
) -> None:
    look_again.start(runtime, 2)
    runtime.trainer.run_next()
    new = intake.submit(runtime, speech_wav + b"\x01\x00", file_name="new.wav").clip_id
    assess_clip(runtime, new)
    with runtime.database.session() as session:
        newest, former = windows.eras(session)
    assert (newest.num_clips, former.num_clips) == (1, NUM_CLIPS)


def test_clips_of_other_recognisers_are_left_alone(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    runtime.database.write(
        lambda session: session.connection().execute(
            sa.text("UPDATE hypotheses SET model = 'other' WHERE clip_id = :id"),
            {"id": clip_ids[1]},
        )
    )
    assert look_again.backlog(runtime, 1000).num_clips == NUM_CLIPS - 1


def test_a_clip_that_cannot_be_looked_at_keeps_its_estimate_and_is_counted(
    runtime: Runtime,
    second: Typist,
    clip_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime.media.path(clip_ids[0]).unlink()
    look_again.start(runtime, 1000)
    runtime.trainer.run_next()
    assert outcome(runtime) == (NUM_CLIPS - 1, 1, "thorough")

    def cannot_load() -> None:
        raise EngineError("There is none.", suggestion="Install it.")

    monkeypatch.setattr(runtime, "second_engine", cannot_load)
    look_again.start(runtime, 1000)
    runtime.trainer.run_next()
    event = look_again.latest(runtime)
    assert event is not None
    assert event.payload["num_clips"] == 0
    assert event.payload["error"]


def test_it_can_be_stopped_and_begun_once_and_only_by_an_admin(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    assert not look_again.stop(runtime)
    look_again.start(runtime, 1000)
    with pytest.raises(ConflictError, match="already"):
        look_again.start(runtime, 1000)
    assert look_again.stop(runtime)
    runtime.trainer.run_next()
    assert (second.num_calls, outcome(runtime)) == (0, (0, 0, "thorough"))

    people.sign_in(runtime, "ann", is_new_admin=True)
    people.sign_in(runtime, "bob")
    for refused in (
        lambda: look_again.start(runtime, 1, "bob"),
        lambda: look_again.stop(runtime, "bob"),
    ):
        with pytest.raises(ForbiddenError):
            refused()


def test_a_clip_that_somebody_reviews_meanwhile_is_passed_over(
    runtime: Runtime, second: Typist, clip_ids: list[str]
) -> None:
    look_again.start(runtime, 1000)
    taken = runtime.database.write(lambda session: jobs.take_next(session, ["look_again"]))
    assert taken is not None

    def review_all(_share: float, _stage: str) -> None:
        for clip_id in clip_ids:
            runtime.database.write(lambda session, at=clip_id: entries.move(session, at, "done"))

    look_again.run_job(runtime, taken, review_all)
    assert second.num_calls == 0


def test_what_serves_is_told_from_what_is_computed_and_what_is_learnt(
    runtime: Runtime, clip_ids: list[str]
) -> None:
    assert look_again.depths(runtime) == Depths("thorough", "thorough", "thorough", "thorough")
    preferences.set(runtime, "quality.depth", "fast")
    assert look_again.depths(runtime) == Depths("fast", "standard", "standard", "standard")


def test_new_clips_do_not_wait_for_it_and_it_raises_no_alarm(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    look_again.start(runtime, 10)
    assert not Worker(runtime).run_next()
    assert "look_again" in runtime.trainer.kinds
