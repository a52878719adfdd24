"""Two people review one clip without seeing each other; a lead decides where they differ."""

import pytest

from qe_core.errors import ConflictError, ForbiddenError, ReviewError
from storage.repositories import reviews, seconds
from tests.desk_work import accept, audit_only, drawn, reject, save, team
from tests.stored_clips import store_clip
from workbench import adjudication, lessons, library, preferences, quality, review
from workbench.agreement import agreement
from workbench.history import clip_history, restore
from workbench.runtime import Runtime
from workbench.verdict import is_chosen_for_second

TEXT = "one two three four"


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """Every clip is reviewed twice."""
    preferences.set(runtime, "review.double_share", 1.0)
    team(runtime)
    return runtime


def reviewed_twice(runtime: Runtime, first: str, second: str, name: str = "a") -> str:
    clip_id = store_clip(runtime, name, text=TEXT)
    save(runtime, review.open_clip(runtime, clip_id, "ann"), first)
    save(runtime, review.open_clip(runtime, clip_id, "bob"), second, reviewer="bob")
    return clip_id


def counting_text(runtime: Runtime, clip_id: str) -> str:
    with runtime.database.session() as session:
        found = reviews.find_latest(session, clip_id)
    assert found is not None
    return found.text


def test_the_second_person_is_another_one_and_sees_no_first_text(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text=TEXT)
    save(runtime, drawn(runtime), "one two three for")
    assert review.next_clip(runtime, "ann") is None
    task = drawn(runtime, "bob")
    assert (task.clip.id, task.is_second) == (clip_id, True)
    assert (task.previous, task.draft) == (None, None)
    assert task.transcript.text == TEXT


def test_the_second_review_does_not_count_by_itself(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one two three", "one too three")
    assert counting_text(runtime, clip_id) == "one two three"
    with runtime.database.session() as session:
        (second,) = seconds.list_for_clip(session, clip_id)
    assert (second.reviewer, second.policy, second.propensity) == ("bob", "second", None)


def test_two_people_who_agree_bother_no_lead(runtime: Runtime) -> None:
    reviewed_twice(runtime, "One two, three.", "one two three")
    assert adjudication.disputes(runtime, "lea") == []
    found = agreement(runtime)
    assert (found.num_pairs, found.num_same, found.counts.wer) == (1, 1, 0.0)


def test_agreement_is_pooled_over_words(runtime: Runtime) -> None:
    reviewed_twice(runtime, "one two three four", "one two three five", "a")
    reviewed_twice(runtime, "one two", "one two", "b")
    clip_id = store_clip(runtime, "c")
    save(runtime, review.open_clip(runtime, clip_id, "ann"))
    task = review.open_clip(runtime, clip_id, "bob")
    review.submit(
        runtime,
        clip_id,
        reviewer="bob",
        claim_token=task.claim_token,
        verdict="reject",
        text="",
        reject_reason="no_speech",
    )
    found = agreement(runtime)
    assert found.counts.wer == pytest.approx(1 / 6)
    assert (found.num_pairs, found.num_same, found.num_unusable) == (3, 1, 1)
    assert found.num_disputed == 2


def test_a_lead_sees_where_they_differ_and_picks_the_reference(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one two three", "one too three")
    (dispute,) = adjudication.disputes(runtime, "lea")
    assert (dispute.first.reviewer, dispute.second.reviewer) == ("ann", "bob")
    assert (dispute.hypothesis, dispute.num_differences) == (TEXT, 1)
    decision = adjudication.settle(runtime, clip_id, "lea", dispute.second.text)
    assert (decision.origin, decision.reviewer) == ("adjudication", "lea")
    assert decision.propensity == dispute.first.propensity
    assert counting_text(runtime, clip_id) == "one too three"
    assert adjudication.disputes(runtime, "lea") == []
    with pytest.raises(ConflictError, match="decided"):
        adjudication.settle(runtime, clip_id, "lea", "one")


def test_the_loop_uses_the_text_that_the_lead_chose(runtime: Runtime) -> None:
    audit_only(runtime)
    clip_id = store_clip(runtime, "a", text=TEXT)
    save(runtime, drawn(runtime), "one")
    save(runtime, drawn(runtime, "bob"), "two", reviewer="bob")
    assert quality.summary(runtime).errors.insertions == 3
    adjudication.settle(runtime, clip_id, "lea", TEXT)
    summary = quality.summary(runtime)
    assert (summary.errors.num_errors, summary.counts.num_audits) == (0, 1)
    with runtime.database.session() as session:
        (taught,) = lessons.corrections.list_corrections(session)
    assert taught.review.text == TEXT


def test_a_lead_may_find_a_disputed_clip_unusable(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one", "two")
    with pytest.raises(ReviewError, match="note"):
        adjudication.settle(runtime, clip_id, "lea", "", reject_reason="other")
    decision = adjudication.settle(runtime, clip_id, "lea", "", reject_reason="unintelligible")
    assert (decision.verdict, decision.counts) == ("reject", None)


def test_only_leads_see_and_settle_disputes(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one", "two")
    for attempt in (
        lambda: adjudication.disputes(runtime, "ann"),
        lambda: adjudication.settle(runtime, clip_id, "ann", "one"),
        lambda: adjudication.escalations(runtime, "ann"),
        lambda: adjudication.give_back(runtime, clip_id, "ann"),
        lambda: review.open_clip(runtime, clip_id, "ann"),
    ):
        with pytest.raises(ForbiddenError):
            attempt()


def test_the_list_of_clips_hides_the_first_verdict_from_the_second_person(
    runtime: Runtime,
) -> None:
    audit_only(runtime)
    store_clip(runtime, "a", text=TEXT)
    save(runtime, drawn(runtime), "one")
    seen = {
        viewer: library.search(runtime, viewer=viewer).rows[0] for viewer in ("ann", "bob", "lea")
    }
    assert {viewer: (row.verdict, row.actual_wer) for viewer, row in seen.items()} == {
        "ann": ("correct", 3.0),
        "bob": (None, None),
        "lea": ("correct", 3.0),
    }


def test_a_rejected_clip_needs_no_second_person(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    reject(runtime, drawn(runtime), "no_speech")
    assert review.next_clip(runtime, "bob") is None


def test_looking_at_ones_own_review_again_does_not_spare_it_the_second(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    save(runtime, drawn(runtime), "one")
    again = review.reopen_last(runtime, "ann")
    assert again is not None
    save(runtime, again, "one two")
    task = drawn(runtime, "bob")
    assert (task.clip.id, task.is_second) == (clip_id, True)


def test_a_lead_who_opens_a_clip_ends_the_wait_for_a_second_person(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    save(runtime, drawn(runtime), "one")
    task = review.open_clip(runtime, clip_id, "lea")
    assert task.previous is not None
    accept(runtime, task, "lea")
    assert review.next_clip(runtime, "bob") is None


def test_saving_a_second_review_twice_is_one_review(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    save(runtime, drawn(runtime), "one")
    task = drawn(runtime, "bob")
    first, again = (save(runtime, task, "two", "bob") for _ in range(2))
    review.save_draft(runtime, clip_id, "bob", "two")
    assert first == again
    with runtime.database.session() as session:
        assert len(seconds.list_for_clip(session, clip_id)) == 1


def test_the_share_is_a_share_of_the_clips() -> None:
    chosen = [is_chosen_for_second(f"{index:064x}", 0.2) for index in range(2000)]
    assert sum(chosen) / 2000 == pytest.approx(0.2, abs=0.03)


def test_nobody_is_asked_for_a_second_review_by_default(runtime: Runtime) -> None:
    preferences.set(runtime, "review.double_share", None)
    store_clip(runtime, "a")
    save(runtime, drawn(runtime))
    assert review.next_clip(runtime, "bob") is None


def test_the_history_shows_every_version_against_the_hypothesis(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one too three four", "one two three")
    adjudication.settle(runtime, clip_id, "lea", TEXT)
    found = clip_history(runtime, clip_id, "lea")
    first, second, decision = found.versions
    assert [word.operation for word in first.alignment].count("substitution") == 1
    assert [word.operation for word in second.alignment].count("insertion") == 1
    assert (first.is_second, second.is_second) == (False, True)
    assert [version.is_counting for version in found.versions] == [False, False, True]
    assert decision.review.origin == "adjudication"


def test_a_lead_restores_an_earlier_text_by_a_new_review(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text=TEXT)
    first = save(runtime, drawn(runtime), "one two three").review
    task = review.open_clip(runtime, clip_id, "lea")
    save(runtime, task, "one", "lea")
    restored = restore(runtime, first.id, "lea")
    assert (restored.text, restored.origin, restored.reviewer) == (
        "one two three",
        "restore",
        "lea",
    )
    assert (restored.policy, restored.propensity) == (first.policy, first.propensity)
    assert counting_text(runtime, clip_id) == "one two three"
    with runtime.database.session() as session:
        assert len(reviews.list_for_clip(session, clip_id)) == 3
    with pytest.raises(ReviewError, match="counts already"):
        restore(runtime, restored.id, "lea")
    with pytest.raises(ForbiddenError):
        restore(runtime, first.id, "ann")


def test_a_second_review_and_a_reject_can_be_restored(runtime: Runtime) -> None:
    clip_id = reviewed_twice(runtime, "one", "two")
    with runtime.database.session() as session:
        (second,) = seconds.list_for_clip(session, clip_id)
    assert restore(runtime, second.id, "lea").text == "two"
    other = store_clip(runtime, "b")
    rejected = reject(runtime, review.open_clip(runtime, other, "ann"), "no_speech").review
    save(runtime, review.open_clip(runtime, other, "lea"), "one", "lea")
    back = restore(runtime, rejected.id, "lea")
    assert (back.verdict, back.reject_reason) == ("reject", "no_speech")


def test_the_history_hides_the_first_text_from_whoever_may_be_the_second(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    save(runtime, drawn(runtime), "secret")
    for viewer, num_seen in (("bob", 0), ("ann", 1), ("lea", 1)):
        found = clip_history(runtime, clip_id, viewer)
        assert (len(found.versions), found.is_hidden) == (num_seen, num_seen == 0)
    assert clip_history(runtime, clip_id, "lea").can_restore
    assert not clip_history(runtime, clip_id, "ann").can_restore


def test_the_history_tells_what_else_happened(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a")
    drawn(runtime)
    task = review.take_over(runtime, clip_id, "lea", "On leave.")
    review.release(runtime, clip_id, task.claim_token)
    steps = clip_history(runtime, clip_id, "lea").steps
    assert [(step.actor, step.what) for step in steps] == [
        ("ann", "was given the clip"),
        ("lea", "took it over from ann"),
        ("", "the clip went back to the queue"),
    ]
    assert steps[1].note == "On leave."
