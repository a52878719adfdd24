"""Rules checked on a real database: stored, logged, shown as metrics, acknowledged."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qe_core.config import Settings, load_settings
from qe_core.errors import ConfigError, ForbiddenError, NotFoundError, ReviewError
from storage.columns import utc_now
from storage.repositories import alerts as stored
from storage.repositories import events
from tests.stored_clips import add_clip, add_review, store_clip
from workbench import alerts, people, readings
from workbench.metrics import REGISTRY
from workbench.runtime import Runtime

RULES = """
rules:
  - {name: stuck, signal: jobs_waiting, above: 5, clears_at: 2, for: 2m, severity: page,
     summary: The queue is long., advice: Wait.}
  - {name: narrow, signal: interval_coverage_high, below: 0.8, summary: Narrow., advice: Retrain.}
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "my-rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return load_settings(data_dir=tmp_path / "data", alerts={"rules_file": file})


@pytest.fixture
def start() -> Iterator[datetime]:
    """A moment long enough ago that nothing tells the future."""
    return utc_now() - timedelta(hours=1)


def play(runtime: Runtime, start: datetime, *values: float, signal: str = "jobs_waiting") -> None:
    for minute, value in enumerate(values):
        runtime.watch.check({signal: value}, start + minute * MINUTE)


def state_of(rule: str) -> dict[str, float | None]:
    return {
        state: REGISTRY.get_sample_value(
            "werkbench_alerts", {"rule": rule, "severity": "page", "state": state}
        )
        for state in ("pending", "firing", "resolved")
    }


def test_an_alert_goes_through_its_states(runtime: Runtime, start: datetime) -> None:
    play(runtime, start, 6, 7)
    (pending,) = alerts.overview(runtime).pending
    assert (pending.rule, pending.value, pending.fired_at) == ("stuck", 7, None)
    assert state_of("stuck") == {"pending": 1, "firing": 0, "resolved": 0}

    play(runtime, start + 2 * MINUTE, 9, 4)
    (firing,) = alerts.overview(runtime).firing
    assert (firing.id, firing.worst, firing.value) == (pending.id, 9, 4)
    assert firing.fired_at == start + 2 * MINUTE
    assert state_of("stuck") == {"pending": 0, "firing": 1, "resolved": 0}

    play(runtime, start + 4 * MINUTE, 2)
    found = alerts.overview(runtime)
    assert (found.firing, found.pending) == ((), ())
    assert found.past[0].resolved_at == start + 4 * MINUTE
    assert found.checked_at == start + 4 * MINUTE
    assert state_of("stuck") == {"pending": 0, "firing": 0, "resolved": 1}


def test_a_condition_that_did_not_last_leaves_no_trace(runtime: Runtime, start: datetime) -> None:
    play(runtime, start, 6, 1)
    found = alerts.overview(runtime)
    assert (found.firing, found.pending, found.past) == ((), (), ())


def test_a_restart_goes_on_where_it_was(
    runtime: Runtime, start: datetime, settings: Settings
) -> None:
    play(runtime, start, 6, 6)
    runtime.close()
    again = Runtime(settings)
    try:
        play(again, start + 2 * MINUTE, 6)
        assert alerts.overview(again).firing[0].started_at == start
    finally:
        again.close()


def test_an_alert_whose_rule_is_gone_ends(
    runtime: Runtime, start: datetime, settings: Settings
) -> None:
    play(runtime, start, 6, 6, 6)
    runtime.close()
    assert settings.alerts.rules_file is not None
    settings.alerts.rules_file.write_text("rules: []", encoding="utf-8")
    again = Runtime(settings)
    try:
        again.watch.check({}, start + 3 * MINUTE)
        found = alerts.overview(again)
        assert [alert.state for alert in (*found.firing, *found.past)] == ["resolved"]
    finally:
        again.close()


def test_every_change_is_logged_once(
    runtime: Runtime, start: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="workbench.alerts"):
        play(runtime, start, 6, 6, 6, 6, 1)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "Alert stuck is pending: The queue is long. (jobs_waiting is 6, bound 5)",
        "Alert stuck fires: The queue is long. (jobs_waiting is 6, bound 5)",
        "Alert stuck is resolved: The queue is long. (jobs_waiting is 1, bound 5)",
    ]


def test_an_acknowledged_alert_keeps_its_note_and_goes_last(
    runtime: Runtime, start: datetime
) -> None:
    play(runtime, start, 6, 6, 6)
    runtime.watch.check({"jobs_waiting": 6, "interval_coverage_high": 0.1}, start + 3 * MINUTE)
    first, second = alerts.overview(runtime).firing
    assert (first.rule, second.rule) == ("stuck", "narrow")
    alerts.acknowledge(runtime, first.id, by="Ann", note="  A second machine is ordered. ")
    runtime.watch.check({"jobs_waiting": 8, "interval_coverage_high": 0.1}, start + 4 * MINUTE)
    known = alerts.overview(runtime).firing[1]
    assert (known.rule, known.acknowledged_by, known.note, known.value) == (
        "stuck",
        "Ann",
        "A second machine is ordered.",
        8,
    )
    with runtime.database.session() as session:
        assert events.list_recent(session, kind="alert_acknowledged")[0].actor == "Ann"


def test_an_unknown_alert_and_a_novel_are_refused(runtime: Runtime, start: datetime) -> None:
    with pytest.raises(NotFoundError):
        alerts.acknowledge(runtime, "nothing", by="Ann", note="")
    play(runtime, start, 6, 6, 6)
    alert = alerts.overview(runtime).firing[0]
    with pytest.raises(ReviewError, match="501 characters"):
        alerts.acknowledge(runtime, alert.id, by="Ann", note="x" * 501)


def test_only_leads_acknowledge(runtime: Runtime, start: datetime) -> None:
    people.sign_in(runtime, "Boss", is_new_admin=True)
    people.sign_in(runtime, "Ann")
    people.set_role(runtime, "Ann", "annotator", actor="Boss")
    play(runtime, start, 6, 6, 6)
    alert = alerts.overview(runtime).firing[0]
    with pytest.raises(ForbiddenError):
        alerts.acknowledge(runtime, alert.id, by="Ann", note="")
    people.set_role(runtime, "Ann", "lead", actor="Boss")
    alerts.acknowledge(runtime, alert.id, by="Ann", note="")
    assert alerts.overview(runtime).firing[0].acknowledged_by == "Ann"


def test_signals_that_cannot_be_told_are_named(runtime: Runtime, start: datetime) -> None:
    play(runtime, start, 1)
    assert alerts.overview(runtime).unknown == ("interval_coverage_high",)


def test_the_bundled_rules_are_valid_and_watch_quietly_over_an_empty_installation(
    tmp_path: Path,
) -> None:
    runtime = Runtime(load_settings(data_dir=tmp_path))
    try:
        runtime.watch.look()
        found = alerts.overview(runtime)
        assert found.num_rules == len(runtime.watch.rules) > 5
        assert found.firing == ()
        assert [alert.rule for alert in found.pending] == ["worker_stopped"]
    finally:
        runtime.close()


@pytest.mark.parametrize("content", [None, "rules: [{name: x}]", "rules: [\xff"])
def test_a_file_of_rules_that_cannot_be_used_ends_the_start(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "broken.yaml"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        Runtime(load_settings(data_dir=tmp_path / "data", alerts={"rules_file": file}))


def test_switched_off_rules_are_not_checked_but_signals_are_measured(tmp_path: Path) -> None:
    runtime = Runtime(load_settings(data_dir=tmp_path, alerts={"is_enabled": False}))
    try:
        runtime.watch.look()
        assert alerts.overview(runtime).num_rules == 0
        assert runtime.watch.readings["worker_running"] == 0.0
    finally:
        runtime.close()


def test_the_watch_thread_looks_by_itself_and_stops(tmp_path: Path) -> None:
    runtime = Runtime(load_settings(data_dir=tmp_path, alerts={"interval_s": 1}))
    try:
        runtime.watch.start()
        runtime.watch.start()
        deadline = utc_now() + timedelta(seconds=10)
        while runtime.watch.checked_at is None and utc_now() < deadline:
            pass
        assert runtime.watch.checked_at is not None
    finally:
        runtime.close()


def test_a_failing_page_does_not_stop_the_rules_about_the_machine(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Runtime) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("workbench.drift.report", fail)
    runtime.watch.look()
    assert "jobs_waiting" in runtime.watch.readings
    assert "stream_wer" not in runtime.watch.readings
    assert "cannot be told now" in caplog.text


def audits(runtime: Runtime, number: int, *, errors: int) -> None:
    """Audits of four words each, one expected error, ``errors`` real ones."""

    def work(session: Any) -> None:
        for index in range(number):
            clip_id = add_clip(session, f"{errors}-{index}", expected_errors=1.0, width=0.2)
            words = ["one", "two", "three", "four"]
            words[:errors] = ["wrong"] * errors
            add_review(session, clip_id, " ".join(words), policy="audit", propensity=0.1)

    runtime.database.write(work)


def test_audits_show_the_bias_of_the_estimates(runtime: Runtime) -> None:
    audits(runtime, 15, errors=3)
    assert "audit_residual" not in readings.measure(runtime)
    audits(runtime, 15, errors=1)
    found = readings.measure(runtime)
    assert found["audit_residual"] == pytest.approx(0.25)
    # Residuals of 0.5 and 0, half of each: standard error 0.25 * sqrt(30/29) / sqrt(30).
    assert found["audit_residual_low"] == pytest.approx(0.25 - 1.96 * 0.25 / 29**0.5, abs=1e-4)
    assert found["interval_coverage"] == pytest.approx(0.5)
    assert 0.6 < found["interval_coverage_high"] < 0.7


def test_recent_estimates_and_the_review_queue_are_measured(runtime: Runtime) -> None:
    store_clip(runtime, "good", expected_errors=0.2)
    store_clip(runtime, "bad", expected_errors=3.0)
    found = {**readings.measure(runtime), **readings.measure_slow(runtime)}
    assert found["predicted_wer_recent"] == pytest.approx(0.4)
    assert found["low_quality_share"] == 0.5
    assert found["review_waiting"] == 1
    assert set(found) <= set(readings.SIGNALS)


def test_the_webhook_is_told_what_it_does_not_know(runtime: Runtime, start: datetime) -> None:
    play(runtime, start, 6, 6, 6)
    with runtime.database.session() as session:
        (due,) = stored.list_undelivered(session, since=start)
        assert stored.list_undelivered(session, since=utc_now()) == []
    runtime.database.write(lambda session: stored.set_delivered(session, due))
    with runtime.database.session() as session:
        assert stored.list_undelivered(session, since=start) == []
    play(runtime, start + 3 * MINUTE, 1)
    with runtime.database.session() as session:
        assert [alert.state for alert in stored.list_undelivered(session, since=start)] == [
            "resolved"
        ]
