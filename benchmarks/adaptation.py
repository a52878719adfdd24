r"""How far an estimator from elsewhere comes with 30, 100 and 300 reviews of another recogniser.

    python -m benchmarks.adaptation --estimator models/quality-pocketsphinx-en-us \
        --examples models/quality-whisper-whisper-demo/examples.npz \
        [--home models/quality-whisper-whisper-demo] [--draws 20]

Draws so many clips of the table's training speakers at random, several times, fits an adaptation
to their references and judges it on the held-out speakers, who are always the same. ``--home`` adds
the estimator that was trained on that recogniser, on the same clips: what there is to reach.
"""

import argparse
from pathlib import Path

import numpy as np

from qe_core.estimation.adaptation import Adaptation
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import reviewed_of
from qe_core.estimation.shrinkage import Reviewed, fit_adaptation
from qe_core.estimation.table import TrainingTable

SEED = 20260101
NUM_REVIEWS = (0, 30, 100, 300)
COLUMNS = ("MAE", "MAE by words", "pooled WER predicted", "coverage", "mean width")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--estimator", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    estimator = Estimator.load(arguments.estimator)
    table = TrainingTable.load(arguments.examples).own
    pool = reviewed_of(estimator, table.select(~table.is_held_out))
    unseen = reviewed_of(estimator, table.select(table.is_held_out))
    print(
        f"{estimator.manifest.id} on {arguments.examples}: {len(unseen.words):,} clips of held-out "
        f"speakers, pooled WER {unseen.errors.sum() / unseen.words.sum():.3f}; mean ± standard "
        f"deviation of {arguments.draws} draws\n"
    )
    print("| reviews | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * len(COLUMNS))
    for count in NUM_REVIEWS:
        rows = [
            figures(adapted(pool, count, SEED + draw), unseen)
            for draw in range(arguments.draws if count else 1)
        ]
        _print_row(str(count), np.array(rows))
    if arguments.home is not None:
        home = reviewed_of(Estimator.load(arguments.home), table.select(table.is_held_out))
        _print_row("its own estimator", np.array([figures(Adaptation(), home)]))


def adapted(pool: Reviewed, count: int, seed: int) -> Adaptation:
    """An adaptation from so many clips of the pool."""
    chosen = np.zeros(len(pool.words), np.bool_)
    chosen[np.random.default_rng(seed).permutation(len(chosen))[:count]] = True
    return fit_adaptation(pool.select(chosen))


def figures(adaptation: Adaptation, unseen: Reviewed) -> tuple[float, ...]:
    """What stands in a line of the table."""
    actual = unseen.errors / unseen.words
    rate = adaptation.rate(unseen.predicted_wer)
    low, high = adaptation.interval(unseen.predicted_wer, unseen.low, unseen.high)
    inside = (actual >= low - 1e-6) & (actual <= high + 1e-6)
    gap = np.abs(rate - actual)
    return (
        float(gap.mean()),
        float(np.average(gap, weights=unseen.words)),
        float(np.average(rate, weights=unseen.words)),
        float(inside.mean()),
        float((high - low).mean()),
    )


def _print_row(name: str, rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    cells = [
        f"{value:.3f} ± {give:.3f}" if len(rows) > 1 else f"{value:.3f}"
        for value, give in zip(mean, spread, strict=True)
    ]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
