"""What a webhook is told; that it arrives is shown with a real server in ``tests/e2e``."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qe_core.config import AlertsSettings, ServerSettings, load_settings
from qe_core.errors import ConfigError
from storage.records import Alert
from workbench import alerts
from workbench.notify import Notifier, as_webhook
from workbench.runtime import Runtime

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def alert(runtime: Runtime) -> Alert:
    for minute in (0, 5, 10):
        runtime.watch.check({"disk_free_bytes": 1e9}, START + timedelta(minutes=minute))
    return alerts.firing(runtime)[0]


def test_a_message_without_an_external_address_names_the_server(alert: Alert) -> None:
    message = as_webhook(alert, AlertsSettings(), ServerSettings(port=9000))
    assert message["externalURL"] == "http://127.0.0.1:9000"
    assert message["groupLabels"] == {"alertname": "disk_full"}
    assert message["alerts"][0]["startsAt"] == "2026-01-02T03:09:05.000Z"
    assert message["commonAnnotations"]["value"] == "1e+09"


def test_without_a_webhook_nothing_is_started(runtime: Runtime, alert: Alert) -> None:
    notifier = Notifier(runtime)
    notifier.start()
    notifier.wake()
    notifier.stop()
    assert alert.delivered_state is None


@pytest.mark.parametrize("url", ["ftp://example.org", "//example.org", "http://", "http:// x"])
def test_an_address_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="begins with http:// or https://"):
        load_settings(alerts={"webhook_url": url})


def test_secrets_are_not_shown(runtime: Runtime) -> None:
    settings = load_settings(
        alerts={
            "webhook_url": "https://example.org/its-path-is-a-secret",
            "webhook_token": "t0ken",
            "webhook_secret": "s3cret",
        }
    )
    shown = str(settings.model_dump(mode="json"))
    assert all(secret not in shown for secret in ("its-path", "t0ken", "s3cret"))


def test_the_rules_are_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_ENV", "alerts")
    with pytest.raises(ConfigError, match="no such environment") as caught:
        load_settings()
    assert caught.value.suggestion == "Use one of: dev, prod."
