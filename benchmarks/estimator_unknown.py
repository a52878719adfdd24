"""Recognisers that no estimator knows: left out of training in turn, then reviewed a little."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.estimator_figures import Contest, Drawn, judge, print_figures
from qe_core.estimation.agnostic import comparable, pool
from qe_core.estimation.builtin_any import read_engines, train_any
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import reviewed_of, score_table
from qe_core.estimation.shrinkage import fit_adaptation
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan

__all__ = ["print_unknown_engines"]

FIGURES = ("spearman", "pearson", "mae", "er20", "ner20", "coverage")
NUM_REVIEWS = (30, 100, 300)

Tell = Callable[[float, str], None]


def print_unknown_engines(
    recognised: Sequence[Path], *, num_draws: int, seed: int, tell: Tell
) -> None:
    """Leave out every recogniser, then all of its family, and judge on its held-out speakers.

    Args:
        recognised: one ``recognised.jsonl`` per recogniser, best of the same audio
        num_draws: resamples of speakers
        seed: of training and of the choice of reviews
        tell: told how far it is
    """
    tables = read_engines(recognised, on_progress=tell)
    print("\n## Trained without the recogniser, judged on its held-out speakers\n")
    for name, table in tables.items():
        family = name.partition(":")[0]
        others = {other: item for other, item in tables.items() if other != name}
        strangers = {
            other: item for other, item in others.items() if other.partition(":")[0] != family
        }
        drawn: dict[str, Drawn] = {}
        for how, rest in (("without it", others), (f"without any {family}", strangers)):
            if len(rest) > 1:
                tell(0.0, f"{name}, {how}")
                drawn |= _judged(_trained(rest, seed), table, f"{name}, {how}", num_draws, seed)
        print_figures(drawn, FIGURES)


def _trained(tables: dict[str, TrainingTable], seed: int) -> Estimator:
    plan = TrainingPlan(min_clips=1, min_spearman=-1.0, num_folds=len(tables))
    return train_any(pool(tables), seed=seed, plan=plan)


def _judged(
    estimator: Estimator, table: TrainingTable, name: str, num_draws: int, seed: int
) -> dict[str, Drawn]:
    compared = comparable(table)
    unseen = compared.select(compared.is_held_out)
    training = compared.select(~compared.is_held_out)
    scores = {f"{name}, no review": score_table(estimator, unseen)}
    for count in NUM_REVIEWS:
        chosen = np.random.default_rng([seed, count]).permutation(training.num_clips)[:count]
        adaptation = fit_adaptation(reviewed_of(estimator, training.select(chosen)))
        manifest = replace(estimator.manifest, adaptation=adaptation)
        adapted = replace(estimator, manifest=manifest)
        scores[f"{name}, {count} reviews"] = score_table(adapted, unseen)
    return judge(Contest(unseen, scores), num_draws=num_draws)
