"""What the alert rules look at: every signal, what it means, and how it is measured.

The quality and drift pages own the science; this module is the one place that turns it into plain
numbers for rules and Prometheus. A signal that cannot be told (too few audits, too few clips) is
left out: silence is not a good value.
"""

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client.metrics_core import GaugeMetricFamily

from qe_core.monitoring.stream import MIN_AUDITS, MIN_RECORDINGS, StreamWer
from storage.columns import utc_now
from storage.repositories import pool, vitals
from storage.repositories.pool import QueueFilter
from storage.repositories.vitals import AuditedClip
from workbench import drift, preferences, quality
from workbench.drift import DriftReport
from workbench.metrics import QUEUE_DEPTH
from workbench.worker import BESIDE

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "NUM_AUDITS",
    "SIGNALS",
    "Readings",
    "Signal",
    "as_gauges",
    "audit_readings",
    "drift_readings",
    "measure",
    "measure_slow",
]

Readings = Mapping[str, float]
"""Values by signal; a signal that cannot be told is missing."""

_RECENT = timedelta(days=1)
_FAILURES = timedelta(hours=1)
NUM_AUDITS = 400
"""Newest audits that are looked at: enough for a narrow interval, and few enough that estimators of
long ago leave the window again."""

_Z95 = 1.959964
_QUEUES = {"jobs_waiting": "jobs", "review_waiting": "review"}


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that rules can watch.

    Args:
        name: as rules name it; its metric is ``werkbench_`` and this name
        meaning: what it says, for the documentation and for Prometheus
        kind: ``share`` (shown in percent), ``seconds``, ``bytes`` or ``count``
    """

    name: str
    meaning: str
    kind: str = "share"


_ALL = (
    Signal("stream_wer", "WER of all clips: estimates corrected by audits"),
    Signal("stream_wer_low", "WER of all clips, lower end of its 95 % interval"),
    Signal("stream_wer_high", "WER of all clips, upper end of its 95 % interval"),
    Signal("predicted_wer_recent", "Pooled predicted WER of the clips that came in within a day"),
    Signal("low_quality_share", "Share of the clips that came in within a day that were flagged"),
    Signal("audit_residual", "True minus predicted WER over the newest audits"),
    Signal("audit_residual_low", "True minus predicted WER, lower end of its 95 % interval"),
    Signal("audit_residual_high", "True minus predicted WER, upper end of its 95 % interval"),
    Signal("interval_coverage", "Share of the newest audits inside their interval"),
    Signal(
        "interval_coverage_high",
        "Share of the newest audits inside their interval, upper end of its own 95 % interval",
    ),
    Signal("outcome_moved", "1 while the predicted WER drifted in two of three windows", "count"),
    Signal("inputs_moved", "Watched features that drifted in two of three windows", "count"),
    Signal("jobs_waiting", "Jobs that wait for the worker", "count"),
    Signal("jobs_waiting_seconds", "How long the oldest of them has waited", "seconds"),
    Signal("jobs_failed_share", "Share of the jobs ended in the last hour that failed"),
    Signal("review_waiting", "Flagged clips that nobody has reviewed", "count"),
    Signal("worker_running", "1 while the background worker runs", "count"),
    Signal("disk_free_bytes", "Free space where the data folder lies", "bytes"),
)
SIGNALS: Mapping[str, Signal] = MappingProxyType({signal.name: signal for signal in _ALL})
"""Every signal by name."""


def measure(runtime: "Runtime") -> Readings:
    """What costs milliseconds: jobs, worker, disk, the review queue, the clips and audits of late.

    Args:
        runtime: the runtime

    Returns:
        values by signal

    Raises:
        StorageError: the database failed
    """
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        recent = vitals.recent_estimates(session, age=_RECENT, threshold=threshold)
        audits = vitals.list_newest_audits(session, limit=NUM_AUDITS)
        num_failed, num_ended = vitals.failed_jobs(session, age=_FAILURES)
        num_waiting, oldest = vitals.waiting_jobs(session, others=BESIDE)
        num_flagged = pool.num_waiting(session, QueueFilter(is_flagged_only=True), threshold)
    waited_s = 0.0 if oldest is None else (utc_now() - oldest).total_seconds()
    readings: dict[str, float | None] = {
        "predicted_wer_recent": _ratio(recent.expected_errors, recent.expected_words),
        "low_quality_share": _ratio(recent.num_flagged, recent.num_clips),
        "jobs_waiting": num_waiting,
        "jobs_waiting_seconds": max(0.0, waited_s),
        "jobs_failed_share": _ratio(num_failed, num_ended),
        "review_waiting": num_flagged,
        "worker_running": float(runtime.worker.is_running),
        "disk_free_bytes": shutil.disk_usage(runtime.settings.data_dir).free,
        **audit_readings(audits),
    }
    return _known(readings)


def measure_slow(runtime: "Runtime") -> Readings:
    """What looks at every clip: the WER of the stream and drift.

    Args:
        runtime: the runtime

    Returns:
        values by signal

    Raises:
        WerkbenchError: the database failed
    """
    readings: dict[str, float | None] = {}
    stream = quality.stream(runtime)
    if isinstance(stream, StreamWer):
        combined = stream.combined
        readings["stream_wer"] = combined.wer
        readings["stream_wer_low"] = combined.low
        readings["stream_wer_high"] = combined.high
    return _known({**readings, **drift_readings(drift.report(runtime))})


def drift_readings(found: DriftReport) -> dict[str, float | None]:
    """What drifted in two of three windows; nothing while there are too few clips."""
    if found.outcome is None:
        return {}
    return {
        "outcome_moved": float(found.outcome.is_alarm),
        "inputs_moved": sum(row.is_alarm for row in found.inputs),
    }


def audit_readings(audits: Sequence[AuditedClip]) -> dict[str, float | None]:
    """Bias and coverage of the estimates over audits; nothing while there are too few.

    Clips of one recording count as dependent in the interval of the ratio, which is the linearised
    one with recordings as units (Cochran 1977, Sampling Techniques, eq. 6.13). That of the share is
    Wilson's, at as many audits as there are recordings.
    """
    words = np.array([clip.words for clip in audits], np.float64)
    if len(audits) < MIN_AUDITS or words.sum() == 0:
        return {}
    surplus = np.array([clip.errors - clip.expected_errors for clip in audits])
    residual = float(surplus.sum() / words.sum())
    _, unit = np.unique([clip.recording for clip in audits], return_inverse=True)
    deviations = np.bincount(unit, weights=surplus - residual * words)
    if len(deviations) < MIN_RECORDINGS:
        return {}
    scale = math.sqrt(len(deviations) / (len(deviations) - 1))
    margin = _Z95 * scale * float(np.sqrt(np.square(deviations).sum())) / float(words.sum())
    inside = [clip.low <= clip.errors / clip.words <= clip.high for clip in audits if clip.words]
    coverage = sum(inside) / len(inside)
    return {
        "audit_residual": residual,
        "audit_residual_low": residual - margin,
        "audit_residual_high": residual + margin,
        "interval_coverage": coverage,
        "interval_coverage_high": _wilson_high(coverage, len(deviations)),
    }


def as_gauges(readings: Readings) -> list[GaugeMetricFamily]:
    """One gauge per signal that is known; what waits is one gauge for all queues."""
    gauges = []
    for name, value in readings.items():
        if name in _QUEUES:
            QUEUE_DEPTH.labels(_QUEUES[name]).set(value)
            continue
        gauge = GaugeMetricFamily(f"werkbench_{name}", f"{SIGNALS[name].meaning}.")
        gauge.add_metric([], value)
        gauges.append(gauge)
    return gauges


def _wilson_high(share: float, number: int) -> float:
    """Upper end of Wilson's 95 % interval of a share.

    Examples:
        >>> round(_wilson_high(0.8, 100), 3)
        0.867
    """
    square = _Z95**2
    centre = share + square / (2 * number)
    spread = _Z95 * math.sqrt(share * (1 - share) / number + square / (4 * number**2))
    return (centre + spread) / (1 + square / number)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _known(readings: Mapping[str, float | None]) -> Readings:
    return {name: float(value) for name, value in readings.items() if value is not None}
