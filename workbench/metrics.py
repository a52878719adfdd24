"""What happens, counted for Prometheus, in a registry of its own.

Counters and histograms live as long as the process: after a restart they begin at zero, which
``rate()`` and ``increase()`` expect. What has to outlive a restart (how many jobs wait, the WER of
the stream) is read from the database instead, see :mod:`workbench.readings`.

No label takes a value from outside, so the number of time series is fixed by the code.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from qe_core.types import Audio

__all__ = [
    "DBFS_BUCKETS",
    "QUEUE_DEPTH",
    "REGISTRY",
    "WER_BUCKETS",
    "Entry",
    "count_estimate",
    "count_job",
    "count_review",
    "count_sound",
    "publish",
]

Entry = Literal["clip", "predict"]
"""How sound comes in: kept as a clip, or judged by ``POST /v1/predict`` and forgotten."""

WER_BUCKETS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5)
"""Upper ends of the buckets of a predicted WER."""

DBFS_BUCKETS = (-70, -60, -50, -45, -40, -35, -30, -27, -24, -21, -18, -15, -12, -6, 0)
"""Upper ends of the buckets of a level."""

REGISTRY = CollectorRegistry()
# One more series for every counter, which no chart here needs.
disable_created_metrics()  # type: ignore[no-untyped-call]  # a function that they left untyped

_LOWEST_DBFS = -100.0
_REVIEW_BUCKETS_S = (5, 10, 20, 30, 60, 120, 300, 600, 1800)

_PREDICTED_WER = Histogram(
    "werkbench_predicted_wer",
    "Predicted WER of assessed clips (kind transcript) and of predictions from sound (kind audio).",
    ["kind"],
    buckets=WER_BUCKETS,
    registry=REGISTRY,
)
_INPUT_RMS_DB = Histogram(
    "werkbench_input_rms_db",
    "Level of the sound that comes in, dBFS. Its sum falls, so use the buckets only.",
    ["entry"],
    buckets=DBFS_BUCKETS,
    registry=REGISTRY,
)
_LOW_QUALITY = Counter(
    "werkbench_low_quality_transcripts_total",
    "Assessed clips that were flagged at the threshold of the moment.",
    registry=REGISTRY,
)
_REVIEW_SECONDS = Histogram(
    "werkbench_review_seconds",
    "Seconds from opening a clip to its verdict.",
    ["verdict"],
    buckets=_REVIEW_BUCKETS_S,
    registry=REGISTRY,
)
_JOBS = Counter(
    "werkbench_jobs_total",
    "Jobs that reached a state: done, failed, or interrupted and queued again.",
    ["state"],
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge(
    "werkbench_queue_depth",
    "What waits: jobs for the worker, flagged clips for a review.",
    ["queue"],
    registry=REGISTRY,
)
ProcessCollector(registry=REGISTRY)

# A series that appears with its first event would hide that event from rate().
for _kind in ("transcript", "audio"):
    _PREDICTED_WER.labels(_kind)
for _entry in ("clip", "predict"):
    _INPUT_RMS_DB.labels(_entry)
for _verdict in ("accept", "correct", "reject"):
    _REVIEW_SECONDS.labels(_verdict)
for _state in ("done", "failed", "interrupted"):
    _JOBS.labels(_state)


class _Published(Collector):
    """Gauges that are replaced all at once; one that is left out is not known any more."""

    def __init__(self) -> None:
        self.families: tuple[GaugeMetricFamily, ...] = ()

    def collect(self) -> Iterator[Metric]:
        yield from self.families


_PUBLISHED = _Published()
REGISTRY.register(_PUBLISHED)


def count_sound(audio: Audio, entry: Entry) -> None:
    """Count the level of sound that came in."""
    power = float(np.dot(audio.samples, audio.samples)) / max(1, len(audio.samples))
    level_dbfs = 10 * np.log10(max(power, 10 ** (_LOWEST_DBFS / 10)))
    _INPUT_RMS_DB.labels(entry).observe(level_dbfs)


def count_estimate(
    predicted_wer: float, kind: Literal["transcript", "audio"], *, is_flagged: bool
) -> None:
    """Count an estimate; ``is_flagged`` counts for transcripts only, a prediction has none."""
    _PREDICTED_WER.labels(kind).observe(predicted_wer)
    if is_flagged and kind == "transcript":
        _LOW_QUALITY.inc()


def count_review(verdict: str, lead_time_s: float) -> None:
    """Count a verdict and the time it took."""
    _REVIEW_SECONDS.labels(verdict).observe(lead_time_s)


def count_job(state: Literal["done", "failed", "interrupted"]) -> None:
    """Count a job that reached a state."""
    _JOBS.labels(state).inc()


def publish(*families: GaugeMetricFamily) -> None:
    """Show these gauges from now on, instead of all that were published before."""
    _PUBLISHED.families = families
