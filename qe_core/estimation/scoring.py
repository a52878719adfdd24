"""Estimators and baselines on a whole table of clips, for evaluation."""

import numpy as np

from qe_core.estimation.baselines import BASELINES, score_baselines
from qe_core.estimation.counts import words_offset
from qe_core.estimation.estimator import SPEECH_FEATURE, Estimator
from qe_core.estimation.evaluation import Scores, Truth
from qe_core.estimation.manifest import Kind
from qe_core.estimation.table import TrainingTable
from qe_core.types import FloatArray

__all__ = ["baselines_of", "offset_of", "score_table", "truth_of"]


def truth_of(table: TrainingTable) -> Truth:
    """What is known about the clips of a table."""
    return Truth(
        errors=table.num_errors,
        words=table.num_reference_words,
        duration_s=table.duration_s,
        word_wrong=table.word_wrong,
    )


def score_table(
    estimator: Estimator, table: TrainingTable, *, level: float | None = None
) -> Scores:
    """Let an estimator predict every clip and every word of a table.

    Args:
        estimator: of the same feature schema
        table: the clips
        level: coverage of the interval; that of the manifest by default

    Raises:
        TrainingError: the table lacks a feature of the estimator
    """
    manifest = estimator.manifest
    chosen = table.with_features(manifest.feature_names, manifest.schema)
    prediction = estimator.predict_many(
        chosen.features, offset_of(table, manifest.kind), level=level
    )
    probabilities = None
    if estimator.word_errors is not None:
        probabilities = estimator.predict_words(
            table.word_features, prediction.wer[table.word_clip]
        )
    return Scores(prediction.wer, prediction.errors, prediction.low, prediction.high, probabilities)


def baselines_of(estimator: Estimator, table: TrainingTable) -> dict[str, Scores]:
    """Let the baselines guess, on the WER scales of the estimator's training clips."""
    names = table.feature_names
    usable = {
        name: curve
        for name, curve in estimator.manifest.curves.items()
        if not BASELINES[name] or BASELINES[name] in names
    }
    return dict(
        score_baselines(
            usable,
            table.features,
            names,
            words=table.hypothesis_words.astype(np.float32),
            duration_s=table.duration_s,
        )
    )


def offset_of(table: TrainingTable, kind: Kind) -> FloatArray:
    """Words to expect per clip of a table before any feature is looked at."""
    speech_s = table.duration_s
    if SPEECH_FEATURE in table.feature_names:
        column = table.features[:, table.feature_names.index(SPEECH_FEATURE)]
        speech_s = np.where(np.isfinite(column), column, speech_s)
    words = table.hypothesis_words.astype(np.float32) if kind == "transcript" else None
    return words_offset(words, speech_s)
