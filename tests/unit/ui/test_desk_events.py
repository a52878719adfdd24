"""What the browser says is checked before anybody believes it."""

import logging
from typing import Any

import pytest

from ui.desk.events import read_events

VERDICT = {"id": "7", "clip_id": "c", "verdict": "correct", "text": "one", "listened_share": 0.5}


def test_a_verdict_carries_the_evidence_of_listening() -> None:
    verdict = read_events({"verdict": VERDICT | {"replays": 2, "lead_time_s": 12.5}}).verdict
    assert verdict is not None
    assert (verdict.listened_share, verdict.replays, verdict.lead_time_s) == (0.5, 2, 12.5)


def test_silence_is_no_event() -> None:
    assert read_events({"draft": None, "unheard_of": {"id": "1"}}).is_empty


@pytest.mark.parametrize(
    "broken",
    [
        {"verdict": "delete"},
        {"listened_share": 1.5},
        {"lead_time_s": float("nan")},
        {"replays": -1},
        {"clip_id": ""},
        {"text": 7},
        {"id": None},
    ],
)
def test_a_malformed_verdict_is_dropped_and_logged(
    broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    draft = {"id": "8", "clip_id": "c", "text": "kept"}
    with caplog.at_level(logging.WARNING):
        events = read_events({"verdict": VERDICT | broken, "draft": draft})
    assert events.verdict is None
    assert events.draft is not None
    assert "malformed verdict" in caplog.text


@pytest.mark.parametrize("value", ["text", 7, ["list"]])
def test_a_message_that_is_no_object_is_dropped(value: object) -> None:
    assert read_events({"command": value}).is_empty
