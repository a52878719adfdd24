"""The review budget: what so many minutes a day find, and the threshold that spends them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from qe_core.monitoring.budget import Groups, Plan, plan, threshold_for
from qe_core.monitoring.stream import StreamWer
from storage.columns import utc_now
from storage.repositories import statistics
from workbench import preferences, quality

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["WINDOW", "Simulator", "choose_threshold", "simulator"]

WINDOW = timedelta(days=28)
"""How far back the simulator looks."""

_MIN_REVIEWS = 5
# Careful correction takes several times real time; measured work replaces this soon.
_USUAL_WORK = 4.0


@dataclass(frozen=True, slots=True)
class Simulator:
    """What is needed to say what a budget buys, without another look at the database.

    Args:
        groups: clips that came in, by predicted WER, worst first
        num_days: days that they came in on
        work: minutes of review per minute of audio
        is_work_measured: from reviews; otherwise a usual value, for too little was reviewed
        wer: of the stream as audits found it; ``None`` while there are too few
        threshold: current
    """

    groups: Groups
    num_days: float
    work: float
    is_work_measured: bool
    wer: float | None
    threshold: float

    @property
    def minutes_for_all(self) -> float:
        """Work of a day on which everything is reviewed."""
        return float(self.groups.duration_s.sum()) / 60 * self.work / self.num_days

    def at_threshold(self, threshold: float) -> Plan:
        """What a threshold means; minutes are those of a day."""
        return plan(self.groups, threshold, self.work / self.num_days, wer=self.wer)

    def for_budget(self, minutes_per_day: float) -> Plan:
        """The plan that spends a budget."""
        return self.at_threshold(
            threshold_for(self.groups, minutes_per_day, self.work / self.num_days)
        )


def simulator(runtime: "Runtime") -> Simulator | None:
    """Look at what came in during the last four weeks before the newest clip.

    Args:
        runtime: the process's runtime

    Returns:
        ``None`` while nothing has come in
    """
    now = utc_now()
    with runtime.database.session() as session:
        newest = statistics.newest_clip_at(session)
        if newest is None:
            return None
        since = newest - WINDOW
        found = statistics.estimates_by_wer(session, since)
        first = statistics.first_clip_at(session, since)
        done = statistics.review_work(session, now - WINDOW)
    is_measured = done["num_reviews"].sum() >= _MIN_REVIEWS and done["audio_s"].sum() > 0
    stream = quality.stream(runtime)
    return Simulator(
        groups=Groups(found["wer"], found["duration_s"], found["errors"], found["words"]),
        num_days=max((newest - first) / timedelta(days=1), 1.0),
        work=float(np.sum(done["lead_time_s"]) / np.sum(done["audio_s"]))
        if is_measured
        else _USUAL_WORK,
        is_work_measured=bool(is_measured),
        wer=stream.combined.wer if isinstance(stream, StreamWer) else None,
        threshold=preferences.get(runtime).review.threshold,
    )


def choose_threshold(runtime: "Runtime", threshold: float, actor: str | None = None) -> None:
    """Flag from this predicted WER on.

    Raises:
        ConfigError: it is out of range
    """
    preferences.set(runtime, "review.threshold", round(min(threshold, 2.0), 2), actor)
