"""Alert rules: when a measured value becomes an alert, and when the alert is over.

An alert is *pending* while its condition holds, *firing* once it has held for the rule's ``for``,
and *resolved* once the value is back behind ``clears_at``. The two bounds differ (hysteresis), so
that a value which wanders around one of them does not ring once a minute.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from qe_core.errors import ConfigError

__all__ = ["MAX_RULES", "Episode", "Rule", "State", "advance", "parse_rules"]

MAX_RULES = 50
"""Every rule is a time series and a line on a screen that somebody reads."""

State = Literal["pending", "firing", "resolved"]

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+)(s|m|h|d)")


def _parse_duration(value: Any) -> Any:
    """``15m`` as a timedelta; anything else is left for pydantic to refuse."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a number and a unit are needed, like 30s, 15m, 2h or 1d")
    return timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])


_Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
_Bound = Annotated[float, Field(allow_inf_nan=False)]


class Rule(BaseModel):
    """One rule of ``config/alerts.yaml``.

    ``above`` or ``below`` is the bound whose crossing begins an alert; ``clears_at``, the same by
    default, has to be reached again before it ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    signal: str
    above: _Bound | None = None
    below: _Bound | None = None
    clears_at: _Bound | None = None
    for_: Annotated[_Duration, Field(alias="for")] = timedelta(0)
    clears_after: _Duration = timedelta(0)
    severity: Literal["page", "notice"] = "notice"
    summary: Annotated[str, Field(min_length=1, max_length=200)]
    advice: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("either above or below is needed, and not both")
        if self.clears_at is not None and self.is_breached(self.clears_at):
            raise ValueError("clears_at must not itself be a value that begins the alert")
        return self

    @property
    def bound(self) -> float:
        """The value whose crossing begins an alert."""
        bound = self.above if self.above is not None else self.below
        return math.nan if bound is None else bound

    def is_breached(self, value: float) -> bool:
        """Whether a value begins an alert."""
        return value > self.bound if self.above is not None else value < self.bound

    def is_clear(self, value: float) -> bool:
        """Whether a value may end an alert."""
        limit = self.bound if self.clears_at is None else self.clears_at
        return value <= limit if self.above is not None else value >= limit


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a rule's condition held, from its first moment to its end.

    Args:
        state: ``pending``, ``firing`` or ``resolved``
        started_at: when the condition began to hold
        measured_at: when the value was last known
        value: the last known value
        worst: the value furthest beyond the bound
        fired_at: when it became an alert
        clear_since: since when the value has been behind ``clears_at``
        resolved_at: when it ended
    """

    state: State
    started_at: datetime
    measured_at: datetime
    value: float
    worst: float
    fired_at: datetime | None = None
    clear_since: datetime | None = None
    resolved_at: datetime | None = None


def advance(
    rule: Rule,
    episode: Episode | None,
    value: float | None,
    now: datetime,
    *,
    max_gap: timedelta,
    forget_after: timedelta,
) -> Episode | None:
    """Where a rule stands after one more look at its signal.

    Args:
        rule: the rule
        episode: its pending or firing episode; ``None`` when there is none
        value: what was measured; ``None`` when nothing can be said, which neither begins nor ends
            an alert
        now: when it was measured
        max_gap: a pending condition that nobody looked at for longer begins anew
        forget_after: a firing alert that nothing could be said about for longer is over

    Returns:
        the episode as it is now, ``resolved`` when it just ended; ``None`` when there is nothing,
        also when a pending condition went away before it became an alert

    Examples:
        >>> rule = Rule(name="high", signal="wer", above=0.3, summary="High.", advice="Look.")
        >>> now, gap = datetime(2026, 1, 1), timedelta(minutes=10)
        >>> advance(rule, None, 0.4, now, max_gap=gap, forget_after=gap).state
        'firing'
    """
    if value is None or math.isnan(value):
        if episode is None or episode.state == "pending":
            return None
        is_forgotten = now - episode.measured_at >= forget_after
        return replace(episode, state="resolved", resolved_at=now) if is_forgotten else episode
    if episode is None or (episode.state == "pending" and now - episode.measured_at > max_gap):
        if not rule.is_breached(value):
            return None
        episode = Episode("pending", now, now, value, value)
    if episode.state == "pending":
        return _advance_pending(rule, _measured(rule, episode, value, now), now)
    return _advance_firing(rule, _measured(rule, episode, value, now), now)


def _measured(rule: Rule, episode: Episode, value: float, now: datetime) -> Episode:
    worst = max(episode.worst, value) if rule.above is not None else min(episode.worst, value)
    return replace(episode, value=value, worst=worst, measured_at=now)


def _advance_pending(rule: Rule, episode: Episode, now: datetime) -> Episode | None:
    if not rule.is_breached(episode.value):
        return None
    is_due = now - episode.started_at >= rule.for_
    return replace(episode, state="firing", fired_at=now) if is_due else episode


def _advance_firing(rule: Rule, episode: Episode, now: datetime) -> Episode:
    if not rule.is_clear(episode.value):
        return replace(episode, clear_since=None)
    clear_since = episode.clear_since or now
    if now - clear_since >= rule.clears_after:
        return replace(episode, state="resolved", clear_since=clear_since, resolved_at=now)
    return replace(episode, clear_since=clear_since)


def parse_rules(text: str, *, file_name: str, signals: Collection[str]) -> tuple[Rule, ...]:
    """Read and validate a file of rules.

    Args:
        text: YAML with a list ``rules``
        file_name: for messages
        signals: what can be measured

    Returns:
        the rules in the order of the file

    Raises:
        ConfigError: not YAML, an unknown key or signal, a value out of range, a name used twice
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(
            f"{file_name}: not valid YAML ({problem}).", suggestion="Mend the file."
        ) from error
    entries = loaded.get("rules") if isinstance(loaded, dict) else None
    if not isinstance(entries, list) or set(loaded) != {"rules"}:
        raise ConfigError(
            f"{file_name}: one list named 'rules' is needed, and nothing beside it.",
            suggestion="Begin with 'rules:'; config/alerts.yaml shows how.",
        )
    if len(entries) > MAX_RULES:
        raise ConfigError(
            f"{file_name}: {len(entries)} rules; at most {MAX_RULES} are allowed.",
            suggestion="Keep those that somebody acts on.",
        )
    rules: list[Rule] = []
    for number, entry in enumerate(entries, start=1):
        rule = _parse_rule(entry, f"{file_name}, rule {number}")
        if any(known.name == rule.name for known in rules):
            raise ConfigError(
                f"{file_name}, rule {number}: the name {rule.name!r} is used twice.",
                suggestion="Give each rule a name of its own.",
            )
        if rule.signal not in signals:
            raise ConfigError(
                f"{file_name}, rule {rule.name!r}: there is no signal {rule.signal!r}.",
                suggestion=f"Use one of: {', '.join(sorted(signals))}.",
            )
        rules.append(rule)
    return tuple(rules)


def _parse_rule(entry: Any, place: str) -> Rule:
    if not isinstance(entry, dict):
        raise ConfigError(
            f"{place}: {entry!r} is no rule.",
            suggestion="A rule has name, signal, above or below, summary and advice.",
        )
    if isinstance(entry.get("name"), str):
        place = f"{place.partition(', rule')[0]}, rule {entry['name']!r}"
    try:
        return Rule.model_validate(entry)
    except ValidationError as error:
        raise _readable(error, place) from error


def _readable(error: ValidationError, place: str) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(field.alias or name for name, field in Rule.model_fields.items())
        return ConfigError(
            f"{place}: there is no key {key!r}.", suggestion=f"Use some of: {known}."
        )
    if first["type"] == "missing":
        return ConfigError(f"{place}: {key} is missing.", suggestion=f"Add {key}.")
    message = first["msg"].removeprefix("Value error, ")
    shown = f"{key} = {first.get('input')!r}: " if key else ""
    return ConfigError(
        f"{place}: {shown}{message[0].lower()}{message[1:]}.", suggestion="Mend the rule."
    )
