"""Whose clip it is: leased, renewed, put off, given back, lost."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from qe_core.errors import ConflictError, NotFoundError
from storage.repositories import drafts, reviews
from tests.desk_work import drawn, save
from tests.stored_clips import expire_claims, store_clip
from workbench import review
from workbench.runtime import Runtime


def test_two_reviewers_never_hold_one_clip(runtime: Runtime) -> None:
    for name in ("a", "b"):
        store_clip(runtime, name)

    held = [drawn(runtime, reviewer).clip.id for reviewer in ("ann", "bob")]

    assert len(set(held)) == 2
    assert review.next_clip(runtime, "cat") is None
    assert {item.claimed_by for item in review.queue(runtime)} == {"ann", "bob"}


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
    review.skip(runtime, task.clip.id, "ann", task.claim_token)

    other = drawn(runtime)

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


def test_an_expired_claim_that_nobody_took_still_saves(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    expire_claims(runtime)

    assert save(runtime, task).review.text == "one two three"


@pytest.mark.slow
def test_two_hundred_claims_by_twenty_threads_never_collide(runtime: Runtime) -> None:
    num_clips = 50
    for index in range(num_clips):
        store_clip(runtime, f"c{index}", expected_errors=float(index % 7))
    holders: Counter[str] = Counter()
    lock = threading.Lock()
    clashes: list[str] = []

    def work(worker: int) -> int:
        num_claims = 0
        for turn in range(10):  # benchmarks.claims_race makes a thousand
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
    assert claimed == 200


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
