"""Alerts as they are kept."""

from dataclasses import dataclass
from datetime import datetime

from qe_core.monitoring.rules import Episode, State

__all__ = ["Alert"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode of a rule, with what people and the webhook know of it.

    Args:
        id: ULID
        rule: name of the rule
        signal: what it watches
        severity: ``page`` or ``notice``
        summary: what is wrong, in the words of the rule
        advice: what to do about it
        bound: the value whose crossing began it
        state: ``pending``, ``firing`` or ``resolved``
        value: the last known value
        worst: the value furthest beyond the bound
        started_at: when the condition began to hold
        measured_at: when the value was last known
        fired_at: when it became an alert
        clear_since: since when the value has been on the good side
        resolved_at: when it ended
        acknowledged_at: when somebody took note of it
        acknowledged_by: who did
        note: what that person wrote
        delivered_state: the last state that the webhook was told
    """

    id: str
    rule: str
    signal: str
    severity: str
    summary: str
    advice: str
    bound: float
    state: State
    value: float
    worst: float
    started_at: datetime
    measured_at: datetime
    fired_at: datetime | None
    clear_since: datetime | None
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    delivered_state: str | None

    @property
    def episode(self) -> Episode:
        """The part that the rule decides."""
        return Episode(
            state=self.state,
            started_at=self.started_at,
            measured_at=self.measured_at,
            value=self.value,
            worst=self.worst,
            fired_at=self.fired_at,
            clear_since=self.clear_since,
            resolved_at=self.resolved_at,
        )
