"""A real HTTP server is told about alerts, however long it takes."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from qe_core.config import load_settings
from storage.columns import utc_now
from workbench.notify import Notifier, sign
from workbench.runtime import Runtime

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

RULES = """
rules:
  - {name: stuck, signal: jobs_waiting, above: 5, severity: page, summary: The queue is long.,
     advice: Wait.}
"""
SECRET = "not so secret"  # noqa: S105 - of a server that lives for a second


class Webhook:
    """Remembers what it is told; answers with these statuses first, then with 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((dict(self.headers), body))
                status = outer.statuses.pop(0) if outer.statuses else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", outer.url)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    opened = Webhook()
    yield opened
    opened.close()


@pytest.fixture
def make_runtime(tmp_path: Path, webhook: Webhook) -> Iterator[Callable[..., Runtime]]:
    opened: list[Runtime] = []

    def make(**changes: Any) -> Runtime:
        file = tmp_path / "rules.yaml"
        file.write_text(RULES, encoding="utf-8")
        settings = {"rules_file": file, "webhook_url": webhook.url, **changes}
        opened.append(Runtime(load_settings(data_dir=tmp_path / "data", alerts=settings)))
        return opened[-1]

    yield make
    for runtime in opened:
        runtime.close()


def fire(runtime: Runtime) -> None:
    runtime.watch.check({"jobs_waiting": 6}, utc_now())


def resolve(runtime: Runtime) -> None:
    runtime.watch.check({"jobs_waiting": 1}, utc_now())


def wait_for(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_an_alert_and_its_end_arrive_in_the_format_of_alertmanager(
    webhook: Webhook, make_runtime: Callable[..., Runtime]
) -> None:
    runtime = make_runtime(
        webhook_token="t0ken",  # noqa: S106 - see SECRET
        webhook_secret=SECRET,
        external_url="https://werkbench.example/",
    )
    fire(runtime)
    notifier = Notifier(runtime)
    assert notifier.tell_all()
    resolve(runtime)
    assert notifier.tell_all()
    assert notifier.tell_all()
    firing, resolved = webhook.messages()
    assert (firing["version"], firing["status"], resolved["status"]) == ("4", "firing", "resolved")
    assert firing["groupKey"] == resolved["groupKey"]
    assert firing["commonLabels"] == {
        "alertname": "stuck",
        "severity": "page",
        "job": "werkbench",
    }
    (alert,) = firing["alerts"]
    (ended,) = resolved["alerts"]
    assert alert["annotations"]["summary"] == "The queue is long."
    assert alert["generatorURL"] == "https://werkbench.example/alerts"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert alert["startsAt"] == ended["startsAt"] <= ended["endsAt"]
    assert alert["fingerprint"] == ended["fingerprint"]
    headers, body = webhook.requests[0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["X-Werkbench-Signature"] == sign(body, SECRET)


def test_a_webhook_that_fails_is_tried_again_until_it_answers(
    webhook: Webhook, make_runtime: Callable[..., Runtime]
) -> None:
    runtime = make_runtime()
    webhook.statuses = [500, 429, 503]
    notifier = Notifier(runtime, first_pause_s=0.01)
    notifier.start()
    fire(runtime)
    notifier.wake()
    try:
        wait_for(lambda: len(webhook.requests) == 4)
        time.sleep(0.1)
        assert len(webhook.requests) == 4
    finally:
        notifier.stop()


@pytest.mark.parametrize("status", [302, 404])
def test_a_refusal_and_a_redirect_are_final(
    webhook: Webhook,
    make_runtime: Callable[..., Runtime],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    runtime = make_runtime(webhook_token="t0ken")  # noqa: S106 - see SECRET
    webhook.statuses = [status]
    fire(runtime)
    notifier = Notifier(runtime)
    assert notifier.tell_all()
    assert notifier.tell_all()
    assert len(webhook.requests) == 1
    assert f"refuses alert stuck: HTTP {status}" in caplog.text


def test_a_dead_webhook_holds_nobody_up_and_is_told_after_a_restart(
    webhook: Webhook, make_runtime: Callable[..., Runtime]
) -> None:
    runtime = make_runtime(webhook_url="http://127.0.0.1:9/hook")
    runtime.watch.start()
    started = time.monotonic()
    fire(runtime)
    assert time.monotonic() - started < 2
    runtime.close()
    again = make_runtime()
    again.watch.start()
    wait_for(lambda: bool(webhook.requests))
    assert webhook.messages()[0]["alerts"][0]["labels"]["alertname"] == "stuck"


def test_an_old_alert_is_no_news(webhook: Webhook, make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime()
    runtime.watch.check({"jobs_waiting": 6}, utc_now() - timedelta(days=2))
    assert Notifier(runtime).tell_all()
    assert webhook.requests == []
