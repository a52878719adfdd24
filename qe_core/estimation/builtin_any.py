"""Building the estimator that judges recognisers without an estimator of their own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from qe_core.asr.base import Progress
from qe_core.errors import TrainingError
from qe_core.estimation.agnostic import leave_one_engine_out, pool, pooled_profile
from qe_core.estimation.builtin import (
    MIN_CLIPS,
    Built,
    folder_name,
    keep,
    read_corpus,
    second_for,
)
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import ANY_ENGINE
from qe_core.estimation.report import by_slice, compare, slices_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.features import Depth

__all__ = ["build_any", "read_engines", "train_any"]

# A cold start that ranks hardly better than chance is none.
_MIN_SPEARMAN = 0.3


def build_any(
    recognised: Sequence[Path],
    out_dir: Path,
    *,
    seed: int,
    second: Path | None = None,
    depth: Depth = "standard",
    plan: TrainingPlan | None = None,
    on_progress: Progress | None = None,
) -> Built:
    """Train, judge and save the estimator of any engine.

    Args:
        recognised: one ``recognised.jsonl`` per recogniser, best of the same audio
        out_dir: gets its folder
        seed: of all random draws
        second: second opinions on these clips; may be one of ``recognised``, which then gets those
            of the first of the others
        depth: which features it looks at
        plan: how to train; the conditions for shipping by default
        on_progress: told how far the work is

    Returns:
        the estimator; its ``others`` are recognisers that it had not been trained on

    Raises:
        TrainingError: fewer than two recognisers, or fewer than ``MIN_CLIPS`` training clips
    """
    tables = read_engines(recognised, second=second, depth=depth, on_progress=on_progress)
    plan = plan or TrainingPlan(min_clips=MIN_CLIPS, min_spearman=_MIN_SPEARMAN)
    plan = replace(plan, model=ANY_ENGINE, depth=depth, num_folds=len(tables))
    pooled = pool(tables)
    estimator = train_any(pooled, seed=seed, plan=plan, on_progress=on_progress)
    estimator = replace(
        estimator, manifest=replace(estimator.manifest, profile=pooled_profile(tables))
    )
    # Every recogniser is judged by its own profile, as in use.
    judged = pooled.select(pooled.is_held_out)
    ranked = replace(estimator, manifest=replace(estimator.manifest, profile=None))
    lines, slices = compare(ranked, judged), by_slice(ranked, judged, slices_of(judged))
    others = leave_one_engine_out(
        tables,
        {name: name.partition(":")[0] for name in tables},
        partial(_train_loosely, seed=seed, plan=plan),
        on_progress=on_progress,
    )
    folder = out_dir / folder_name(ANY_ENGINE, ANY_ENGINE, depth)
    return keep(
        Built(folder, estimator, lines, slices, others),
        engine_versions=Counter(pooled.group.tolist()),
        others="other_engines",
    )


def read_engines(
    recognised: Sequence[Path],
    *,
    second: Path | None = None,
    depth: Depth = "standard",
    on_progress: Progress | None = None,
) -> dict[str, TrainingTable]:
    """Training tables by recogniser, e.g. ``"whisper:base"``.

    Args:
        recognised: one ``recognised.jsonl`` per recogniser
        second: second opinions on these clips
        depth: which features
        on_progress: told how far the work is

    Raises:
        TrainingError: a file holds nothing, or several recognisers
    """
    corpora = [
        read_corpus(
            path,
            second=second_for(path, second, next((p for p in recognised if p != path), path)),
            depth=depth,
            on_progress=on_progress,
        )
        for path in recognised
    ]
    # Stages of one model in training differ by their version only.
    plain = Counter((corpus.engine, corpus.model) for corpus in corpora)
    tables: dict[str, TrainingTable] = {}
    for corpus in corpora:
        name = f"{corpus.engine}:{corpus.model}"
        if plain[corpus.engine, corpus.model] > 1:
            name = f"{name}@{next(iter(corpus.engine_versions))}"
        if name in tables:
            raise TrainingError(
                f"Two of the files are by {name}.",
                suggestion="Put the clips of one recogniser into one file.",
            )
        tables[name] = corpus.table
    return tables


def _train_loosely(pooled: TrainingTable, *, seed: int, plan: TrainingPlan) -> Estimator:
    """On an unknown recogniser a bad ranking is a finding, not a fault."""
    num_engines = len(np.unique(pooled.group))
    loose = replace(plan, min_clips=1, min_spearman=-1.0, num_folds=num_engines)
    return train_any(pooled, seed=seed, plan=loose)


def train_any(
    pooled: TrainingTable,
    *,
    seed: int,
    plan: TrainingPlan,
    on_progress: Progress | None = None,
) -> Estimator:
    """Train on what :func:`qe_core.estimation.agnostic.pool` put together."""
    return train_on_table(
        pooled,
        kind="transcript",
        engine=ANY_ENGINE,
        seed=seed,
        plan=plan,
        on_progress=on_progress,
    )
