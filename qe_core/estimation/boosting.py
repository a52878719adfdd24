"""Gradient-boosted trees with fixed seeds: the same data always gives the same trees."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from qe_core.errors import EstimatorError
from qe_core.types import FloatArray

__all__ = [
    "Folds",
    "Objective",
    "Task",
    "TreeSettings",
    "cross_fit",
    "fit",
    "group_folds",
    "load",
    "predict",
]

Objective = Literal["binary:logistic", "count:poisson", "reg:squarederror", "reg:quantileerror"]

Folds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How trees are grown.

    Args:
        max_depth: depth of a tree
        learning_rate: shrinkage per tree
        min_child_weight: least weight of a leaf
        max_rounds: trees at most
        patience: rounds without improvement on the held-out fold after which growing stops
        subsample: share of rows per tree
        colsample: share of columns per tree
        reg_lambda: L2 penalty on leaf values
        max_bins: places at most where a feature may be parted; a quarter of them takes half the
            time with many rows, and parts clips as well
    """

    max_depth: int = 4
    learning_rate: float = 0.05
    min_child_weight: float = 5.0
    max_rounds: int = 600
    patience: int = 30
    subsample: float = 0.7
    colsample: float = 0.5
    reg_lambda: float = 2.0
    max_bins: int = 256

    def parameters(self, task: "Task", seed: int) -> dict[str, Any]:
        """As XGBoost wants them."""
        special: dict[str, Any] = {}
        if task.objective == "count:poisson":
            special["max_delta_step"] = 0.7
        if task.objective == "reg:quantileerror":
            special["quantile_alpha"] = task.quantile
        if task.directions:
            special["monotone_constraints"] = task.directions
        return {
            "objective": task.objective,
            "max_depth": self.max_depth,
            "eta": self.learning_rate,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "lambda": self.reg_lambda,
            "max_bin": self.max_bins,
            "tree_method": "hist",
            "seed": seed,
            # The order of additions differs between threads, and so would the last bits.
            "nthread": 1,
            "verbosity": 0,
            **special,
        }


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to learn.

    Args:
        features: shape ``(num_rows, num_features)``
        target: shape ``(num_rows,)``
        weight: shape ``(num_rows,)``
        margin: what is known beforehand, on the link scale; ``None`` starts from the mean
        objective: loss and link
        is_taught: rows to learn from, shape ``(num_rows,)``; the others are only predicted
        directions: per feature 1 or -1 where more of it may only raise or only lower the
            prediction, otherwise 0; empty when nothing is known
        quantile: which one, for ``"reg:quantileerror"``
        is_judge: rows that say how many trees are enough; all by default
    """

    features: FloatArray
    target: FloatArray
    weight: FloatArray
    margin: FloatArray | None
    objective: Objective
    is_taught: npt.NDArray[np.bool_]
    directions: tuple[int, ...] = ()
    quantile: float = 0.5
    is_judge: npt.NDArray[np.bool_] | None = None

    def matrix(self, rows: npt.NDArray[np.bool_]) -> xgb.DMatrix:
        """The rows of a mask as XGBoost wants them."""
        return xgb.DMatrix(
            self.features[rows],
            self.target[rows],
            weight=self.weight[rows],
            base_margin=None if self.margin is None else self.margin[rows],
            nthread=1,
        )


def fit(task: Task, *, num_rounds: int, settings: TreeSettings, seed: int) -> xgb.Booster:
    """Grow a fixed number of trees on all rows that are taught."""
    parameters = settings.parameters(task, seed)
    return xgb.train(parameters, task.matrix(task.is_taught), num_boost_round=max(1, num_rounds))


def cross_fit(
    task: Task,
    folds: Folds,
    *,
    settings: TreeSettings,
    seed: int,
) -> tuple[FloatArray, int]:
    """Predict every row by trees that never saw its fold, and find out how many trees are enough.

    Folds are grown side by side, each by one thread: the trees are the same on every machine.

    Args:
        task: what to learn
        folds: fold number per row
        settings: how trees are grown
        seed: of the row and column draws

    Returns:
        predictions on the scale of the target, shape ``(num_rows,)``, and the number of trees
    """
    predictions = np.full(len(task.target), np.nan, np.float32)

    def grow(fold: int) -> xgb.Booster:
        inside, outside = task.is_taught & (folds != fold), task.is_taught & (folds == fold)
        if task.is_judge is not None and (outside & task.is_judge).any():
            outside &= task.is_judge
        return xgb.train(
            settings.parameters(task, seed),
            task.matrix(inside),
            num_boost_round=settings.max_rounds,
            evals=[(task.matrix(outside), "held_out")],
            early_stopping_rounds=settings.patience,
            verbose_eval=False,
        )

    with ThreadPoolExecutor(_num_side_by_side()) as pool:
        boosters = list(pool.map(grow, range(int(folds.max()) + 1)))
    # One number of trees for all folds: a fold that chose its own would look too good.
    num_rounds = max(1, round(float(np.mean([item.best_iteration + 1 for item in boosters]))))
    for fold, booster in enumerate(boosters):
        outside = folds == fold
        last = min(num_rounds, booster.num_boosted_rounds())
        predictions[outside] = booster.predict(task.matrix(outside), iteration_range=(0, last))
    return predictions, num_rounds


def _num_side_by_side() -> int:
    """Two, and on larger machines half of the processors: others go on working meanwhile."""
    num_processors = os.cpu_count() or 1
    return min(num_processors, max(2, num_processors // 2))


def load(path: Path, digest: str) -> xgb.Booster:
    """Read trees from a file.

    Args:
        path: of the file, in the folder of its estimator
        digest: SHA-256 of its content, in hexadecimal

    Raises:
        EstimatorError: the file is missing or another one
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EstimatorError(
            f"{path.parent.name}: {path.name} is missing.",
            suggestion="Restore the model folder, or train again with `werkbench train`.",
        ) from error
    if hashlib.sha256(raw).hexdigest() != digest:
        raise EstimatorError(
            f"{path.parent.name}: {path.name} is not the file that its manifest names.",
            suggestion="Restore the model folder, or train again with `werkbench train`.",
        )
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(raw))
    return booster


def predict(
    booster: xgb.Booster, features: FloatArray, margin: FloatArray | None = None
) -> FloatArray:
    """Predictions on the scale of the target, shape ``(num_rows,)``."""
    return np.asarray(booster.inplace_predict(features, base_margin=margin), np.float32)


def group_folds(group: Sequence[str] | npt.NDArray[np.str_], num_folds: int) -> Folds:
    """Put groups into folds of about equal size, never parting one; the same every time."""
    names, rows, sizes = np.unique(np.asarray(group), return_inverse=True, return_counts=True)
    fold_of = np.zeros(len(names), np.int32)
    load = np.zeros(num_folds)
    for index in np.argsort(-sizes, kind="stable"):
        fold_of[index] = int(np.argmin(load))
        load[fold_of[index]] += sizes[index]
    return np.asarray(fold_of[rows], np.int32)
