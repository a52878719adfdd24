"""Which form of the count model predicts best: the comparison behind the built-in estimator.

    python -m benchmarks.estimator_choices --examples models/quality-pocketsphinx-en-us/examples.npz

Grouped cross-validation among the training speakers of a training table; held-out speakers are
never looked at. Prints two-stage counts, direct rates, their blends, and counts in a single stage,
for several sizes of tree, what the monotone directions cost or bring, and the clip without what the
word model says of its words.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from qe_core.estimation.boosting import Task, TreeSettings, cross_fit, group_folds
from qe_core.estimation.counts import DIRECTIONS, CountTargets, fit_counts
from qe_core.estimation.evaluation import Scores, Truth, evaluate
from qe_core.estimation.scoring import offset_of, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.taught_words import TaughtWords
from qe_core.estimation.training import TrainingPlan
from qe_core.estimation.words import DOUBTS, doubts, num_word_features, word_columns
from qe_core.types import FloatArray

SEED = 20260101
FIGURES = ("spearman", "mae", "rmse", "ner20", "augrc", "calibration_error")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, required=True)
    arguments = parser.parse_args()
    table = TrainingTable.load(arguments.examples).own
    table = table.select(~table.is_held_out)
    folds = group_folds(table.group, 5)
    chosen = TrainingPlan()
    of_words = word_columns(table.word_features, num_word_features(chosen.depth))
    _, said = TaughtWords(table, folds, SEED).fit(of_words, chosen.doubt_trees)
    said = doubts(said, table.word_clip, table.num_clips)
    names = (*table.feature_names, *DOUBTS)
    targets = CountTargets(
        features=np.concatenate([table.features, said], axis=1),
        offset=offset_of(table, "transcript"),
        errors=table.num_errors.astype(np.float32),
        words=table.num_reference_words.astype(np.float32),
        weight=table.weight,
        folds=folds,
        is_relative=table.is_relative,
        directions=tuple(DIRECTIONS.get(name, 0) for name in names),
    )
    print(f"{table.num_clips:,} clips")
    print(f"{'':34}" + "".join(f"{name[:10]:>11}" for name in FIGURES))
    truth = truth_of(table)
    for name, settings in {
        "chosen": chosen.count_trees,
        "shallow": replace(chosen.count_trees, max_depth=3),
        "deep": replace(chosen.count_trees, max_depth=7),
        "slow": replace(chosen.count_trees, learning_rate=0.06),
        "fast": replace(chosen.count_trees, learning_rate=0.15),
        "heavy leaves": replace(chosen.count_trees, min_child_weight=20),
    }.items():
        for share in (0.0, 0.5, 1.0):
            _, unseen = fit_counts(targets, settings=settings, rate_share=share, seed=SEED)
            _show(f"{name}, {share:.0%} direct rate", truth, unseen.wer, unseen.words)
    free = replace(targets, directions=())
    _, unseen = fit_counts(free, settings=chosen.count_trees, rate_share=0.5, seed=SEED)
    _show("chosen, no directions, 50 %", truth, unseen.wer, unseen.words)
    num_features = len(table.feature_names)
    bare = replace(targets, features=table.features, directions=targets.directions[:num_features])
    _, unseen = fit_counts(bare, settings=chosen.count_trees, rate_share=0.5, seed=SEED)
    _show("chosen, no words, 50 %", truth, unseen.wer, unseen.words)
    for name, rate in _single_stage(targets, chosen.count_trees).items():
        _show(name, truth, np.maximum(rate, 0), unseen.words)


def _single_stage(targets: CountTargets, settings: TreeSettings) -> dict[str, FloatArray]:
    rate = np.minimum(targets.errors / np.maximum(targets.words, 1), 2).astype(np.float32)
    base = Task(
        features=targets.features,
        target=targets.errors,
        weight=targets.weight,
        margin=np.log(targets.offset),
        objective="count:poisson",
        is_taught=np.ones(len(rate), np.bool_),
        directions=targets.directions,
    )

    def learn(task: Task) -> FloatArray:
        return cross_fit(task, targets.folds, settings=settings, seed=SEED)[0]

    return {
        "Poisson errors in one stage": learn(base) / targets.offset,
        "median rate": learn(
            replace(base, target=rate, margin=None, objective="reg:quantileerror")
        ),
    }


def _show(name: str, truth: Truth, wer: FloatArray, words: FloatArray) -> None:
    figures = evaluate(truth, Scores(wer, wer * words)).to_dict()
    print(f"{name:34}" + "".join(f"{figures[key] or 0:11.4f}" for key in FIGURES), flush=True)


if __name__ == "__main__":
    main()
