"""One estimator for all tests that only ask it."""

import numpy as np
import pytest

from qe_core.estimation.estimator import Estimator
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import Trained, cross_train, extractors_for
from qe_core.features.base import schema_of
from tests.unit.estimation.clips import PLAN, made_up_examples


@pytest.fixture(scope="session")
def table() -> TrainingTable:
    """Clips with all features of kind ``"transcript"``; every fifth is held out."""
    examples = made_up_examples(np.random.default_rng(7))
    return TrainingTable.from_examples(
        examples,
        schema=schema_of(extractors_for("transcript")),
        is_held_out=[example.group in ("speaker-0", "speaker-1") for example in examples],
    )


@pytest.fixture(scope="session")
def trained(table: TrainingTable) -> Trained:
    """An estimator of kind ``"transcript"`` for PocketSphinx, and its cross-fitting."""
    return cross_train(table, kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN)


@pytest.fixture(scope="session")
def estimator(trained: Trained) -> Estimator:
    """An estimator of kind ``"transcript"`` for PocketSphinx."""
    return trained.estimator
