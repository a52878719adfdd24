"""When something begins by itself: what fine-tuning and retraining have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from qe_core.errors import ConflictError

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["Occasion", "begin", "begin_what_is_due", "is_due"]

# A server that starts in the afternoon does not make up for the night before.
_GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What speaks for beginning now.

    Args:
        is_new: there is anything that the last one did not know
        is_enough: so much is new that the hour does not matter
        schedule: ``HH:MM``, local time; empty for never
        every_hours: so long after the last one; 0 for never
        latest: when one last began, with its zone
    """

    is_new: bool
    is_enough: bool
    schedule: str
    latest: datetime | None
    every_hours: float = 0.0


def begin_what_is_due(runtime: "Runtime") -> None:
    """Queue trainings and estimates that are due, and promote whose trial is over."""
    # Each of them asks this module when.
    from workbench import finetune_schedule, reestimate, retrain_schedule, shadow

    finetune_schedule.begin_if_due(runtime)
    shadow.promote_if_due(runtime)
    retrain_schedule.begin_if_due(runtime)
    reestimate.queue_if_profile_moved(runtime)


def begin(occasion: Occasion, start: Callable[[], str], now: datetime | None = None) -> str | None:
    """Queue a training if the occasion is there.

    Args:
        occasion: what speaks for it
        start: queues it
        now: local time; the present by default

    Returns:
        id of the job, or ``None``
    """
    now = now or datetime.now().astimezone()
    latest = occasion.latest
    is_time = is_due(occasion.schedule, now, latest) or (
        occasion.every_hours > 0
        and (latest is None or now - latest >= timedelta(hours=occasion.every_hours))
    )
    if not occasion.is_new or not (occasion.is_enough or is_time):
        return None
    try:
        return start()
    except ConflictError:  # somebody was quicker
        return None


def is_due(schedule: str, now: datetime, latest: datetime | None) -> bool:
    """Whether the hour of the day has come and nothing has begun since.

    Args:
        schedule: ``HH:MM``; empty for never
        now: local time, with its zone
        latest: when one last began, with its zone

    Examples:
        >>> from datetime import UTC
        >>> night = datetime(2026, 1, 2, 2, 10, tzinfo=UTC)
        >>> is_due("02:00", night, None), is_due("02:00", night, night - timedelta(minutes=5))
        (True, False)
    """
    if not schedule:
        return False
    at = datetime.combine(now.date(), time.fromisoformat(schedule), tzinfo=now.tzinfo)
    return at <= now < at + _GRACE and (latest is None or latest < at)
