"""The page of alerts, and the line about them on the pages of the QA lead."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from storage.columns import utc_now
from tests.app.conftest import OpenPage
from workbench import alerts, readings
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow

GOOD = dict.fromkeys(readings.SIGNALS, 0.0) | {
    "worker_running": 1.0,
    "disk_free_bytes": 1e12,
    "interval_coverage_high": 1.0,
}


def fire(runtime: Runtime, **bad: float) -> None:
    """As if these readings had held for an hour."""
    start = utc_now() - timedelta(hours=2)
    for minute in range(0, 65, 5):
        runtime.watch.check({**GOOD, **bad}, start + timedelta(minutes=minute))


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.success, app.warning)
    return "\n".join(element.value for kind in kinds for element in kind)


def test_an_empty_installation_says_what_cannot_be_told(
    installation: Runtime, open_page: OpenPage
) -> None:
    assert "have not been checked yet" in texts(open_page("alerts"))
    installation.watch.check({"worker_running": 1.0, "disk_free_bytes": 1e12}, utc_now())
    shown = texts(open_page("alerts"))
    assert "No alert so far. 8 of 10 rules have nothing to look at yet" in shown
    assert "WER of all clips, lower end" in shown
    assert "No alert has ended yet" in shown


def test_a_good_installation_says_so(installation: Runtime, open_page: OpenPage) -> None:
    installation.watch.check(GOOD, utc_now())
    assert "No alert: none of 10 rules fires." in open_page("alerts").success[0].value


def test_an_alert_is_acknowledged_with_a_note(installation: Runtime, open_page: OpenPage) -> None:
    fire(installation, stream_wer_low=0.5)
    (alert,) = alerts.firing(installation)
    app = open_page("alerts")
    assert "50 % now, 50 % at worst, bound 35 %" in texts(app)
    app.text_area(key=f"alerts.note.{alert.id}").set_value("A new *microphone*.")
    app.button(key=f"alerts.acknowledge.{alert.id}").click().run()
    assert alerts.firing(installation)[0].note == "A new *microphone*."
    assert "A new \\*microphone\\*" in texts(app)


def test_an_alert_that_is_over_is_in_the_history(
    installation: Runtime, open_page: OpenPage
) -> None:
    fire(installation, jobs_failed_share=0.9)
    installation.watch.check(GOOD, utc_now())
    (row,) = open_page("alerts").dataframe[0].value.to_dict("records")
    assert (row["Worst"], row["Bound"]) == ("90 %", "20 %")


def test_leads_are_told_until_somebody_acknowledges(
    installation: Runtime, open_page: OpenPage
) -> None:
    fire(installation, stream_wer_low=0.5, jobs_failed_share=0.9)
    assert "More than 35 % of the words" in texts(open_page("settings")).replace("\\", "")
    assert "And 1 more" in texts(open_page("settings"))
    assert "And 1 more" not in texts(open_page("library"))
    for alert in alerts.firing(installation):
        alerts.acknowledge(installation, alert.id, by="Ann", note="")
    assert "More than 35" not in texts(open_page("settings"))


def test_rules_that_are_switched_off_are_named(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("WERKBENCH_ALERTS__IS_ENABLED", "false")
    open_page: OpenPage = request.getfixturevalue("open_page")
    assert "No rule is checked" in texts(open_page("alerts"))
