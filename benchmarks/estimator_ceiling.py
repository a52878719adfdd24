"""How good any estimate could be: errors of short clips fall partly by chance.

Two people who read the same six words to the same recogniser do not get the same number of errors.
No feature of a clip tells which words fall, so even somebody who knew the true error rate of every
clip would be off. Two limits are drawn from that:

- *If what we predict were true*: the errors of every clip are drawn anew from what the estimator
  predicts (any error at all with its probability, then at least one error with its rate), and its
  predictions are judged against these. It scores as well as it would if it knew everything but
  chance.
- *Heard once more*: the rate that was counted is taken as the true one, the errors are drawn anew
  from it, and the count is judged as a prediction. It is too high: counted rates are spread more
  widely than true ones, and a clip without an error is taken as one that never has any.

Real errors come in bursts, which both leave out; the true limits are lower still.

A rate has two halves, and nobody but a listener knows either. Two more lines give one half away:

- *Errors known*: the errors as they were counted, the words that were said as they are estimated.
- *Words known*: the words as they were counted, the errors as they are estimated.

A clip of one word to which five were written has a WER of 5, and few such clips are most of a
squared error: the last line judges the estimator with every rate above 1 taken as 1.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Scores, Truth, evaluate
from qe_core.estimation.scoring import counts_of, score_table
from qe_core.estimation.table import TrainingTable
from qe_core.types import FloatArray

__all__ = ["FIGURES", "RUNAWAY", "ceilings", "squared_error_of_runaways"]

FIGURES = ("spearman", "pearson", "rmse", "mae", "mae_words", "ner20")
Counts = npt.NDArray[np.integer[Any]]

RUNAWAY = 3
"""Errors per word from which on a transcript has run away."""

_MIN_CHANCE = 1e-3
_MAX_RATE = 3.0


def ceilings(
    estimator: Estimator, table: TrainingTable, *, num_draws: int, seed: int = 0
) -> dict[str, Mapping[str, float]]:
    """Mean figures over draws, by kind of limit, beside those of the estimator itself.

    Args:
        estimator: without an adaptation
        table: clips that it does not know
        num_draws: times that errors are drawn
        seed: of the draws
    """
    table = table.select(table.num_reference_words > 0)
    rng = np.random.default_rng(seed)
    ours = score_table(estimator, table)
    words = table.num_reference_words
    counted = (table.num_errors / words).astype(np.float32)
    known = Scores(counted, counted * words)
    errors = table.num_errors.astype(np.float32)
    expected = counts_of(estimator, table)
    capped = Scores(np.minimum(ours.wer, 1), ours.errors)
    return {
        "estimator": _figures(table, table.num_errors, ours),
        "if what we predict were true": _mean(
            [_figures(table, _as_predicted(estimator, table, rng), ours) for _ in range(num_draws)]
        ),
        "heard once more": _mean(
            [_figures(table, _fall(counted, words, rng), known) for _ in range(num_draws)]
        ),
        "errors known": _figures(table, table.num_errors, Scores(errors / expected.words, errors)),
        "words known": _figures(
            table,
            table.num_errors,
            Scores(np.asarray(expected.errors / words, np.float32), expected.errors),
        ),
        "estimator, WER at most 1": _figures(table, np.minimum(table.num_errors, words), capped),
    }


def squared_error_of_runaways(estimator: Estimator, table: TrainingTable) -> tuple[int, float]:
    """How many clips have :data:`RUNAWAY` errors per word or more, and their share of the error.

    Args:
        estimator: without an adaptation
        table: clips that it does not know

    Returns:
        number of these clips, and their share of the squared error of the predicted WER
    """
    table = table.select(table.num_reference_words > 0)
    rate = table.num_errors / table.num_reference_words
    squared = np.square(score_table(estimator, table).wer - rate)
    is_runaway = rate >= RUNAWAY
    return int(is_runaway.sum()), float(squared[is_runaway].sum() / squared.sum())


def _as_predicted(estimator: Estimator, table: TrainingTable, rng: np.random.Generator) -> Counts:
    counts = counts_of(estimator, table)
    chance = np.clip(counts.any_error, _MIN_CHANCE, 1.0)
    fallen = _fall(np.clip(counts.wer / chance, 0.0, _MAX_RATE), table.num_reference_words, rng)
    return np.where(rng.random(len(chance)) < chance, np.maximum(fallen, 1), 0)


def _fall(
    rate: FloatArray,
    words: Counts,
    rng: np.random.Generator,
) -> Counts:
    """Every word falls by itself; above one error per word only a Poisson count is possible."""
    return np.where(
        rate > 1, rng.poisson(rate * words), rng.binomial(words, np.clip(rate, 0.0, 1.0))
    )


def _figures(
    table: TrainingTable,
    errors: Counts,
    scores: Scores,
) -> dict[str, float]:
    metrics = evaluate(Truth(errors, table.num_reference_words, table.duration_s), scores)
    return {name: float(getattr(metrics, name) or 0.0) for name in FIGURES}


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([item[name] for item in found])) for name in FIGURES}
