"""What reviewers did: how many clips, how long it took, how much of it they heard."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.columns import utc_now
from storage.repositories import statistics
from storage.repositories.statistics import Columns

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["RecentWork", "Work", "recent"]


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a day, of a person, or of all.

    Args:
        name: the day or the person
        num_reviews: verdicts, rejects included
        lead_time_s: from opening clips to saving them
        audio_s: length of the clips
        listened_s: of that, played at least once
    """

    name: str
    num_reviews: int
    lead_time_s: float
    audio_s: float
    listened_s: float

    @property
    def minutes_per_minute(self) -> float | None:
        """Lead time per audio time."""
        return self.lead_time_s / self.audio_s if self.audio_s > 0 else None

    @property
    def listened_share(self) -> float | None:
        """Of the audio."""
        return self.listened_s / self.audio_s if self.audio_s > 0 else None


@dataclass(frozen=True, slots=True)
class RecentWork:
    """Work by day and by person.

    Args:
        total: of all
        days: oldest first
        reviewers: by name, never in an order of merit
    """

    total: Work
    days: tuple[Work, ...]
    reviewers: tuple[Work, ...]

    @property
    def num_reviewers(self) -> int:
        """How many people reviewed."""
        return len(self.reviewers)


def recent(runtime: "Runtime", window: timedelta) -> RecentWork:
    """What was reviewed during the last days.

    Args:
        runtime: the process's runtime
        window: how far to look back
    """
    with runtime.database.session() as session:
        found = statistics.review_work(session, utc_now() - window)
    days = found["day"].astype("datetime64[D]").astype(str)
    people = np.array([str(name) for name in found["reviewer"]], np.str_)
    return RecentWork(
        total=_sum("all", found, slice(None)),
        days=tuple(_sum(str(day), found, days == day) for day in np.unique(days)),
        reviewers=tuple(_sum(str(name), found, people == name) for name in np.unique(people)),
    )


def _sum(name: str, found: Columns, rows: Any) -> Work:
    return Work(
        name,
        int(found["num_reviews"][rows].sum()),
        float(found["lead_time_s"][rows].sum()),
        float(found["audio_s"][rows].sum()),
        float(found["listened_s"][rows].sum()),
    )
