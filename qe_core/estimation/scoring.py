"""Estimators and baselines on a whole table of clips, for evaluation."""

from dataclasses import replace

import numpy as np

from qe_core.estimation.adaptation import Adaptation
from qe_core.estimation.baselines import BASELINES, score_baselines
from qe_core.estimation.counts import Counts, words_offset
from qe_core.estimation.estimator import SPEECH_FEATURE, Estimator
from qe_core.estimation.evaluation import Scores, Truth
from qe_core.estimation.manifest import Kind
from qe_core.estimation.shrinkage import Reviewed
from qe_core.estimation.table import TrainingTable
from qe_core.types import FloatArray

__all__ = [
    "baselines_of",
    "counts_of",
    "offset_of",
    "predicted_for",
    "reviewed_of",
    "score_table",
    "truth_of",
]


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
    inputs, words = _inputs(estimator, table)
    prediction = estimator.predict_many(inputs, offset_of(table, manifest.kind), level=level)
    probabilities = None
    if estimator.word_errors is not None:
        probabilities = estimator.predict_words(words, prediction.wer[table.word_clip])
    scores = Scores(
        prediction.wer, prediction.errors, prediction.low, prediction.high, probabilities
    )
    if manifest.adaptation is None:
        return scores
    return _adapted(scores, manifest.adaptation, prediction.words, table)


def counts_of(estimator: Estimator, table: TrainingTable) -> Counts:
    """Expected errors and words of every clip of a table, before any adaptation."""
    inputs, _ = _inputs(estimator, table)
    return estimator.counts.predict(inputs, offset_of(table, estimator.manifest.kind))


def reviewed_of(
    estimator: Estimator, table: TrainingTable, *, level: float | None = None
) -> Reviewed:
    """What an adaptation learns from: an estimator's bare predictions for clips that are known.

    Args:
        estimator: an adaptation that it has already is left out
        table: the clips; only those with words count
        level: coverage of the interval; that of the manifest by default
    """
    return predicted_for(
        replace(estimator, manifest=replace(estimator.manifest, adaptation=None)),
        table,
        level=level,
    )


def predicted_for(
    estimator: Estimator, table: TrainingTable, *, level: float | None = None
) -> Reviewed:
    """An estimator's predictions for clips that are known, adaptation and all.

    Args:
        estimator: of the same feature schema
        table: the clips; only those with words count
        level: coverage of the interval; that of the manifest by default
    """
    table = table.select(table.num_reference_words > 0)
    scores = score_table(estimator, table, level=level)
    none = np.zeros(0, np.float32)
    return Reviewed(
        predicted_wer=scores.wer.astype(np.float64),
        low=(none if scores.low is None else scores.low).astype(np.float64),
        high=(none if scores.high is None else scores.high).astype(np.float64),
        errors=table.num_errors.astype(np.float64),
        words=table.num_reference_words.astype(np.float64),
        group=table.group,
        weight=table.weight.astype(np.float64),
    )


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


def _inputs(estimator: Estimator, table: TrainingTable) -> tuple[FloatArray, FloatArray]:
    """What the models of the clip look at, and what is known of single words."""
    chosen = table.with_features(estimator.manifest.feature_names, estimator.manifest.schema)
    words = estimator.of_words(table.word_features)
    return estimator.inputs(chosen.features, words, table.word_clip), words


def _adapted(
    scores: Scores, adaptation: Adaptation, words: FloatArray, table: TrainingTable
) -> Scores:
    """What :meth:`Adaptation.apply` does to single estimates, for a whole table."""
    wer = adaptation.rate(scores.wer).astype(np.float32)
    probabilities = scores.word_probabilities
    if probabilities is not None:
        probabilities = adaptation.word_errors(probabilities, scores.wer[table.word_clip]).astype(
            np.float32
        )
    low, high = scores.low, scores.high
    if low is not None and high is not None:
        ends = adaptation.interval(scores.wer, low, high)
        low, high = (end.astype(np.float32) for end in ends)
    return Scores(wer, wer * words, low, high, probabilities)
