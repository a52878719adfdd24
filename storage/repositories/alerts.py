"""Alerts: one row per episode of a rule; its state changes, people and the webhook add to it."""

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.errors import NotFoundError
from qe_core.monitoring.rules import Episode, Rule
from storage.columns import UtcDateTime, utc_now
from storage.ids import new_id
from storage.records import Alert
from storage.repositories.mapping import to_record, to_records
from storage.tables import Alerts

__all__ = [
    "acknowledge",
    "add",
    "delete",
    "get",
    "list_newest_per_rule",
    "list_open",
    "list_recent",
    "list_undelivered",
    "set_delivered",
    "update",
]


def add(session: Session, rule: Rule, episode: Episode) -> Alert:
    """Store a new episode of a rule."""
    row = Alerts(
        id=new_id(),
        rule=rule.name,
        signal=rule.signal,
        severity=rule.severity,
        summary=rule.summary,
        advice=rule.advice,
        bound=rule.bound,
        **asdict(episode),
    )
    session.add(row)
    session.flush()
    return to_record(Alert, row)


def update(session: Session, alert_id: str, episode: Episode) -> None:
    """Store how an episode went on; what people wrote stays."""
    _set(session, alert_id, **asdict(episode))


def delete(session: Session, alert_id: str) -> None:
    """Forget a pending episode that never became an alert."""
    session.exec(sa.delete(Alerts).where(col(Alerts.id) == alert_id))


def get(session: Session, alert_id: str) -> Alert:
    """The alert with this id.

    Raises:
        NotFoundError: there is none
    """
    row = session.get(Alerts, alert_id)
    if row is None:
        raise NotFoundError(
            f"There is no alert {alert_id!r}.", suggestion="Look at the list of alerts."
        )
    return to_record(Alert, row)


def list_open(session: Session) -> list[Alert]:
    """Pending and firing ones, oldest first."""
    query = select(Alerts).where(col(Alerts.state).in_(("pending", "firing")))
    return to_records(Alert, session.exec(query.order_by(col(Alerts.id))))


def list_recent(session: Session, *, limit: int = 200) -> list[Alert]:
    """The newest ones of any state, newest first."""
    query = select(Alerts).order_by(col(Alerts.id).desc()).limit(limit)
    return to_records(Alert, session.exec(query))


def list_newest_per_rule(session: Session) -> list[Alert]:
    """The newest episode of every rule that ever had one."""
    newest = select(sa.func.max(Alerts.id)).group_by(col(Alerts.rule))
    return to_records(Alert, session.exec(select(Alerts).where(col(Alerts.id).in_(newest))))


def acknowledge(session: Session, alert_id: str, *, by: str, note: str) -> None:
    """Note that somebody knows of it; a later note replaces an earlier one."""
    _set(session, alert_id, acknowledged_at=utc_now(), acknowledged_by=by, note=note)


def list_undelivered(session: Session, *, since: datetime) -> list[Alert]:
    """Firing and resolved ones whose state the webhook was not told, oldest first.

    Args:
        session: the session
        since: older changes are no news any more
    """
    changed_at = sa.func.coalesce(col(Alerts.resolved_at), col(Alerts.fired_at))
    query = select(Alerts).where(
        col(Alerts.state).in_(("firing", "resolved")),
        sa.func.coalesce(col(Alerts.delivered_state), "") != col(Alerts.state),
        changed_at >= sa.bindparam("since", since, type_=UtcDateTime),
    )
    return to_records(Alert, session.exec(query.order_by(col(Alerts.id))))


def set_delivered(session: Session, alert: Alert) -> None:
    """Note that the webhook was told the state that this alert had."""
    _set(session, alert.id, delivered_state=alert.state)


def _set(session: Session, alert_id: str, **values: object) -> None:
    session.exec(sa.update(Alerts).where(col(Alerts.id) == alert_id).values(**values))
