"""Saving a verdict: what is checked, stored and said."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from qe_core.errors import ConflictError, ReviewError
from storage.repositories import drafts, reviews
from tests.desk_work import drawn, reject, save
from tests.stored_clips import store_clip
from workbench import review
from workbench.runtime import Runtime


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


def test_another_text_after_saving_needs_the_clip_to_be_opened_again(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    save(runtime, task, "one")

    with pytest.raises(ConflictError):
        save(runtime, task, "two")


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


@pytest.mark.slow
def test_a_double_click_from_two_threads_is_one_review(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    task = drawn(runtime)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: save(runtime, task).review.id, range(8)))

    assert len(set(results)) == 1
