"""When a fine-tuning begins by itself: by the clock, or when enough is new."""

import logging
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from qe_core.errors import ConflictError
from workbench import finetune, preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["begin_if_due", "is_due"]

# A server that starts in the afternoon does not make up for the night before.
_GRACE = timedelta(hours=1)
_HOUR_S = 3600.0

_log = logging.getLogger(__name__)


def begin_if_due(runtime: "Runtime", now: datetime | None = None) -> str | None:
    """Queue a fine-tuning if the settings want one now and it could begin.

    Args:
        runtime: the runtime; nothing happens before its recogniser is loaded
        now: local time; the present by default

    Returns:
        id of the job, or ``None``
    """
    settings = preferences.get(runtime).finetune
    loaded = runtime.loaded_engine()
    is_wanted = settings.schedule or settings.min_new_hours
    if not is_wanted or loaded is None or loaded.engine.name != "whisper":
        return None
    ready = finetune.readiness(runtime)
    latest = finetune.latest_start(runtime)
    if ready.is_running or ready.new_s == 0:
        return None
    is_enough = 0 < settings.min_new_hours <= ready.new_s / _HOUR_S
    now = now or datetime.now().astimezone()
    if not is_enough and not is_due(settings.schedule, now, latest):
        return None
    if ready.problem is not None:
        _log.debug("A fine-tuning is due but cannot begin: %s", ready.problem.message)
        return None
    try:
        return finetune.start(runtime)
    except ConflictError:  # somebody was quicker
        return None


def is_due(schedule: str, now: datetime, latest: datetime | None) -> bool:
    """Whether the hour of the day has come and nothing has begun since.

    Args:
        schedule: ``HH:MM``; empty for never
        now: local time, with its zone
        latest: when a fine-tuning last began, with its zone

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
