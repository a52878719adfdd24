"""How often an alarm is raised when nothing has changed, beside Evidently and NannyML.

    python -m benchmarks.drift_false_alarms [--trials 200] [--evidently PYTHON] [--nannyml PYTHON]

Deals real feature rows out to a baseline of 5,000 clips and three current windows of n clips, five
clips to a recording, all from the same source: whatever is found is a false alarm. Prints for every
n the share of windows in which any of the twelve features moves, in which the domain classifier
sees a difference, and in which something moves in two of three windows, which is an alarm. With
the Python of an environment in which a peer is installed, its defaults judge the same windows.
Exit code 1 when more than 5 % of windows alarm.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.drift_streams import ask_peer, deal, load_pool
from qe_core.config import DriftSettings
from qe_core.monitoring.domain import domain_auc
from qe_core.monitoring.drift import TooFewClips, Window, compare

SEED = 20260101
SIZES = (50, 100, 200, 500, 1000, 5000)
BASELINE = 5000
NUM_WINDOWS = 3
MOST = 0.05


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--peer-trials", type=int, default=30)
    parser.add_argument("--evidently", help="Python with evidently installed")
    parser.add_argument("--nannyml", help="Python with nannyml installed")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    arguments = parser.parse_args()
    peers = {
        name: python
        for name in ("evidently", "nannyml")
        if (python := getattr(arguments, name)) is not None
    }
    pool, rng = load_pool(), np.random.default_rng(SEED)
    print(f"{arguments.trials} trials; peers {arguments.peer_trials}: any column / half of them\n")
    print("| n | one window: any feature | classifier | alarm (2 of 3) |", *peers, sep=" | ")
    print("|" + "---|" * (5 + len(peers)))
    worst = 0.0
    for size in arguments.sizes:
        trials = [
            (deal(pool, BASELINE, rng), [deal(pool, size, rng) for _ in range(NUM_WINDOWS)])
            for _ in range(arguments.trials)
        ]
        any_feature, classifier, alarm = _ours(trials)
        answers = [
            _peer(name, python, trials[: arguments.peer_trials]) for name, python in peers.items()
        ]
        print(f"| {size} | {any_feature:.1%} | {classifier:.1%} | {alarm:.1%} |", end="")
        print("".join(f" {answer} |" for answer in answers), flush=True)
        worst = max(worst, alarm)
    if worst > MOST:
        raise SystemExit(f"{worst:.1%} of windows alarm; at most {MOST:.0%} may.")


def _ours(trials: Sequence[tuple[Window, list[Window]]]) -> tuple[float, float, float]:
    """As the drift page does, on at most as many clips of each window as it looks at."""
    settings = DriftSettings()
    any_feature, classifier, alarm = [], [], []
    for number, (baseline, currents) in enumerate(trials):
        rng = np.random.default_rng(number)
        old = _cut(baseline, settings.max_clips)
        moved = []
        for current in (_cut(window, settings.max_clips) for window in currents):
            found = compare(old, current, settings, rng)
            if isinstance(found, TooFewClips):
                raise SystemExit(f"Too few clips to tell: {found}")
            moved.append([row.is_alert for row in found])
        any_feature.append(np.any(moved, axis=1))
        area = domain_auc(old, _cut(currents[-1], settings.max_clips), settings, rng)
        classifier.append(area is not None and area.is_alert)
        alarm.append(bool(np.any((np.sum(moved, axis=0) >= 2) & moved[-1])))
    return float(np.mean(any_feature)), float(np.mean(classifier)), float(np.mean(alarm))


def _cut(window: Window, max_clips: int) -> Window:
    columns = {name: values[:max_clips] for name, values in window.columns.items()}
    return Window(columns, window.recordings[:max_clips])


def _peer(name: str, python: str, trials: Sequence[tuple[Window, list[Window]]]) -> str:
    counts = ask_peer(name, python, [(baseline, currents[-1]) for baseline, currents in trials])
    some, half = counts[:, 0] > 0, counts[:, 0] * 2 >= counts[:, 1]
    return f"{some.mean():.0%} / {half.mean():.0%}"


if __name__ == "__main__":
    main()
