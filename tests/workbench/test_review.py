"""The review desk: what waits, what a task shows, what is kept."""

from pathlib import Path

import pytest

from qe_core.config import load_settings
from storage.repositories import events
from tests.desk_work import drawn, save
from tests.stored_clips import assess, estimate, store_clip
from workbench import preferences, review
from workbench.runtime import Runtime


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
