"""Rows in, records out; the latest row counts."""

import math
from datetime import UTC, timedelta

import pytest

from qe_core.errors import NotFoundError
from qe_core.wer import ErrorCounts
from storage.columns import utc_now
from storage.database import Database, Session
from storage.records import Job, Review
from storage.repositories import (
    assessments,
    clips,
    drafts,
    events,
    hypotheses,
    jobs,
    models,
    preferences,
    reviews,
)
from tests.builders import add_assessment, add_clip, add_hypothesis, transcript


def _add_review(session: Session, clip_id: str = "a" * 64, **overrides: object) -> Review:
    values: dict[str, object] = {
        "clip_id": clip_id,
        "hypothesis_id": "h",
        "assessment_id": "a",
        "reviewer": "ann",
        "verdict": "correct",
        "text": "one too three",
        "normaliser": "basic-1",
        "counts": ErrorCounts(2, 1, 0, 0),
        "predicted_wer": 0.2,
        "lead_time_s": 12.0,
        "listened_share": 0.9,
        "policy": "audit",
        "propensity": 0.15,
    }
    return reviews.add(session, **{**values, **overrides})  # type: ignore[arg-type]  # test defaults


def _take(database: Database) -> Job:
    job = database.write(lambda session: jobs.take_next(session, ("assess",)))
    assert job is not None
    return job


def test_times_are_aware_and_in_utc(database: Database) -> None:
    before = utc_now()
    with database.session() as session:
        add_clip(session)
    with database.session() as session:
        created_at = clips.get(session, "a" * 64).created_at
    assert created_at.tzinfo is UTC
    assert before - timedelta(milliseconds=1) <= created_at <= utc_now()


def test_a_clip_that_does_not_exist_is_told(database: Database) -> None:
    with database.session() as session:
        assert clips.find(session, "x") is None
        with pytest.raises(NotFoundError, match="There is no clip 'x'"):
            clips.get(session, "x")


def test_file_names_are_found_by_id(database: Database) -> None:
    with database.session() as session:
        add_clip(session, "a" * 64, file_name="a.wav")
        add_clip(session, "b" * 64, file_name="b.wav")
        assert clips.file_names(session, ["b" * 64, "c" * 64]) == {"b" * 64: "b.wav"}
        assert clips.ids(session) == {"a" * 64, "b" * 64}


def test_a_hypothesis_comes_back_whole(database: Database) -> None:
    written = transcript("one “two” 三", parameters={"beam_size": 5, "vad": True})
    with database.session() as session:
        stored = hypotheses.add(session, "c", written, ())
    with database.session() as session:
        found = hypotheses.get(session, stored.id)
    assert found.transcript == written
    assert found.text == "one “two” 三"


def test_the_latest_hypothesis_can_be_asked_for_by_engine(database: Database) -> None:
    with database.session() as session:
        first = add_hypothesis(session)
        second = add_hypothesis(session, engine="whisper", model="base", version="2")
        assert hypotheses.find_latest(session, "a" * 64) == second
        assert hypotheses.find_latest(session, "a" * 64, engine="pocketsphinx") == first
        assert hypotheses.find_latest(session, "a" * 64, engine="whisper", version="3") is None
        with pytest.raises(NotFoundError, match="no hypothesis"):
            hypotheses.get(session, "x")


def test_undefined_features_come_back_as_nan(database: Database) -> None:
    with database.session() as session:
        stored = add_assessment(
            session, add_hypothesis(session), features={"a": 1.5, "b": math.nan, "c": math.inf}
        )
        found = assessments.get(session, stored.id)
    assert found is not None
    assert found.features["a"] == 1.5
    assert math.isnan(found.features["b"])
    assert math.isnan(found.features["c"])
    assert found.timings_s == {"transcription": 1.0}


def test_the_latest_assessment_is_the_current_one(database: Database) -> None:
    with database.session() as session:
        for clip_id in ("a" * 64, "b" * 64):
            hypothesis = add_hypothesis(session, clip_id)
            add_assessment(session, hypothesis, 0.1)
            add_assessment(session, hypothesis, 0.2)
        current = assessments.list_latest(session)
        assert [found.predicted_wer for found in current] == [0.2, 0.2]
        assert assessments.find_latest(session, "a" * 64) == current[0]
        assert assessments.find_latest(session, "c" * 64) is None
        assert assessments.list_latest(session, since=utc_now()) == []
        assert assessments.list_latest(session, until=utc_now()) == current


def test_a_clip_is_flagged_from_the_threshold_on_or_by_rule(database: Database) -> None:
    with database.session() as session:
        hypothesis = add_hypothesis(session)
        stored = add_assessment(session, hypothesis, 0.3)
        ruled = add_assessment(session, hypothesis, 0.0, must_review=True)
    assert stored.is_flagged(0.3)
    assert not stored.is_flagged(0.31)
    assert ruled.is_flagged(2.0)


def test_the_latest_review_of_a_clip_counts(database: Database) -> None:
    with database.session() as session:
        first = _add_review(session)
        second = _add_review(session, counts=ErrorCounts(3, 0, 0, 0), verdict="accept")
        other = _add_review(session, "b" * 64)
        assert reviews.list_for_clip(session, "a" * 64) == [first, second]
        assert reviews.find_latest(session, "a" * 64) == second
        assert reviews.find_latest(session, "c" * 64) is None
        assert reviews.list_latest(session) == [second, other]
        assert reviews.list_latest(session, since=utc_now()) == []
        assert reviews.list_latest(session, until=utc_now()) == [second, other]
        assert reviews.count(session) == 3
        assert reviews.count(session, after_id=first.id) == 2


def test_a_rejected_clip_has_no_counts_and_no_rate(database: Database) -> None:
    with database.session() as session:
        review = _add_review(
            session, verdict="reject", counts=None, text="", reject_reason="not English"
        )
    assert review.counts is None
    assert review.actual_wer is None


def test_counts_of_a_review_give_its_rate(database: Database) -> None:
    with database.session() as session:
        assert _add_review(session).actual_wer == pytest.approx(1 / 3)


def test_the_newest_draft_of_a_reviewer_is_kept(database: Database) -> None:
    for text in ("o", "on", "one"):
        with database.session() as session:
            drafts.save(session, "c", "ann", text, position_s=1.5, cursor=len(text))
    database.write(lambda session: drafts.save(session, "c", "bob", "eins"))
    with database.session() as session:
        draft = drafts.find(session, "c", "ann")
        assert draft is not None
        assert (draft.text, draft.position_s, draft.cursor) == ("one", 1.5, 3)
        assert [mine.text for mine in drafts.list_for_reviewer(session, "bob")] == ["eins"]


def test_a_discarded_draft_can_be_begun_again(database: Database) -> None:
    for _ in range(2):
        database.write(lambda session: drafts.save(session, "c", "ann", "text"))
        database.write(lambda session: drafts.discard(session, "c", "ann"))
        with database.session() as session:
            assert drafts.find(session, "c", "ann") is None


def test_events_are_found_by_kind_and_clip(database: Database) -> None:
    with database.session() as session:
        events.add(session, "noted", clip_id="c", actor="ann", payload={"n": 1})
        events.add(session, "noted")
        events.add(session, "other", clip_id="c")
        assert len(events.list_recent(session)) == 3
        assert len(events.list_recent(session, limit=2)) == 2
        found = events.list_recent(session, kind="noted", clip_id="c")
    assert [(event.actor, event.payload) for event in found] == [("ann", {"n": 1})]


def test_the_latest_choice_of_a_preference_counts(database: Database) -> None:
    with database.session() as session:
        preferences.add(session, "review.threshold", 0.4, actor="ann")
        preferences.add(session, "engine.name", "whisper")
        preferences.add(session, "review.threshold", 0.5, actor="bob")
        current = {row.key: row.value for row in preferences.list_current(session)}
        assert current == {"review.threshold": 0.5, "engine.name": "whisper"}
        history = preferences.list_history(session, "review.threshold")
        assert [(row.value, row.actor) for row in history] == [(0.4, "ann"), (0.5, "bob")]


def test_the_latest_promotion_says_who_serves(database: Database) -> None:
    with database.session() as session:
        version = models.add_version(
            session,
            estimator="quality-7",
            kind="transcript",
            engine="pocketsphinx",
            model="en-us",
            folder="v7",
            manifest={"id": "quality-7"},
            report={"passed": True},
            actor="ann",
        )
        for version_id, action in ((version.id, "promote"), (None, "rollback")):
            models.add_promotion(
                session,
                kind="transcript",
                engine="pocketsphinx",
                model="en-us",
                version_id=version_id,
                action=action,
            )
        owner = ("pocketsphinx", "en-us")
        latest = models.find_latest_promotion(session, kind="transcript", owner=owner)
        assert latest is not None
        assert (latest.version_id, latest.action) == (None, "rollback")
        assert models.find_latest_promotion(session, kind="transcript") == latest
        assert models.find_latest_promotion(session, kind="audio") is None
        other = ("pocketsphinx", "de-de")
        assert models.find_latest_promotion(session, kind="transcript", owner=other) is None
        assert len(models.list_promotions(session)) == 2
        assert models.get_version(session, version.id) == version
        assert models.list_versions(session, kind="transcript") == [version]
        assert models.list_versions(session, kind="audio") == []
        assert version.manifest == {"id": "quality-7"}
        with pytest.raises(NotFoundError, match="no model version"):
            models.get_version(session, "x")


def test_jobs_are_taken_oldest_first_and_once(database: Database) -> None:
    with database.session() as session:
        first = jobs.add(session, "assess", clip_id="a", payload={"n": 1})
        jobs.add(session, "retrain")
        second = jobs.add(session, "assess", clip_id="b")
    taken = [_take(database), _take(database)]
    assert [job.id for job in taken] == [first.id, second.id]
    assert {(job.state, job.attempts) for job in taken} == {("running", 1)}
    assert taken[0].payload == {"n": 1}
    assert database.write(lambda session: jobs.take_next(session, ("assess",))) is None
    with database.session() as session:
        assert jobs.has_active(session, "retrain")
        assert not jobs.has_active(session, "other")


def test_a_job_tells_how_it_ended(database: Database) -> None:
    with database.session() as session:
        jobs.add(session, "assess", clip_id="a")
        jobs.add(session, "assess", clip_id="b")
    done, failed = _take(database), _take(database)
    with database.session() as session:
        jobs.update(session, done, stage="transcribing", progress=0.4)
    with database.session() as session:
        assert jobs.get(session, done.id).stage == "transcribing"
        assert [job.id for job in jobs.list_running(session)] == [done.id, failed.id]
        jobs.finish(session, done)
        jobs.fail(session, failed, error="No.", suggestion="Do.")
    with database.session() as session:
        assert jobs.get(session, done.id).progress == 1.0
        ended = jobs.get(session, failed.id)
        assert (ended.state, ended.error, ended.suggestion) == ("failed", "No.", "Do.")
        assert ended.finished_at is not None
        assert jobs.list_running(session) == []
        with pytest.raises(NotFoundError, match="no job"):
            jobs.get(session, "x")


def test_a_job_that_was_taken_again_is_not_settled_by_its_former_taker(database: Database) -> None:
    database.write(lambda session: jobs.add(session, "assess"))
    former = _take(database)
    database.write(lambda session: jobs.requeue(session, former, is_attempt=False))
    latter = _take(database)
    assert latter.attempts == 1

    database.write(lambda session: jobs.fail(session, former, error="late", suggestion=""))

    with database.session() as session:
        assert jobs.get(session, former.id).state == "running"


def test_the_newest_job_of_each_clip_is_found(database: Database) -> None:
    with database.session() as session:
        jobs.add(session, "assess", clip_id="a")
        newest = jobs.add(session, "assess", clip_id="a")
        other = jobs.add(session, "assess", clip_id="b")
        assert jobs.latest_per_clip(session, ["a", "b", "c"]) == [newest, other]
        assert jobs.find_latest(session, kind="assess", clip_id="a") == newest
        assert jobs.find_latest(session, kind="retrain") is None


def test_waiting_jobs_are_listed_however_old(database: Database) -> None:
    with database.session() as session:
        waiting = jobs.add(session, "assess", clip_id="a")
        newer = [jobs.add(session, "assess", clip_id="b") for _ in range(3)]
        listed = jobs.list_recent(session, limit=1)
    assert {job.id for job in listed} == {waiting.id, *(job.id for job in newer)}
