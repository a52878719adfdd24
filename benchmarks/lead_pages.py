"""How long the charts of the quality and drift pages take with a million clips.

    python -m benchmarks.lead_pages [--clips 1000000] [--reviews 50000] [--folder FOLDER]

Fills a database by SQL in the real schema, unless the folder holds one, and times what every chart
asks for, the second time, as a page that is open would. Exit code 1 when one takes more than a
second.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lead_stream import fill
from qe_core.config import load_settings
from storage.repositories import windows
from workbench import budget, drift, quality, thresholds, work
from workbench.comparison import SLICES, comparison
from workbench.drift_evidence import load
from workbench.drift_windows import choose, series
from workbench.runtime import Runtime

MOST_S = 1.0
_REPEATS = 3


def main() -> None:
    """Fill, time, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--reviews", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="keep the database there")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = arguments.folder or Path(scratch)
        is_new = not (folder / "werkbench.duckdb").exists()
        runtime = Runtime(load_settings(data_dir=folder, engine={"name": "pocketsphinx"}))
        try:
            if is_new:
                fill(runtime, num_clips=arguments.clips, num_reviews=arguments.reviews)
            slowest = _time_all(runtime)
        finally:
            runtime.close()
    if slowest > MOST_S:
        raise SystemExit(f"The slowest chart takes {slowest:.2f} s; at most {MOST_S:.0f} s.")


def _time_all(runtime: Runtime) -> float:
    compared = comparison(runtime)
    charts: dict[str, Callable[[], object]] = {
        "counts": lambda: quality.count(runtime),
        "WER of the stream": lambda: quality.stream(runtime),
        "WER over time": lambda: quality.history(runtime),
        "predicted against actual, calibration": lambda: comparison(runtime),
        "all slices": lambda: [compared.by_slice(kind, only_audits=False) for kind in SLICES],
        "confusions": lambda: quality.confusions(runtime),
        "clips of a confusion": lambda: [
            quality.clips_with(runtime, one) for one in quality.confusions(runtime, 1)
        ],
        "budget simulator": lambda: budget.simulator(runtime),
        "work per day": lambda: work.recent(runtime, budget.WINDOW),
        "threshold effect": lambda: thresholds.effect(runtime, 0.3),
        "drift: windows and their clips": lambda: _load_windows(runtime),
        "drift: medians over time": lambda: _medians(runtime),
        "drift: report again": lambda: drift.report(runtime),
    }
    begun = time.perf_counter()
    drift.report(runtime)
    print(f"whole drift report, first time: {time.perf_counter() - begun:.2f} s\n")
    print("| chart | seconds |")
    print("|---|---|")
    slowest = 0.0
    for name, ask in charts.items():
        ask()
        seconds = min(_seconds(ask) for _ in range(_REPEATS))
        print(f"| {name} | {seconds:.2f} |", flush=True)
        slowest = max(slowest, seconds)
    return slowest


def _seconds(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def _load_windows(runtime: Runtime) -> None:
    settings = runtime.settings.drift
    with runtime.database.session() as session:
        era = windows.eras(session)[0]
        chosen = choose(session, era, settings, None, None)
        judged = windows.audits(session, era, windows.normaliser_change(session)[0])
        for span in (chosen.baseline, *chosen.current):
            load(session, era, span, judged, settings.max_clips)


def _medians(runtime: Runtime) -> None:
    with runtime.database.session() as session:
        era = windows.eras(session)[0]
        chosen = choose(session, era, runtime.settings.drift, None, None)
        series(session, era, chosen, windows.NUMBERS, lambda name: (name, ""))


if __name__ == "__main__":
    main()
