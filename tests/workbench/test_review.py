"""The review desk: whose clip it is, what is kept, what is said after saving."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from qe_core.config import load_settings
from qe_core.errors import ConflictError, NotFoundError, ReviewError
from storage.repositories import drafts, events, reviews
from tests.stored_clips import assess, estimate, expire_claims, store_clip
from workbench import preferences, review
from workbench.review import ReviewResult, ReviewTask
from workbench.runtime import Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path))
    yield opened
    opened.close()


def drawn(runtime: Runtime, reviewer: str = "ann", **kwargs: object) -> ReviewTask:
    task = review.next_clip(runtime, reviewer, **kwargs)  # type: ignore[arg-type]  # by name
    assert task is not None
    return task


def save(
    runtime: Runtime, task: ReviewTask, text: str = "one two three", reviewer: str = "ann"
) -> ReviewResult:
    return review.submit(
        runtime,
        task.clip.id,
        reviewer=reviewer,
        claim_token=task.claim_token,
        verdict="correct",
        text=text,
    )


def test_nothing_waits_in_an_empty_installation(runtime: Runtime) -> None:
    assert review.next_clip(runtime, "ann") is None
    assert review.queue(runtime) == []


def test_the_queue_is_ordered_by_expected_errors_per_second(runtime: Runtime) -> None:
    long = store_clip(runtime, "long", expected_errors=3.0, duration_s=60.0)
    short = store_clip(runtime, "short", expected_errors=2.0, duration_s=5.0)

    assert [item.clip_id for item in review.queue(runtime)] == [short, long]
    assert review.queue(runtime)[0].errors_per_minute == pytest.approx(24.0)
    assert len(review.queue(runtime, limit=1)) == 1


def test_a_changed_threshold_changes_the_flags_at_once(runtime: Runtime) -> None:
    store_clip(runtime, "a", expected_errors=1.0)  # predicted WER 0.25

    before = review.queue(runtime)[0].flagged
    preferences.set(runtime, "review.threshold", 0.2)

    assert (before, review.queue(runtime)[0].flagged) == (False, True)
    assert drawn(runtime).flagged


def test_a_rule_flags_a_clip_whatever_is_predicted(runtime: Runtime) -> None:
    store_clip(runtime, "a", expected_errors=0.0, must_review=True)

    assert review.queue(runtime)[0].flagged


def test_a_task_shows_transcript_estimate_and_what_waits(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    store_clip(runtime, "b", expected_errors=0.1)

    task = review.open_clip(runtime, clip_id, "ann")

    assert task.transcript.text == "one two three four"
    assert task.estimate.predicted_wer == pytest.approx(0.25)
    assert (task.queue_length, task.draft, task.previous) == (2, None, None)
    assert task.peaks.shape == (0, 2)


def test_two_reviewers_never_hold_one_clip(runtime: Runtime) -> None:
    for name in ("a", "b"):
        store_clip(runtime, name)

    held = [drawn(runtime, reviewer).clip.id for reviewer in ("ann", "bob")]

    assert len(set(held)) == 2
    assert review.next_clip(runtime, "cat") is None
    assert {item.claimed_by for item in review.queue(runtime)} == {"ann", "bob"}


def test_a_reload_shows_the_same_clip_with_its_draft(runtime: Runtime) -> None:
    for name in ("a", "b", "c"):
        store_clip(runtime, name)
    first = drawn(runtime)
    review.save_draft(runtime, first.clip.id, "ann", "one tw", position_s=1.5, cursor=6)

    again = drawn(runtime)

    assert (again.clip.id, again.claim_token) == (first.clip.id, first.claim_token)
    assert again.draft is not None
    assert (again.draft.text, again.draft.position_s, again.draft.cursor) == ("one tw", 1.5, 6)


def test_a_draft_survives_a_restart(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    first = Runtime(settings)
    clip_id = store_clip(first, "a")
    review.open_clip(first, clip_id, "ann")
    review.save_draft(first, clip_id, "ann", "half a senten")
    first.close()

    second = Runtime(settings)
    task = review.next_clip(second, "ann")
    second.close()

    assert task is not None
    assert task.draft is not None
    assert task.draft.text == "half a senten"


def test_an_abandoned_claim_comes_back(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    drawn(runtime, "ann")
    assert review.next_clip(runtime, "bob") is None

    expire_claims(runtime)

    assert drawn(runtime, "bob").clip.id == clip_id


def test_a_renewed_claim_lasts_longer(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)

    assert review.renew(runtime, task.clip.id, task.claim_token) > task.expires_at


def test_an_expired_claim_cannot_be_renewed(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    expire_claims(runtime)

    with pytest.raises(ConflictError, match="no longer yours"):
        review.renew(runtime, task.clip.id, task.claim_token)


def test_a_released_clip_goes_to_the_next_reviewer(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    task = drawn(runtime, "ann")

    assert review.release(runtime, clip_id, task.claim_token)

    assert not review.release(runtime, clip_id, task.claim_token)
    assert drawn(runtime, "bob").clip.id == clip_id


def test_a_skipped_clip_is_not_offered_again(runtime: Runtime) -> None:
    ids = {store_clip(runtime, name) for name in ("a", "b")}
    task = drawn(runtime)
    review.release(runtime, task.clip.id, task.claim_token)

    other = drawn(runtime, skip=[task.clip.id])

    assert {task.clip.id, other.clip.id} == ids


def test_a_clip_that_somebody_holds_cannot_be_opened(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    review.open_clip(runtime, clip_id, "ann")

    with pytest.raises(ConflictError, match="Somebody else") as caught:
        review.open_clip(runtime, clip_id, "bob")

    assert caught.value.suggestion


def test_a_clip_without_a_transcript_cannot_be_opened(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError):
        review.open_clip(runtime, "0" * 64, "ann")


def test_saving_says_what_was_predicted_and_what_is_true(runtime: Runtime) -> None:
    store_clip(runtime, "a", text="one too three four", expected_errors=1.0)

    result = save(runtime, drawn(runtime), "One two, three.")

    assert result.predicted_wer == pytest.approx(0.25)
    assert result.low == pytest.approx(0.15)
    assert result.high == pytest.approx(0.35)
    assert result.actual_wer == pytest.approx(2 / 3)
    assert [word.operation for word in result.alignment] == [
        "hit",
        "substitution",
        "hit",
        "insertion",
    ]


def test_accepting_takes_the_hypothesis_as_the_reference(runtime: Runtime) -> None:
    store_clip(runtime, "a", text="one two")
    task = drawn(runtime)

    result = review.submit(
        runtime,
        task.clip.id,
        reviewer="ann",
        claim_token=task.claim_token,
        verdict="accept",
        text="one two",
        lead_time_s=float("nan"),
        listened_share=1.7,
        replays=-1,
    )

    assert (result.review.text, result.actual_wer) == ("one two", 0.0)
    stored = result.review
    assert (stored.lead_time_s, stored.listened_share, stored.replays) == (0.0, 1.0, 0)


def test_accepting_an_edited_text_would_lose_the_edit_and_is_refused(runtime: Runtime) -> None:
    store_clip(runtime, "a", text="one two")
    task = drawn(runtime)

    with pytest.raises(ReviewError, match="edited"):
        review.submit(
            runtime,
            task.clip.id,
            reviewer="ann",
            claim_token=task.claim_token,
            verdict="accept",
            text="one three",
        )


def test_an_empty_correction_says_that_nothing_is_said(runtime: Runtime) -> None:
    store_clip(runtime, "a", text="ghost words")

    result = save(runtime, drawn(runtime), "")

    assert result.actual_wer is None
    assert result.counts is not None
    assert result.counts.insertions == 2
    assert review.next_clip(runtime, "ann") is None


def reject(runtime: Runtime, task: ReviewTask, reason: str | None, note: str = "") -> ReviewResult:
    return review.submit(
        runtime,
        task.clip.id,
        reviewer="ann",
        claim_token=task.claim_token,
        verdict="reject",
        text="what the editor held",
        reject_reason=reason,
        reject_note=note,
    )


def test_a_reject_has_a_reason_and_no_counts(runtime: Runtime) -> None:
    store_clip(runtime, "a")

    result = reject(runtime, drawn(runtime), "personal_data", "a phone  number")

    assert result.review.reject_reason == "personal_data: a phone number"
    assert (result.counts, result.actual_wer, result.alignment) == (None, None, ())
    assert result.review.text == ""


@pytest.mark.parametrize(("reason", "note"), [(None, ""), ("boring", "x"), ("other", " ")])
def test_a_reject_without_a_valid_reason_is_refused(
    runtime: Runtime, reason: str | None, note: str
) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)

    with pytest.raises(ReviewError):
        reject(runtime, task, reason, note)

    assert drawn(runtime).claim_token == task.claim_token


def test_saving_twice_is_one_review(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)

    first, second = (save(runtime, task) for _ in range(2))

    assert first == second
    with runtime.database.session() as session:
        assert reviews.count(session) == 1


def test_a_lost_claim_refuses_the_verdict_and_keeps_the_text(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    mine = drawn(runtime, "ann")
    expire_claims(runtime)
    theirs = drawn(runtime, "bob")

    with pytest.raises(ConflictError, match="no longer yours") as caught:
        save(runtime, mine, "my long work")

    assert "draft" in caught.value.suggestion
    save(runtime, theirs, "their work", "bob")
    with runtime.database.session() as session:
        draft = drafts.find(session, clip_id, "ann")
        counted = reviews.find_latest(session, clip_id)
    assert draft is not None
    assert draft.text == "my long work"
    assert counted is not None
    assert counted.text == "their work"


def test_another_text_after_saving_needs_the_clip_to_be_opened_again(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    save(runtime, task, "one")

    with pytest.raises(ConflictError):
        save(runtime, task, "two")


def test_an_expired_claim_that_nobody_took_still_saves(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    expire_claims(runtime)

    assert save(runtime, task).review.text == "one two three"


def test_saving_forgets_the_draft_and_a_late_autosave_does_not_bring_it_back(
    runtime: Runtime,
) -> None:
    clip_id = store_clip(runtime, "a")
    task = drawn(runtime)
    review.save_draft(runtime, clip_id, "ann", "one two")
    save(runtime, task)

    review.save_draft(runtime, clip_id, "ann", "one two three")

    with runtime.database.session() as session:
        assert drafts.find(session, clip_id, "ann") is None


def test_ones_last_review_can_be_opened_again_and_the_newer_one_counts(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text="one two")
    first = save(runtime, drawn(runtime), "one tow").review

    task = review.reopen_last(runtime, "ann")
    assert task is not None
    assert task.draft is not None
    assert (task.draft.text, task.previous) == ("one tow", first)
    second = save(runtime, task, "one two").review

    with runtime.database.session() as session:
        assert reviews.find_latest(session, clip_id) == second
        assert len(reviews.list_for_clip(session, clip_id)) == 2
    assert (second.policy, second.propensity) == (first.policy, first.propensity)


def test_there_is_nothing_to_open_again_before_the_first_review(runtime: Runtime) -> None:
    assert review.reopen_last(runtime, "ann") is None


def test_policy_and_propensity_of_the_draw_are_stored(runtime: Runtime) -> None:
    for index in range(4):
        store_clip(runtime, f"c{index}", expected_errors=float(index))

    result = save(runtime, drawn(runtime, rng=np.random.default_rng(0)))

    assert result.review.policy in {"expected_errors", "uncertain", "audit"}
    assert result.review.propensity is not None
    assert 0.15 / 4 <= result.review.propensity <= 1.0


def test_a_clip_that_somebody_chose_has_no_propensity(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")

    result = save(runtime, review.open_clip(runtime, clip_id, "ann"))

    assert (result.review.policy, result.review.propensity) == (review.OPENED, None)


def test_a_claim_that_ran_out_is_taken_up_again_as_the_draw_that_it_was(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    drawn(runtime)
    expire_claims(runtime)

    result = save(runtime, review.open_clip(runtime, clip_id, "ann"))

    assert result.review.policy != review.OPENED
    assert result.review.propensity == 1.0


def test_drawing_flagged_clips_alone_never_makes_an_audit(runtime: Runtime) -> None:
    flagged = {store_clip(runtime, f"f{index}", expected_errors=2.0) for index in range(8)}
    store_clip(runtime, "confident", expected_errors=0.0)
    audit_only(runtime)

    results = [
        save(runtime, drawn(runtime, only_flagged=True, rng=np.random.default_rng(index))).review
        for index in range(8)
    ]

    assert {result.clip_id for result in results} == flagged
    assert {result.policy for result in results} == {"expected_errors"}
    assert review.next_clip(runtime, "ann", only_flagged=True) is None


def audit_only(runtime: Runtime) -> None:
    preferences.set(runtime, "review.share_expected_errors", 0.0)
    preferences.set(runtime, "review.share_uncertain", 0.0)


def test_an_audit_that_was_given_back_stays_owed(runtime: Runtime) -> None:
    for index in range(30):
        store_clip(runtime, f"c{index}")
    audit_only(runtime)
    task = drawn(runtime, "ann")
    review.release(runtime, task.clip.id, task.claim_token)

    assert drawn(runtime, "bob").clip.id == task.clip.id


def test_an_audit_stays_one_whichever_way_it_comes_back(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    audit_only(runtime)
    task = drawn(runtime)
    review.release(runtime, clip_id, task.claim_token)

    result = save(runtime, review.open_clip(runtime, clip_id, "ann"))

    assert (result.review.policy, result.review.propensity) == ("audit", 1.0)


def test_a_transcript_that_arrives_during_a_review_is_not_what_was_judged(
    runtime: Runtime,
) -> None:
    clip_id = store_clip(runtime, "a", text="one two")
    task = drawn(runtime)
    runtime.database.write(
        lambda session: assess(session, clip_id, "something else", estimate(2.0, 2.0))
    )

    reloaded = drawn(runtime)
    result = save(runtime, task, "one two")

    assert reloaded.transcript.text == "one two"
    assert result.actual_wer == 0.0
    assert result.predicted_wer == pytest.approx(0.5)


def test_what_happens_at_the_desk_is_logged(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    task = drawn(runtime)
    save(runtime, task)

    with runtime.database.session() as session:
        kinds = {event.kind for event in events.list_recent(session, clip_id=clip_id)}

    assert kinds == {"review.drawn", "review.saved"}


@pytest.mark.slow
def test_a_thousand_claims_by_twenty_threads_never_collide(runtime: Runtime) -> None:
    num_clips = 50
    for index in range(num_clips):
        store_clip(runtime, f"c{index}", expected_errors=float(index % 7))
    holders: Counter[str] = Counter()
    lock = threading.Lock()
    clashes: list[str] = []

    def work(worker: int) -> int:
        num_claims = 0
        for turn in range(50):
            task = review.next_clip(runtime, f"w{worker}-{turn}")
            if task is None:
                continue
            num_claims += 1
            with lock:
                holders[task.clip.id] += 1
                if holders[task.clip.id] > 1:
                    clashes.append(task.clip.id)
            time.sleep(0)
            with lock:
                holders[task.clip.id] -= 1
            review.release(runtime, task.clip.id, task.claim_token)
        return num_claims

    with ThreadPoolExecutor(20) as pool:
        claimed = sum(pool.map(work, range(20)))

    assert clashes == []
    assert claimed == 1000


@pytest.mark.slow
def test_twenty_threads_that_open_one_clip_give_it_to_one(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    barrier = threading.Barrier(20)

    def work(worker: int) -> bool:
        barrier.wait()
        try:
            review.open_clip(runtime, clip_id, f"w{worker}")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(work, range(20))) == 1


@pytest.mark.slow
def test_a_double_click_from_two_threads_is_one_review(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: save(runtime, task).review.id, range(8)))

    assert len(set(results)) == 1
