"""When a quality model is trained by itself: by the clock, by the hours, or after many reviews."""

from datetime import datetime
from typing import TYPE_CHECKING

from storage.repositories import jobs, models, reviews
from workbench import challengers, cold_start, preferences, shadow
from workbench.champions import KIND
from workbench.schedule import Occasion, begin

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["begin_if_due", "latest_start"]


def begin_if_due(runtime: "Runtime", now: datetime | None = None) -> str | None:
    """Queue a training if the settings want one now and the gate would not ask for more reviews.

    For a recogniser that has no quality model of its own, this is an adaptation as long as there
    is not enough for one.

    A challenger on trial is not replaced before its hours and clips have passed.

    Args:
        runtime: the runtime; nothing happens before its recogniser is loaded
        now: local time; the present by default

    Returns:
        id of the job, or ``None``
    """
    settings = preferences.get(runtime).retrain
    is_wanted = settings.schedule or settings.every_reviews or settings.every_hours
    if not is_wanted or runtime.loaded_engine() is None:
        return None
    latest = latest_start(runtime)
    with runtime.database.session() as session:
        num_new = reviews.count_clips_since(session, latest)
        is_running = challengers.is_running(session)
    trial = shadow.find(runtime)
    if is_running or (trial is not None and not trial.is_over):
        return None
    occasion = Occasion(
        is_new=num_new >= settings.min_new_reviews,
        is_enough=0 < settings.every_reviews <= num_new,
        schedule=settings.schedule,
        every_hours=settings.every_hours,
        latest=latest,
    )
    kind = cold_start.next_job(runtime)
    return None if kind is None else begin(occasion, lambda: challengers.start(runtime, kind), now)


def latest_start(runtime: "Runtime") -> datetime | None:
    """When a training was last asked for or stored, UTC, whatever came of it."""
    with runtime.database.session() as session:
        asked = [jobs.find_latest(session, kind=kind) for kind in challengers.KINDS]
        stored = models.list_versions(session, kind=KIND)
    times = [job.created_at for job in asked if job is not None]
    return max([*times, *(version.created_at for version in stored)], default=None)
