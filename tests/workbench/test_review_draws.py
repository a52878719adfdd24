"""Which clip comes next, and what is stored about the draw."""

import numpy as np
import pytest

from storage.repositories import claims, events
from tests.desk_work import audit_only, drawn, save
from tests.stored_clips import expire_claims, store_clip
from workbench import review
from workbench.review import QueueFilter
from workbench.runtime import Runtime


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

    wanted = QueueFilter(is_flagged_only=True)
    results = [
        save(runtime, drawn(runtime, wanted=wanted, rng=np.random.default_rng(index))).review
        for index in range(8)
    ]

    assert {result.clip_id for result in results} == flagged
    assert {result.policy for result in results} == {"filtered"}
    assert review.next_clip(runtime, "ann", wanted=wanted) is None


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


def test_every_uniform_draw_is_stored_with_its_propensity_in_claim_event_and_review(
    runtime: Runtime,
) -> None:
    for index in range(5):
        store_clip(runtime, f"c{index}", expected_errors=float(index))
    audit_only(runtime)

    for num_waiting in (5, 4, 3):
        task = drawn(runtime)
        with runtime.database.session() as session:
            event = events.list_recent(session, kind="review.drawn", limit=1)[0]
            claim = claims.find_active(session, task.clip.id)
        result = save(runtime, task)

        assert claim is not None
        assert (claim.policy, result.review.policy) == ("audit", "audit")
        assert event.clip_id == task.clip.id
        assert event.payload["policy"] == "audit"
        for stored in (claim.propensity, event.payload["propensity"], result.review.propensity):
            assert stored == pytest.approx(1 / num_waiting)
