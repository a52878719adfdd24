"""What a webhook is told and when it is told again, up to the socket."""

import io
import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from http.client import HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import URLError
from urllib.response import addinfourl

import pytest

from qe_core.config import load_settings
from storage.columns import utc_now
from workbench import alerts, notify
from workbench.notify import Notifier, sign
from workbench.runtime import Runtime

URL = "http://hooks.example.org/werkbench"
WAIT_S = 10.0


class Endpoint(urllib.request.HTTPHandler):
    """Stands where urllib would open a socket; answers with these statuses first, then with 200."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.requests: list[urllib.request.Request] = []
        self.was_told = threading.Event()

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        self.requests.append(req)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise URLError("nobody answers")
        headers = Message()
        headers["Location"] = URL
        answer = addinfourl(io.BytesIO(), headers, URL, status)
        answer.msg = "said so"  # type: ignore[attr-defined]  # urllib reads it for its errors
        if status == 200:
            self.was_told.set()
        return cast("HTTPResponse", answer)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    made = Endpoint()
    opener = urllib.request.build_opener(notify._NoRedirects, made)
    monkeypatch.setattr(notify, "_OPENER", opener)
    return made


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    webhook = {"webhook_url": URL, "webhook_token": "t0ken", "webhook_secret": "s3cret"}
    opened = Runtime(load_settings(data_dir=tmp_path, alerts=webhook))
    begin = utc_now() - timedelta(minutes=10)
    for minute in (0, 5, 10):
        opened.watch.check({"disk_free_bytes": 1e9}, begin + timedelta(minutes=minute))
    yield opened
    opened.close()


def delivered(runtime: Runtime) -> str | None:
    return alerts.firing(runtime)[0].delivered_state


def test_an_alert_is_told_once_signed_and_with_the_token(
    runtime: Runtime, endpoint: Endpoint
) -> None:
    notifier = Notifier(runtime)
    assert notifier.tell_all()
    assert notifier.tell_all()
    (request,) = endpoint.requests
    body = cast("bytes", request.data)
    assert json.loads(body)["status"] == "firing"
    assert request.get_header("Authorization") == "Bearer t0ken"
    assert request.get_header("X-werkbench-signature") == sign(body, "s3cret")
    assert delivered(runtime) == "firing"


@pytest.mark.parametrize("status", [0, 408, 425, 429, 500, 503])
def test_what_may_pass_is_tried_again(runtime: Runtime, endpoint: Endpoint, status: int) -> None:
    endpoint.statuses = [status]
    assert not Notifier(runtime).tell_all()
    assert delivered(runtime) is None
    assert Notifier(runtime).tell_all()
    assert delivered(runtime) == "firing"


@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_a_refusal_or_a_redirect_is_final_and_in_the_log(
    runtime: Runtime, endpoint: Endpoint, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.statuses = [status]
    assert Notifier(runtime).tell_all()
    assert Notifier(runtime).tell_all()
    assert len(endpoint.requests) == 1
    assert f"The webhook refuses alert disk_full: HTTP {status}" in caplog.text


def test_the_thread_goes_on_until_it_is_heard(runtime: Runtime, endpoint: Endpoint) -> None:
    endpoint.statuses = [503, 0, 503]
    notifier = Notifier(runtime, first_pause_s=0.001)
    notifier.start()
    notifier.start()  # a second start changes nothing
    assert endpoint.was_told.wait(WAIT_S)
    notifier.wake()
    notifier.stop()
    assert len(endpoint.requests) == 4
