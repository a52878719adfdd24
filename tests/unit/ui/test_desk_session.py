"""What a browser tab works on, over the real use cases and a real database."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.desk_clips import store_playable
from ui.desk.component import desk_data
from ui.desk.events import DeskEvents, read_events
from ui.desk.session import DeskSession, DeskView
from workbench import review
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow  # a database per test
NOTHING = DeskEvents()
TEXT = "one two three four five six seven eight"


def store(runtime: Runtime, name: str = "a", *, doubt: float = 0.5) -> str:
    return store_playable(runtime, TEXT, file_name=f"{name}.wav", probabilities=(doubt,) * 8)


def said(kind: str, **values: Any) -> DeskEvents:
    return read_events({kind: {"id": values.pop("id", kind), **values}})


def verdict(clip_id: str | None, **values: Any) -> DeskEvents:
    defaults = {"verdict": "correct", "text": TEXT + "\nnine"}
    return said("verdict", clip_id=clip_id, **(defaults | values))


def test_the_clip_is_sent_once_and_again_when_the_page_is_new(runtime: Runtime) -> None:
    store(runtime)
    desk = DeskSession("ann")
    assert desk.step(runtime, NOTHING).task is not None
    assert desk.step(runtime, NOTHING).task is None
    desk.refresh()
    assert desk.step(runtime, NOTHING).task is not None


def test_a_draft_is_acknowledged_stored_and_sent_back(runtime: Runtime) -> None:
    clip_id = store(runtime)
    desk = DeskSession("ann")
    desk.step(runtime, NOTHING)
    lines = "one two three four five six\nseven ate"
    view = desk.step(runtime, said("draft", clip_id=clip_id, text=lines, cursor=3, position_s=1.5))
    assert [(reply.id, reply.is_ok) for reply in view.replies] == [("draft", True)]
    data = desk_data(DeskSession("ann").step(runtime, NOTHING), renew_s=300)
    assert data["draft"]["rows"] == lines.split("\n")
    assert (data["draft"]["cursor"], data["draft"]["position_s"]) == (3, 1.5)
    assert datetime.fromisoformat(data["draft"]["saved_at"]).utcoffset() == timedelta(0)


def test_a_repeated_verdict_is_one_review(runtime: Runtime) -> None:
    clip_id = store(runtime, "a")
    store(runtime, "b")
    desk = DeskSession("ann")
    desk.want(clip_id)
    desk.step(runtime, NOTHING)
    first = desk.step(runtime, verdict(clip_id))
    again = desk.step(runtime, verdict(clip_id, is_repeat=True))
    assert first.replies[0].is_ok
    assert again.replies[0].is_ok
    assert first.clip_id == again.clip_id != clip_id
    assert first.is_autoplay
    assert first.result is not None
    assert "1 wrong word: nine missing" in first.result.text


def test_a_verdict_saved_before_the_server_went_down_is_not_saved_twice(runtime: Runtime) -> None:
    clip_id = store(runtime)
    before = DeskSession("ann")
    before.step(runtime, NOTHING)
    before.step(runtime, verdict(clip_id))
    after = DeskSession("ann")
    after.want(clip_id)
    assert after.step(runtime, NOTHING).clip_id == clip_id
    view = after.step(runtime, verdict(clip_id, is_repeat=True))
    assert view.replies[0].is_ok
    assert view.clip_id is None
    assert review.queue(runtime) == []


def test_a_clip_somebody_else_holds_is_a_problem_with_a_way_out(runtime: Runtime) -> None:
    clip_id = store(runtime)
    review.open_clip(runtime, clip_id, "ben")
    desk = DeskSession("ann")
    desk.want(clip_id)
    view = desk.step(runtime, NOTHING)
    assert view.problem is not None
    assert "Somebody else" in view.problem.message
    assert desk.step(runtime, said("command", name="next")).problem is None


def test_a_claim_that_was_let_go_is_taken_back_when_it_is_free(runtime: Runtime) -> None:
    clip_id = store(runtime)
    desk = DeskSession("ann")
    task = desk.step(runtime, NOTHING).task
    assert task is not None
    review.release(runtime, clip_id, task.claim_token)
    assert desk.step(runtime, said("command", name="renew")).problem is None
    assert review.queue(runtime)[0].claimed_by == "ann"


def test_a_claim_that_somebody_else_took_keeps_the_draft_and_says_so(runtime: Runtime) -> None:
    clip_id = store(runtime)
    desk = DeskSession("ann")
    task = desk.step(runtime, NOTHING).task
    assert task is not None
    review.release(runtime, clip_id, task.claim_token)
    review.open_clip(runtime, clip_id, "ben")
    view = desk.step(runtime, said("draft", clip_id=clip_id, text="mine"))
    assert view.replies[0].is_ok
    assert view.problem is not None
    refused = desk.step(runtime, verdict(clip_id))
    assert (refused.replies[0].is_ok, refused.replies[0].code) == (False, "claim_lost")
    assert refused.clip_id == clip_id


def test_skipped_clips_come_round_again_when_nothing_else_waits(runtime: Runtime) -> None:
    ids = {store(runtime, "a"), store(runtime, "b")}
    desk = DeskSession("ann")
    seen = [desk.step(runtime, NOTHING).clip_id]
    seen += [desk.step(runtime, said("command", name="skip", id=str(n))).clip_id for n in range(2)]
    assert {*seen[:2]} == ids
    assert seen[2] in ids


def test_the_last_save_can_be_opened_again(runtime: Runtime) -> None:
    clip_id = store(runtime)
    desk = DeskSession("ann")
    desk.step(runtime, NOTHING)
    desk.step(runtime, verdict(clip_id))
    view = desk.step(runtime, said("command", name="reopen"))
    assert view.clip_id == clip_id
    assert view.result is None
    assert desk_data(view, renew_s=1)["draft"]["rows"] == [
        "one two three four five six",
        "seven eight nine",
    ]


def test_only_flagged_clips_are_drawn_when_that_is_wanted(runtime: Runtime) -> None:
    flagged = store(runtime, "bad", doubt=0.9)
    for index in range(5):
        store(runtime, f"good {index}", doubt=0.01)
    desk = DeskSession("ann", wanted=review.QueueFilter(is_flagged_only=True))
    assert desk.step(runtime, NOTHING).clip_id == flagged
    assert desk.step(runtime, verdict(flagged)).clip_id is None
    assert not desk.is_clip_waiting(runtime)


def test_the_queue_is_read_only_when_it_is_asked_for(runtime: Runtime) -> None:
    clip_id = store(runtime)
    desk = DeskSession("ann")
    assert desk.step(runtime, NOTHING).queue is None
    view = desk.step(runtime, said("command", name="queue"))
    assert [entry["clip_id"] for entry in desk_data(view, renew_s=1)["queue"]] == [clip_id]


def test_the_browser_gets_doubt_and_time_of_every_word(runtime: Runtime) -> None:
    store(runtime)
    data = _data(DeskSession("ann").step(runtime, NOTHING))
    first, second = data["clip"]["segments"]
    assert first["words"][0] == ["one", 0.0, 0.35, 0.5]
    assert (first["doubt"], len(second["words"])) == (0.5, 2)


def test_a_transcript_without_words_still_has_a_row_to_write_into(runtime: Runtime) -> None:
    store_playable(runtime, "", file_name="silence.wav")
    data = _data(DeskSession("ann").step(runtime, NOTHING))
    assert data["clip"]["rows"] == [""]
    assert data["clip"]["segments"][0]["end_s"] == data["clip"]["duration_s"]


def _data(view: DeskView) -> dict[str, Any]:
    return desk_data(view, renew_s=300)
