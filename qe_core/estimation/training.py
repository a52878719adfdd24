"""Training an estimator: grouped cross-fitting, so that every figure is about unseen speakers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xgboost as xgb

from qe_core.asr.base import Progress
from qe_core.code_version import code_version
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError
from qe_core.estimation.baselines import fit_curves
from qe_core.estimation.boosting import (
    Task,
    TreeSettings,
    cross_fit,
    fit,
    group_folds,
)
from qe_core.estimation.counts import DIRECTIONS, Counts, CountTargets, fit_counts
from qe_core.estimation.estimator import Estimator, spread_inputs
from qe_core.estimation.evaluation import Metrics, Scores, evaluate
from qe_core.estimation.intervals import ConformalScale, calibrate
from qe_core.estimation.manifest import ANY_ENGINE, Kind, Manifest, extractors_for
from qe_core.estimation.scoring import offset_of, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.taught_words import TaughtWords
from qe_core.estimation.words import DOUBTS, doubts, num_word_features, word_columns
from qe_core.features import Depth
from qe_core.features.base import schema_of
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import FloatArray

__all__ = [
    "Trained",
    "TrainingPlan",
    "cross_train",
    "extractors_for",
    "train",
    "train_on_table",
]

# Chosen by grouped cross-validation on training speakers: benchmarks/estimator_choices.py.
_COUNT_TREES = TreeSettings(
    max_depth=6, learning_rate=0.1, colsample=0.35, max_rounds=500, max_bins=64
)
_SPREAD_TREES = TreeSettings(
    max_depth=3, min_child_weight=20, learning_rate=0.1, colsample=0.35, patience=20
)
_DOUBT_TREES = TreeSettings(max_depth=4, min_child_weight=20, learning_rate=0.3)
_WORD_TREES = TreeSettings(max_depth=3, min_child_weight=20, learning_rate=0.3)
_NUM_STEPS = 7
# A high quantile of the gap gives narrower intervals than its mean, and evener ones between slices.
_SPREAD_QUANTILE = 0.8


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How an estimator is trained and when it is refused.

    Args:
        model: the model within the engine
        model_id: id of the estimator; by default made from engine and data
        normaliser: version of the text normaliser
        depth: which features it looks at
        num_folds: folds of the grouped cross-fitting
        min_clips: fewer clips are refused
        min_spearman: a lower rank correlation on unseen groups is refused
        interval_level: coverage of the interval when none is asked for
        rate_share: weight of the direct rate model against the two-stage one
        count_trees: trees of the count models
        spread_trees: trees of the interval's width
        doubt_trees: trees of what is said of single words before anything is known of the clip
        word_trees: trees of what is said of them after
    """

    model: str = ANY_ENGINE
    model_id: str = ""
    normaliser: str = DEFAULT_NORMALISER
    depth: Depth = "standard"
    num_folds: int = 5
    min_clips: int = 100
    min_spearman: float = 0.4
    interval_level: float = 0.9
    rate_share: float = 0.5
    count_trees: TreeSettings = _COUNT_TREES
    spread_trees: TreeSettings = _SPREAD_TREES
    doubt_trees: TreeSettings = _DOUBT_TREES
    word_trees: TreeSettings = _WORD_TREES


@dataclass(frozen=True, slots=True)
class Trained:
    """An estimator, and what is said of the clips that taught it by trees that never saw them.

    Args:
        estimator: from all of them
        table: those by its own recogniser, in table order
        unseen: about each of these, by the trees of the folds that its group is not in
    """

    estimator: Estimator
    table: TrainingTable
    unseen: Scores


def train(
    examples: Sequence[TrainingExample],
    *,
    kind: Kind,
    engine: str,
    seed: int,
    plan: TrainingPlan | None = None,
    builtin: TrainingTable | None = None,
    on_progress: Progress | None = None,
) -> Estimator:
    """Train an estimator on examples, mixed with a built-in table where there is one.

    Args:
        examples: transcripts with references and features
        kind: ``"transcript"`` or ``"audio"``
        engine: whose transcripts these are; ``"any"`` for kind ``"audio"``
        seed: of all random draws
        plan: how to train
        builtin: more examples, e.g. the ones that the built-in estimator was trained on
        on_progress: told how far the training is

    Returns:
        the estimator; its manifest holds the figures on groups it had not seen

    Raises:
        TrainingError: too few clips or groups, features do not match, or it ranks too badly
    """
    plan = plan or TrainingPlan()
    table = TrainingTable.from_examples(
        examples,
        schema=schema_of(extractors_for(kind, plan.depth)),
        normaliser=plan.normaliser,
        feature_names=None if builtin is None else builtin.feature_names,
    )
    if builtin is not None:
        table = builtin + table
    return train_on_table(
        table, kind=kind, engine=engine, seed=seed, plan=plan, on_progress=on_progress
    )


def train_on_table(
    table: TrainingTable,
    *,
    kind: Kind,
    engine: str,
    seed: int,
    plan: TrainingPlan | None = None,
    on_progress: Progress | None = None,
) -> Estimator:
    """Train an estimator on the rows of a table that are not held out.

    Clips by relatives of the recogniser teach the expected counts only; the interval, the words and
    all figures are of its own clips.

    See :func:`train` for the arguments.
    """
    trained = cross_train(
        table, kind=kind, engine=engine, seed=seed, plan=plan, on_progress=on_progress
    )
    return trained.estimator


def cross_train(
    table: TrainingTable,
    *,
    kind: Kind,
    engine: str,
    seed: int,
    plan: TrainingPlan | None = None,
    on_progress: Progress | None = None,
) -> Trained:
    """The same as :func:`train_on_table`, with what the cross-fitting says of every clip."""
    plan = plan or TrainingPlan()
    table = table.select(~table.is_held_out)
    _check_size(table, plan)
    tell = _Steps(on_progress)
    folds = group_folds(table.group, plan.num_folds)
    names, features = table.feature_names, table.features
    has_words = kind == "transcript" and (table.word_wrong >= 0).any()
    words = TaughtWords(table, folds, seed) if has_words else None
    word_doubts, word_errors, probabilities = None, None, None
    if words is not None:
        tell.next("single words")
        word_doubts, doubt = words.fit(
            word_columns(table.word_features, num_word_features(plan.depth)), plan.doubt_trees
        )
        said = doubts(doubt, table.word_clip, table.num_clips)
        names, features = (*names, *DOUBTS), np.concatenate([features, said], axis=1)
    targets = CountTargets(
        features=features,
        offset=offset_of(table, kind),
        errors=table.num_errors.astype(np.float32),
        words=table.num_reference_words.astype(np.float32),
        weight=table.weight,
        folds=folds,
        is_relative=table.is_relative,
        directions=tuple(DIRECTIONS.get(name, 0) for name in names),
    )
    counts, unseen = fit_counts(
        targets,
        settings=plan.count_trees,
        rate_share=plan.rate_share,
        seed=seed,
        on_step=tell.next,
    )
    tell.next("interval")
    spread, scale, unseen_spread = _fit_interval(targets, unseen, plan, seed)
    low, high = scale.interval(unseen.wer, unseen_spread, plan.interval_level)
    own = ~table.is_relative
    if words is not None:
        tell.next("words in their clips")
        seen = np.column_stack([doubt, unseen.wer[table.word_clip]])
        word_errors, probabilities = words.fit(seen, plan.word_trees, directions=(1, 1))
        probabilities = probabilities[own[table.word_clip]]
    scores = Scores(unseen.wer[own], unseen.errors[own], low[own], high[own], probabilities)
    metrics = evaluate(truth_of(table.own), scores)
    _check_quality(metrics, plan)
    tell.next("done")
    estimator = Estimator(
        manifest=_manifest(
            table,
            plan,
            metrics,
            identity=(kind, engine, seed),
            fitted=(counts.constants, scale),
            usual_ranges=_usual_ranges(names, features[own]),
        ),
        counts=counts,
        spread=spread,
        word_doubts=word_doubts,
        word_errors=word_errors,
    )
    return Trained(estimator, table.own, scores)


class _Steps:
    """Turns the names of steps into shares of the whole."""

    def __init__(self, on_progress: Progress | None) -> None:
        self._on_progress = on_progress
        self._done = 0

    def next(self, name: str) -> None:
        if self._on_progress is not None:
            self._on_progress(min(1.0, self._done / _NUM_STEPS), f"training: {name}")
        self._done += 1


def _check_size(table: TrainingTable, plan: TrainingPlan) -> None:
    table = table.own
    if table.num_clips < plan.min_clips:
        raise TrainingError(
            f"{table.num_clips:,} clips to train on, at least {plan.min_clips:,} are needed.",
            suggestion="Transcribe and correct more clips, or add the built-in examples.",
        )
    num_groups = len(set(table.group))
    if num_groups < plan.num_folds:
        raise TrainingError(
            f"The clips come from {num_groups} speakers or recordings; at least {plan.num_folds} "
            "are needed to judge an estimator on speakers that it does not know.",
            suggestion="Add clips of other speakers.",
        )


def _check_quality(metrics: Metrics, plan: TrainingPlan) -> None:
    if metrics.spearman < plan.min_spearman:
        raise TrainingError(
            f"Spearman {metrics.spearman:.2f} on unseen speakers; at least "
            f"{plan.min_spearman:.2f} is needed.",
            suggestion="Add more, and more varied, clips; the estimator in use stays as it is.",
        )


def _fit_interval(
    targets: CountTargets, unseen: Counts, plan: TrainingPlan, seed: int
) -> tuple[xgb.Booster, ConformalScale, FloatArray]:
    """Learn how far off the out-of-fold predictions are, again out of fold."""
    has_words = (targets.words > 0) & ~targets.is_relative
    wer = targets.errors / np.maximum(targets.words, 1)
    gap = np.abs(wer - unseen.wer)
    task = Task(
        features=spread_inputs(targets.features, unseen),
        target=gap.astype(np.float32),
        weight=targets.weight,
        margin=None,
        objective="reg:quantileerror",
        is_taught=has_words,
        quantile=_SPREAD_QUANTILE,
    )
    settings = plan.spread_trees
    spread, num_rounds = cross_fit(task, targets.folds, settings=settings, seed=seed)
    booster = fit(task, num_rounds=num_rounds, settings=settings, seed=seed)
    scale = calibrate(unseen.wer[has_words], wer[has_words], spread[has_words])
    return booster, scale, spread


def _manifest(
    table: TrainingTable,
    plan: TrainingPlan,
    metrics: Metrics,
    *,
    identity: tuple[Kind, str, int],
    fitted: tuple[Mapping[str, float], ConformalScale],
    usual_ranges: Mapping[str, tuple[float, float] | None],
) -> Manifest:
    kind, engine, seed = identity
    constants, scale = fitted
    fingerprint = table.fingerprint
    lineage = _lineage(table, plan)
    table = table.own
    has_words = table.num_reference_words > 0
    wer = np.full(table.num_clips, np.nan, np.float32)
    wer[has_words] = (table.num_errors / np.maximum(table.num_reference_words, 1))[has_words]
    return Manifest(
        id=plan.model_id or f"{kind}-{engine}-{fingerprint[:8]}",
        kind=kind,
        engine=engine,
        model=plan.model,
        normaliser=plan.normaliser,
        schema=table.schema,
        feature_names=table.feature_names,
        usual_ranges=usual_ranges,
        data_fingerprint=fingerprint,
        num_clips=table.num_clips,
        metrics={"cross_validated": metrics.to_dict()},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        interval_level=plan.interval_level,
        seed=seed,
        constants=constants,
        scale=scale,
        curves=fit_curves(table.features, table.feature_names, wer),
        lineage=lineage,
        depth=plan.depth,
    )


def _usual_ranges(
    names: Sequence[str], features: FloatArray
) -> dict[str, tuple[float, float] | None]:
    finite = np.where(np.isfinite(features), features, np.nan)
    return {name: _usual_range(column) for name, column in zip(names, finite.T, strict=True)}


def _usual_range(column: FloatArray) -> tuple[float, float] | None:
    if not np.isfinite(column).any():
        return None
    low, high = np.nanquantile(column, (0.2, 0.8))
    return float(low), float(high)


def _lineage(table: TrainingTable, plan: TrainingPlan) -> dict[str, Any]:
    num_relatives = int(table.is_relative.sum())
    table = table.own
    sources, sizes = np.unique(table.source, return_counts=True)
    return {
        "clips_by_source": {
            str(source): int(size) for source, size in zip(sources, sizes, strict=True)
        },
        "num_groups": len(set(table.group)),
        "num_reviews": int(table.is_review.sum()),
        "num_relatives": num_relatives,
        "hours": round(float(table.duration_s.sum()) / 3600, 3),
        "code_version": code_version(),
        "xgboost": xgb.__version__,
        "plan": asdict(plan),
    }
