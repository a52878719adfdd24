"""Leaving the metrics of a batch at a Pushgateway: the process ends before anybody scrapes it."""

import socket
import time
from dataclasses import dataclass, field

from jobs.console import say

__all__ = ["BatchRun", "push_run"]

JOB = "werkbench_assess"
_TIMEOUT_S = 5.0


@dataclass(slots=True)
class BatchRun:
    """What happened while many files were assessed.

    Args:
        num_refused: files that could not be assessed
        num_flagged: assessed files whose review is recommended
        audio_s: audio of the assessed files
        predicted_wers: predicted WER of each assessed file
        started_s: when the run began, on the clock of :func:`time.monotonic`
    """

    num_refused: int = 0
    num_flagged: int = 0
    audio_s: float = 0.0
    predicted_wers: list[float] = field(default_factory=list)
    started_s: float = field(default_factory=time.monotonic)

    def add(self, predicted_wer: float, duration_s: float, *, is_flagged: bool) -> None:
        """Count an assessed file."""
        self.predicted_wers.append(predicted_wer)
        self.audio_s += duration_s
        self.num_flagged += is_flagged


def push_run(url: str | None, run: BatchRun) -> None:
    """Leave the metrics of a run at a Pushgateway; a gateway that fails costs a line on stderr.

    Each machine replaces what it left there before.

    Args:
        url: base address of the gateway; without one nothing happens
        run: what happened
    """
    if url is None:
        return
    from prometheus_client import CollectorRegistry, Gauge, Histogram, push_to_gateway

    from workbench.metrics import WER_BUCKETS

    registry = CollectorRegistry()
    files = Gauge(
        "werkbench_assess_files", "Files of the last batch.", ["result"], registry=registry
    )
    files.labels("assessed").set(len(run.predicted_wers))
    files.labels("refused").set(run.num_refused)
    values = {
        "werkbench_assess_flagged": ("Flagged files of the last batch.", run.num_flagged),
        "werkbench_assess_audio_seconds": ("Audio of the last batch.", run.audio_s),
        "werkbench_assess_seconds": (
            "How long the last batch took.",
            time.monotonic() - run.started_s,
        ),
    }
    for name, (meaning, value) in values.items():
        Gauge(name, meaning, registry=registry).set(value)
    wers = Histogram(
        "werkbench_assess_predicted_wer",
        "Predicted WER of the files of the last batch.",
        buckets=WER_BUCKETS,
        registry=registry,
    )
    for wer in run.predicted_wers:
        wers.observe(wer)
    grouping = {"instance": socket.gethostname()}
    try:
        push_to_gateway(url, JOB, registry, grouping_key=grouping, timeout=_TIMEOUT_S)
    except OSError as error:
        say(f"The metrics could not be left at metrics.pushgateway_url ({error}).")
