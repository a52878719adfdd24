"""Learning which words are wrong, so that every word is judged by trees that never saw its clip."""

from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from qe_core.estimation.boosting import Folds, Task, TreeSettings, cross_fit, fit
from qe_core.estimation.table import TrainingTable
from qe_core.types import FloatArray

__all__ = ["TaughtWords"]


@dataclass(frozen=True, slots=True)
class TaughtWords:
    """The words of a table, as far as it is known which of them are wrong.

    Args:
        table: the clips
        folds: fold number per clip
        seed: of all draws
    """

    table: TrainingTable
    folds: Folds
    seed: int

    def fit(
        self, inputs: FloatArray, settings: TreeSettings, *, directions: tuple[int, ...] = ()
    ) -> tuple[xgb.Booster, FloatArray]:
        """Learn which words are wrong.

        Args:
            inputs: shape ``(num_words, num_inputs)``
            settings: how trees are grown
            directions: per input, see :class:`qe_core.estimation.boosting.Task`

        Returns:
            the model on all words, and the probability that a word is wrong, of every word by trees
            that never saw its fold, shape ``(num_words,)``
        """
        table, seed = self.table, self.seed
        task = Task(
            features=inputs.astype(np.float32),
            target=(table.word_wrong == 1).astype(np.float32),
            weight=table.weight[table.word_clip],
            margin=None,
            objective="binary:logistic",
            is_taught=table.word_wrong >= 0,
            directions=directions,
        )
        folds = self.folds[table.word_clip]
        said, num_rounds = cross_fit(task, folds, settings=settings, seed=seed)
        return fit(task, num_rounds=num_rounds, settings=settings, seed=seed), said
