"""When a fine-tuning begins by itself: by the clock, or when enough is new."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from workbench import finetune, preferences
from workbench.schedule import Occasion, begin

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["begin_if_due"]

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
    if ready.is_running:
        return None

    occasion = Occasion(
        is_new=ready.new_s > 0,
        is_enough=0 < settings.min_new_hours <= ready.new_s / _HOUR_S,
        schedule=settings.schedule,
        latest=finetune.latest_start(runtime),
    )
    problem = ready.problem
    if problem is not None:
        _log.debug("A fine-tuning cannot begin now: %s", problem.message)
        return None
    return begin(occasion, lambda: finetune.start(runtime), now)
