"""Alerts: the rules are checked again and again, and people see, acknowledge and look back."""

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily

from qe_core.config import Settings, bundled_path
from qe_core.errors import ConfigError, ReviewError, WerkbenchError
from qe_core.monitoring.rules import Rule, advance, parse_rules
from storage.columns import utc_now
from storage.database import Session
from storage.records import Alert
from storage.repositories import alerts, events
from workbench import metrics, people, readings
from workbench.notify import Notifier

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "MAX_NOTE_CHARACTERS",
    "Overview",
    "Watch",
    "acknowledge",
    "firing",
    "load_rules",
    "overview",
]

_log = logging.getLogger(__name__)

MAX_NOTE_CHARACTERS = 500
"""Length of a note on an alert."""

_STATES = ("pending", "firing", "resolved")
# A condition that nobody looked at for this many intervals did not last: it begins anew.
_MAX_GAP_INTERVALS = 10
_FORGET_AFTER = timedelta(days=1)
_STOP_TIMEOUT_S = 5.0
# What looks at every clip must not keep a big installation busy: at most a twentieth of the time.
_REST_PER_WORK = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to see.

    Args:
        firing: alerts that nobody has acknowledged come first, then the worst severity
        pending: conditions that have not lasted long enough yet
        past: resolved alerts, newest first
        checked_at: when the rules were checked last; ``None`` before the first time
        num_rules: rules that are checked
        unknown: signals that rules watch and that cannot be told yet
        num_blind: rules that watch such a signal
    """

    firing: tuple[Alert, ...]
    pending: tuple[Alert, ...]
    past: tuple[Alert, ...]
    checked_at: datetime | None
    num_rules: int
    unknown: tuple[str, ...]
    num_blind: int


def load_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules of ``alerts.rules_file``, or those that travel with Werkbench.

    Raises:
        ConfigError: the file cannot be read, or a rule in it is wrong
    """
    path = settings.alerts.rules_file or bundled_path("config", "alerts.yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: the alert rules cannot be read ({_reason(error)}).",
            suggestion="Set alerts.rules_file to a YAML file, or remove the setting.",
        ) from error
    return parse_rules(text, file_name=_short(path), signals=readings.SIGNALS)


def firing(runtime: "Runtime") -> tuple[Alert, ...]:
    """The alerts that fire now, most urgent first."""
    with runtime.database.session() as session:
        found = [alert for alert in alerts.list_open(session) if alert.state == "firing"]
    return tuple(sorted(found, key=_urgency))


def overview(runtime: "Runtime") -> Overview:
    """All alerts, sorted for people."""
    with runtime.database.session() as session:
        found = alerts.list_recent(session)
    watch = runtime.watch
    signals = dict.fromkeys(rule.signal for rule in watch.rules)
    return Overview(
        firing=firing(runtime),
        pending=tuple(alert for alert in found if alert.state == "pending"),
        past=tuple(alert for alert in found if alert.state == "resolved"),
        checked_at=watch.checked_at,
        num_rules=len(watch.rules),
        unknown=tuple(name for name in signals if name not in watch.readings),
        num_blind=sum(rule.signal not in watch.readings for rule in watch.rules),
    )


def acknowledge(runtime: "Runtime", alert_id: str, *, by: str, note: str) -> None:
    """Note that somebody knows of an alert and what is being done about it.

    Args:
        runtime: the runtime
        alert_id: the alert
        by: who it is
        note: what is being done; may be empty

    Raises:
        NotFoundError: there is no such alert
        ReviewError: the note is too long
        ForbiddenError: somebody who is no lead
    """
    note = note.strip()
    if len(note) > MAX_NOTE_CHARACTERS:
        raise ReviewError(
            f"The note has {len(note)} characters; {MAX_NOTE_CHARACTERS} are allowed.",
            suggestion="Shorten it.",
        )

    def work(session: Session) -> None:
        people.require(session, by, "lead")
        alert = alerts.get(session, alert_id)
        alerts.acknowledge(session, alert_id, by=by, note=note)
        payload = {"alert_id": alert_id, "rule": alert.rule, "note": note}
        events.add(session, "alert_acknowledged", actor=by, payload=payload)

    runtime.database.write(work)


class Watch:
    """One thread that measures the signals and checks the rules, for as long as the process lives.

    Args:
        runtime: database and settings

    Raises:
        ConfigError: a rule is wrong
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._settings = runtime.settings.alerts
        self.rules = load_rules(runtime.settings) if self._settings.is_enabled else ()
        self.readings: readings.Readings = {}
        self.checked_at: datetime | None = None
        self._slow: readings.Readings = {}
        self._slow_due = 0.0
        self._notifier = Notifier(runtime)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to watch; does nothing when it watches already."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stopping.clear()
        self._notifier.start()
        self._thread = threading.Thread(target=self._work, name="werkbench-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the look that is under way, and stop telling the webhook."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT_S)
            self._thread = None
        self._notifier.stop()

    def look(self, now: datetime | None = None) -> None:
        """Measure and check once, in the calling thread.

        Args:
            now: when this is; the present by default

        Raises:
            WerkbenchError: the database failed
        """
        now = now or utc_now()
        if time.monotonic() >= self._slow_due:
            started = time.monotonic()
            self._slow = self._measure_slow()
            rest_s = _REST_PER_WORK * (time.monotonic() - started)
            self._slow_due = time.monotonic() + max(self._settings.slow_interval_s, rest_s)
        self.check({**readings.measure(self._runtime), **self._slow}, now)

    def check(self, measured: readings.Readings, now: datetime) -> None:
        """Check the rules against these readings, store, log and tell what changed.

        Args:
            measured: values by signal
            now: when they were measured
        """
        self.readings = measured
        changed = self._runtime.database.write(lambda session: self._store(session, measured, now))
        self.checked_at = now
        for before, alert in changed:
            _log_change(before, alert)
        if any(alert.state != "pending" for _, alert in changed):
            self._notifier.wake()
        self._publish(measured, now)

    def _measure_slow(self) -> readings.Readings:
        """Nothing when it fails: the rules about the machine must not stop with the science."""
        try:
            return readings.measure_slow(self._runtime)
        except Exception:  # noqa: BLE001 - see above
            if not self._stopping.is_set():
                _log.exception("The WER of the stream and drift cannot be told now.")
            return {}

    def _store(
        self, session: Session, measured: readings.Readings, now: datetime
    ) -> list[tuple[str | None, Alert]]:
        """Advance every rule; what changed its state comes back with the state before."""
        open_alerts = {alert.rule: alert for alert in alerts.list_open(session)}
        changed: list[tuple[str | None, Alert]] = []
        for rule in self.rules:
            alert = open_alerts.pop(rule.name, None)
            after = self._advance(session, rule, alert, measured.get(rule.signal), now)
            before = None if alert is None else alert.state
            if after is not None and after.state != before:
                changed.append((before, after))
        # What is left belongs to rules that are gone.
        changed += [(alert.state, _end(session, alert, now)) for alert in open_alerts.values()]
        return changed

    def _advance(
        self, session: Session, rule: Rule, alert: Alert | None, value: float | None, now: datetime
    ) -> Alert | None:
        before = None if alert is None else alert.episode
        max_gap = timedelta(seconds=_MAX_GAP_INTERVALS * self._settings.interval_s)
        episode = advance(rule, before, value, now, max_gap=max_gap, forget_after=_FORGET_AFTER)
        if alert is None:
            return None if episode is None else alerts.add(session, rule, episode)
        if episode is None:
            alerts.delete(session, alert.id)
            return None
        if episode != before:
            alerts.update(session, alert.id, episode)
        return alerts.get(session, alert.id)

    def _publish(self, measured: readings.Readings, now: datetime) -> None:
        with self._runtime.database.session() as session:
            newest = {alert.rule: alert.state for alert in alerts.list_newest_per_rule(session)}
        states = GaugeMetricFamily(
            "werkbench_alerts",
            "1 for the state of the newest alert of each rule, 0 for the other states.",
            labels=["rule", "severity", "state"],
        )
        for rule in self.rules:
            for state in _STATES:
                is_state = float(newest.get(rule.name) == state)
                states.add_metric([rule.name, rule.severity, state], is_state)
        checked = GaugeMetricFamily(
            "werkbench_alerts_checked_timestamp_seconds", "When the rules were checked last."
        )
        checked.add_metric([], now.timestamp())
        metrics.publish(*readings.as_gauges(measured), states, checked)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except WerkbenchError as error:
                if not self._stopping.is_set():
                    _log.warning("The alert rules could not be checked: %s", error.message)
            except Exception:  # noqa: BLE001 - the watch outlives everything
                if not self._stopping.is_set():
                    _log.exception("The alert rules could not be checked; it tries again.")
            self._stopping.wait(self._settings.interval_s)


def _end(session: Session, alert: Alert, now: datetime) -> Alert:
    """End an alert whose rule is gone; one that was only pending never was."""
    ended = replace(alert, state="resolved", resolved_at=now)
    if alert.state == "pending":
        alerts.delete(session, alert.id)
    else:
        alerts.update(session, alert.id, ended.episode)
    return ended


def _log_change(before: str | None, alert: Alert) -> None:
    facts = (alert.rule, alert.summary, alert.signal, alert.value, alert.bound)
    if alert.state == "firing":
        _log.warning("Alert %s fires: %s (%s is %.4g, bound %.4g)", *facts)
    elif alert.state == "resolved" and before == "firing":
        _log.info("Alert %s is resolved: %s (%s is %.4g, bound %.4g)", *facts)
    elif alert.state == "pending":
        _log.info("Alert %s is pending: %s (%s is %.4g, bound %.4g)", *facts)


def _urgency(alert: Alert) -> tuple[bool, bool, str]:
    return (alert.acknowledged_at is not None, alert.severity != "page", alert.id)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])
