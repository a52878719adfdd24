"""A built-in estimator of a few trees, trained on synthetic examples: retraining takes a second."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from qe_core.asr.base import Engine
from qe_core.asr.provider import resolve_engine
from qe_core.config import EngineSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.estimation.agnostic import pool, pooled_profile
from qe_core.estimation.boosting import TreeSettings
from qe_core.estimation.builtin import examples_of, folder_name
from qe_core.estimation.manifest import ANY_ENGINE
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.features import DEPTHS, STANDARD, Depth
from qe_core.features.base import schema_of
from tests.stored_clips import transcript

NAMES = tuple(info.name for group in STANDARD for info in group.features)
SCHEMA = schema_of(STANDARD)
NUM_BUILT_IN = 160

_FEW = TreeSettings(max_depth=3, learning_rate=0.3, max_rounds=12, patience=12)
FAST = TrainingPlan(
    num_folds=2,
    min_clips=20,
    min_spearman=-1.0,
    count_trees=_FEW,
    spread_trees=_FEW,
    doubt_trees=_FEW,
    word_trees=_FEW,
)


@lru_cache(maxsize=1)
def sphinx() -> Engine:
    """The real recogniser, for its name, model and version."""
    return resolve_engine(EngineSettings(name="pocketsphinx")).engine


def example(index: int, depth: Depth = "standard") -> TrainingExample:
    """A clip whose WER shows in its confidence, give or take."""
    rng = np.random.default_rng(index)
    wer = float(np.clip(rng.beta(1.2, 2.0), 0, 1))
    num_words = int(rng.integers(5, 25))
    num_wrong = round(wer * num_words)
    names = NAMES if depth == "standard" else names_of(depth)
    features = {name: float(rng.normal()) for name in names}
    features["confidence_mean"] = 1.0 - wer + float(rng.normal(0, 0.1))
    features["duration_s"] = num_words * 0.5
    features["speech_s"] = num_words * 0.45
    features["num_words"] = float(num_words)
    words = [f"w{place}" for place in range(num_words)]
    reference = [f"x{place}" if place < num_wrong else words[place] for place in range(num_words)]
    return TrainingExample(
        features=features,
        reference=" ".join(reference),
        transcript=transcript(" ".join(words), version=sphinx().version),
        duration_s=num_words * 0.5,
        group=f"speaker-{index // 2}",
        source="synthetic",
        id=str(index),
    )


def names_of(depth: Depth) -> tuple[str, ...]:
    """The features of a depth."""
    return tuple(info.name for group in DEPTHS[depth] for info in group.features)


@lru_cache(maxsize=3)
def built_in_table(depth: Depth = "standard") -> TrainingTable:
    """The examples behind the small built-in estimator, every fourth pair held out."""
    examples = [example(index, depth) for index in range(NUM_BUILT_IN)]
    return TrainingTable.from_examples(
        examples,
        schema=schema_of(DEPTHS[depth]),
        is_held_out=[index // 2 % 4 == 0 for index in range(NUM_BUILT_IN)],
    )


def build_any(folder: Path) -> Path:
    """Train a small estimator for any recogniser; the recogniser in use then has none of its own.

    Args:
        folder: gets a folder ``models``
    """
    # What others wrote: as the built-in examples, more and less sure of it.
    tables = {}
    for number, name in enumerate(("timid", "bold")):
        table = built_in_table()
        features = table.features.copy()
        features[:, NAMES.index("confidence_mean")] *= (0.5, 1.0)[number]
        tables[name] = replace(table, features=features)
    pooled = pool(tables)
    plan = replace(FAST, model=ANY_ENGINE, model_id="small-any")
    estimator = train_on_table(pooled, kind="transcript", engine=ANY_ENGINE, seed=1, plan=plan)
    manifest = replace(estimator.manifest, profile=pooled_profile(tables))
    place = folder / "models" / folder_name(ANY_ENGINE, ANY_ENGINE, "standard")
    replace(estimator, manifest=manifest).save(place)
    return folder


def build(folder: Path, depth: Depth = "standard") -> Path:
    """Train the small built-in estimator and save it as Werkbench ships its own.

    Args:
        folder: gets a folder ``models``
        depth: which features it looks at
    """
    place = folder / "models" / folder_name(sphinx().name, sphinx().model, depth)
    table = built_in_table(depth)
    estimator = train_on_table(
        table,
        kind="transcript",
        engine=sphinx().name,
        seed=1,
        plan=replace(FAST, model=sphinx().model, model_id="small-built-in", depth=depth),
    )
    estimator.save(place)
    examples_of(place).parent.mkdir(parents=True, exist_ok=True)
    table.save(examples_of(place))
    return folder
