"""Putting off, handing to a lead, taking over: who gets the clip, who is told what."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from qe_core.errors import ConflictError, ForbiddenError, ReviewError
from storage.repositories import reviews
from tests.desk_work import accept, audit_only, drawn, save, team
from tests.stored_clips import expire_claims, store_clip
from workbench import adjudication, people, review
from workbench.runtime import Runtime


def test_a_skipped_clip_comes_last_for_that_person_alone(runtime: Runtime) -> None:
    ids = {store_clip(runtime, name) for name in "abc"}
    first = drawn(runtime)
    assert review.skip(runtime, first.clip.id, "ann", first.claim_token)
    assert not review.skip(runtime, first.clip.id, "ann", first.claim_token)
    seen = []
    for _ in range(2):
        task = drawn(runtime)
        seen.append(task.clip.id)
        save(runtime, task)
    assert {first.clip.id, *seen} == ids
    assert drawn(runtime).clip.id == first.clip.id


def test_a_clip_that_one_person_skipped_goes_to_another(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    task = drawn(runtime)
    review.skip(runtime, clip_id, "ann", task.claim_token)
    assert drawn(runtime, "bob").clip.id == clip_id


def test_an_audit_that_was_skipped_stays_owed(runtime: Runtime) -> None:
    for name in "abcdef":
        store_clip(runtime, name)
    audit_only(runtime)
    task = drawn(runtime)
    review.skip(runtime, task.clip.id, "ann", task.claim_token)
    assert drawn(runtime).clip.id != task.clip.id
    result = save(runtime, drawn(runtime, "bob"), reviewer="bob")
    assert (result.review.clip_id, result.review.policy) == (task.clip.id, "audit")


def test_a_clip_handed_to_a_lead_leaves_the_queue_with_its_note(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    task = drawn(runtime)
    review.escalate(runtime, clip_id, "ann", task.claim_token, "Which  name is it?")
    assert review.next_clip(runtime, "bob") is None
    assert review.queue(runtime) == []
    (handed,) = adjudication.escalations(runtime, "lea")
    assert (handed.reviewer, handed.note) == ("ann", "Which name is it?")
    with pytest.raises(ForbiddenError, match="handed to a lead"):
        review.open_clip(runtime, clip_id, "ann")
    opened = review.open_clip(runtime, clip_id, "lea")
    assert opened.note == "Which name is it?"
    result = save(runtime, opened, reviewer="lea")
    assert result.review.propensity == 1.0
    assert adjudication.escalations(runtime, "lea") == []


def test_a_lead_gives_a_clip_back_to_the_annotators(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    review.escalate(runtime, clip_id, "ann", drawn(runtime).claim_token)
    assert adjudication.num_undecided(runtime) == (0, 1)
    adjudication.give_back(runtime, clip_id, "lea")
    assert drawn(runtime, "bob").clip.id == clip_id
    with pytest.raises(ConflictError, match="decided"):
        adjudication.give_back(runtime, clip_id, "lea")


def test_a_clip_cannot_be_handed_over_under_a_lost_claim(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    task = drawn(runtime)
    expire_claims(runtime)
    with pytest.raises(ConflictError):
        review.escalate(runtime, clip_id, "ann", task.claim_token)


def test_a_lead_takes_a_clip_over_and_the_loser_reads_why(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    lost = drawn(runtime)
    review.save_draft(runtime, clip_id, "ann", "one two thr")
    taken = review.take_over(runtime, clip_id, "lea", "You are on leave.")
    assert taken.draft is not None
    assert taken.draft.text == "one two thr"
    for attempt in (
        lambda: review.renew(runtime, clip_id, lost.claim_token),
        lambda: save(runtime, lost, "my text"),
        lambda: review.open_clip(runtime, clip_id, "ann"),
    ):
        with pytest.raises(ConflictError, match=r"lea has taken .* “You are on leave\.”") as caught:
            attempt()
        assert caught.value.code == "taken_over"
    result = save(runtime, taken, reviewer="lea")
    assert result.review.propensity == 1.0


def test_taking_over_takes_a_lead_and_a_note(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    drawn(runtime)
    with pytest.raises(ForbiddenError, match="role “lead”"):
        review.take_over(runtime, clip_id, "bob", "Mine now.")
    with pytest.raises(ReviewError, match="note"):
        review.take_over(runtime, clip_id, "lea", "  ")


def test_taking_over_what_nobody_holds_opens_it(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    task = review.take_over(runtime, clip_id, "lea", "Just in case.")
    assert review.take_over(runtime, clip_id, "lea", "Again.").claim_token == task.claim_token


def test_a_lead_sees_who_works_on_what(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    drawn(runtime)
    (held,) = review.holdings(runtime, "lea")
    assert (held.clip_id, held.file_name, held.reviewer) == (clip_id, "a.wav", "ann")
    with pytest.raises(ForbiddenError):
        review.holdings(runtime, "ann")


def test_annotators_open_again_only_what_they_reviewed_themselves(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    accept(runtime, drawn(runtime))
    with pytest.raises(ForbiddenError, match="somebody else"):
        review.open_clip(runtime, clip_id, "bob")
    for name in ("ann", "lea"):
        task = review.open_clip(runtime, clip_id, name)
        assert task.previous is not None
        review.release(runtime, clip_id, task.claim_token)


def test_a_link_does_not_take_a_clip_from_whoever_holds_it(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    held = drawn(runtime)
    with pytest.raises(ConflictError):
        review.open_clip(runtime, clip_id, "bob")
    assert review.renew(runtime, clip_id, held.claim_token) >= held.expires_at


def test_somebody_who_is_locked_out_gets_no_clip(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    team(runtime)
    task = drawn(runtime)
    people.set_role(runtime, "ann", "none", actor="ada")
    for attempt in (
        lambda: review.next_clip(runtime, "ann"),
        lambda: review.open_clip(runtime, clip_id, "ann") and save(runtime, task),
        lambda: save(runtime, task),
    ):
        with pytest.raises(ForbiddenError, match="may not work here"):
            attempt()


@pytest.mark.slow
def test_twenty_people_at_once_review_every_clip_once(runtime: Runtime) -> None:
    num_clips, num_people = 200, 20

    def fill(session: object) -> None:
        from tests.stored_clips import add_clip

        for index in range(num_clips):
            add_clip(session, f"c{index}", expected_errors=float(index % 7))  # type: ignore[arg-type]  # a session

    runtime.database.write(fill)
    lock = threading.Lock()
    held: Counter[str] = Counter()
    clashes: list[str] = []

    def work(number: int) -> int:
        done = 0
        while (task := review.next_clip(runtime, f"p{number}")) is not None:
            with lock:
                held[task.clip.id] += 1
                clashes.extend([task.clip.id] if held[task.clip.id] > 1 else [])
            save(runtime, task, reviewer=f"p{number}")
            done += 1
        return done

    with ThreadPoolExecutor(num_people) as pool:
        done = sum(pool.map(work, range(num_people)))

    assert (done, clashes, len(held)) == (num_clips, [], num_clips)
    with runtime.database.session() as session:
        assert reviews.count(session) == num_clips
