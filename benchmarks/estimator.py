"""How well the estimator finds errors on speakers and on sources that it does not know.

    python -m benchmarks.estimator --examples recognised.jsonl [--models models] [--draws 1000]

Takes what ``werkbench corpus`` wrote. Judges the estimators of ``--models`` (by default the
built-in ones) on the held-out speakers, noises and rooms, beside every baseline, per source and per
kind of degradation, with 95 % intervals that resample speakers. Then trains once without each
source and judges on it (minutes). With ``--train``, the judged estimators are trained anew, too.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

from qe_core.config import bundled_path
from qe_core.estimation.bootstrap import Interval, bootstrap, paired_bootstrap
from qe_core.estimation.builtin import read_corpus, train_kind
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Scores, Truth, evaluate
from qe_core.estimation.manifest import ANY_ENGINE, Kind
from qe_core.estimation.report import by_slice, compare, leave_one_source_out, markdown, slices_of
from qe_core.estimation.scoring import baselines_of, score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan

FIGURES = ("spearman", "mae", "er20", "ner20", "augrc")
SEED = 20260101
ANY_RESULT = TrainingPlan(min_clips=1, min_spearman=-1.0)

Rows = npt.NDArray[np.intp]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=bundled_path("models"))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--skip-sources", action="store_true")
    arguments = parser.parse_args()
    corpus = read_corpus(arguments.examples, on_progress=_tell)
    table, engine, model = corpus.table, corpus.engine, corpus.model
    held_out = table.select(table.is_held_out)
    _title(f"{table.num_clips:,} clips by {engine}:{model}, {held_out.num_clips:,} held out")
    for kind in get_args(Kind):
        owner = (engine, model) if kind == "transcript" else (ANY_ENGINE, ANY_ENGINE)
        name = f"quality-{engine}-{model}" if kind == "transcript" else "quality-audio-only"
        train = partial(train_kind, kind=kind, owner=owner, seed=SEED, plan=ANY_RESULT)
        estimator = train(table) if arguments.train else Estimator.load(arguments.models / name)
        _title(f"Kind {kind}: {estimator.manifest.id}, speakers it does not know")
        print(markdown(compare(estimator, held_out)))
        _print_intervals(estimator, held_out, arguments.draws)
        print(markdown(by_slice(estimator, held_out, slices_of(held_out))))
        if not arguments.skip_sources:
            _title(f"Kind {kind}: trained without the source, judged on it")
            print(markdown(leave_one_source_out(table, train, on_progress=_tell)))


def _print_intervals(estimator: Estimator, table: TrainingTable, num_draws: int) -> None:
    truth = truth_of(table)
    scores: Mapping[str, Scores] = {
        "estimator": score_table(estimator, table),
        **baselines_of(estimator, table),
    }
    ours = scores["estimator"]
    print("\n| 95 % interval | " + " | ".join(FIGURES) + " |")
    print("|---|" + "---:|" * len(FIGURES))
    for name, theirs in scores.items():
        cells = [
            _shown(bootstrap(_figure(truth, theirs, key), table.group, num_draws=num_draws))
            for key in FIGURES
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name in [name for name in scores if name != "estimator"]:
        cells = [
            _shown(
                paired_bootstrap(
                    _figure(truth, ours, key),
                    _figure(truth, scores[name], key),
                    table.group,
                    num_draws=num_draws,
                )
            )
            for key in FIGURES
        ]
        print(f"| estimator − {name} | " + " | ".join(cells) + " |")
    print()


def _figure(truth: Truth, scores: Scores, key: str) -> Callable[[Rows], float]:
    """One figure as a function of the rows that were drawn; undefined ones count as 0."""

    def figure(rows: Rows) -> float:
        metrics = evaluate(
            Truth(truth.errors[rows], truth.words[rows], truth.duration_s[rows]),
            Scores(scores.wer[rows], scores.errors[rows]),
        )
        return float(getattr(metrics, key) or 0.0)

    return figure


def _shown(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _title(text: str) -> None:
    print(f"\n## {text}\n", flush=True)


def _tell(share: float, text: str) -> None:
    print(f"\r{share:4.0%} {text:40}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
