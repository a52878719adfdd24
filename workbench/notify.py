"""Telling a webhook about alerts: in Alertmanager's format, again until it answers.

What is to be told stands in the database: an alert whose state differs from the one that the
webhook was told. So nothing is lost when Werkbench restarts, and nobody waits for the network.
"""

import hashlib
import hmac
import json
import logging
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from qe_core.config import AlertsSettings, ServerSettings
from qe_core.errors import WerkbenchError
from storage.columns import utc_now
from storage.records import Alert
from storage.repositories import alerts

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["Notifier", "as_webhook", "sign"]

_log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
_STOP_TIMEOUT_S = 1.0
# After this nobody needs to be told any more.
_NEWS = timedelta(days=1)
# The endpoint may change its mind about these; any other refusal stays one.
_TEMPORARY = frozenset({408, 425, 429})
_SERVER_ERROR = 500
_OPEN_END = "0001-01-01T00:00:00Z"


class _RefusedError(Exception):
    """The webhook will never take this message."""


class Notifier:
    """One thread that tells the webhook of the settings what it has not been told yet.

    Args:
        runtime: database and settings
        first_pause_s: wait after the first failure; it doubles with every further one
    """

    def __init__(self, runtime: "Runtime", *, first_pause_s: float = _FIRST_PAUSE_S) -> None:
        self._runtime = runtime
        self._settings = runtime.settings.alerts
        self._first_pause_s = first_pause_s
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin, if there is a webhook to tell."""
        if self._settings.webhook_url is None or self._thread is not None:
            return
        self._stopping.clear()
        self._woken.set()
        self._thread = threading.Thread(target=self._work, name="werkbench-notify", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; what was not told yet is told after the next start."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT_S)
            self._thread = None

    def wake(self) -> None:
        """There may be something to tell; returns at once."""
        self._woken.set()

    def tell_all(self) -> bool:
        """Tell everything that is due, once, in the calling thread.

        Returns:
            whether nothing is left
        """
        with self._runtime.database.session() as session:
            due = alerts.list_undelivered(session, since=utc_now() - _NEWS)
        is_done = True
        for alert in due:
            try:
                self._post(as_webhook(alert, self._settings, self._runtime.settings.server))
            except _RefusedError as error:
                _log.error("The webhook refuses alert %s: %s", alert.rule, error)
            except (OSError, HTTPException, ValueError) as error:
                _log.warning("The webhook did not take alert %s: %s", alert.rule, error)
                is_done = False
                continue
            self._runtime.database.write(partial(alerts.set_delivered, alert=alert))
        return is_done

    def _work(self) -> None:
        num_failures = 0
        while not self._stopping.is_set():
            try:
                is_done = self.tell_all()
            except WerkbenchError as error:
                if not self._stopping.is_set():
                    _log.warning("The webhook could not be told: %s", error.message)
                is_done = False
            num_failures = 0 if is_done else num_failures + 1
            if is_done:
                self._woken.wait()
                self._woken.clear()
            else:
                pause_s = self._first_pause_s * 2 ** min(num_failures - 1, 16)
                # Jitter, so that many installations do not come back to one endpoint together.
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
                self._stopping.wait(min(pause_s, _LONGEST_PAUSE_S) * jitter)

    def _post(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
            _plain(self._settings.webhook_url),
            data=body,
            headers=_headers(self._settings, body),
            method="POST",
        )
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
                answer.read(0)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _TEMPORARY or error.code >= _SERVER_ERROR:
                raise
            raise _RefusedError(f"HTTP {error.code}") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever the endpoint says."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def as_webhook(alert: Alert, settings: AlertsSettings, server: ServerSettings) -> dict[str, Any]:
    """An alert as Alertmanager's webhook receivers expect it (payload version 4).

    Args:
        alert: a firing or resolved alert
        settings: ``external_url`` is where its links lead
        server: its address stands in when there is none

    References:
        https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """
    base = (settings.external_url or f"http://{server.host}:{server.port}").rstrip("/")
    labels = {"alertname": alert.rule, "severity": alert.severity, "job": "werkbench"}
    annotations = {
        "summary": alert.summary,
        "description": alert.advice,
        "signal": alert.signal,
        "value": f"{alert.value:g}",
        "bound": f"{alert.bound:g}",
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{alert.rule}"}}',
        "truncatedAlerts": 0,
        "status": alert.state,
        "receiver": "werkbench",
        "groupLabels": {"alertname": alert.rule},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": base,
        "alerts": [
            {
                "status": alert.state,
                "labels": labels,
                "annotations": annotations,
                "startsAt": _stamp(alert.fired_at or alert.started_at),
                "endsAt": _OPEN_END if alert.resolved_at is None else _stamp(alert.resolved_at),
                "generatorURL": f"{base}/alerts",
                "fingerprint": hashlib.sha256(alert.id.encode()).hexdigest()[:16],
            }
        ],
    }


def sign(body: bytes, secret: str) -> str:
    """The value of ``X-Werkbench-Signature`` for a body.

    Examples:
        >>> sign(b"{}", "secret")[:15]
        'sha256=77325902'
    """
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _headers(settings: AlertsSettings, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "Werkbench"}
    if settings.webhook_token is not None:
        headers["Authorization"] = f"Bearer {_plain(settings.webhook_token)}"
    if settings.webhook_secret is not None:
        headers["X-Werkbench-Signature"] = sign(body, _plain(settings.webhook_secret))
    return headers


def _plain(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
