"""The built-in estimators and the examples beside them belong together."""

from pathlib import Path

import pytest

from qe_core.config import bundled_path
from qe_core.estimation.builtin import examples_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import ANY_ENGINE, extractors_for
from qe_core.estimation.table import TrainingTable
from qe_core.features.base import schema_of

pytestmark = pytest.mark.slow

SHIPPED = sorted(path.parent for path in bundled_path("models").glob("quality-*/manifest.json"))
WITH_EXAMPLES = [folder for folder in SHIPPED if examples_of(folder).is_file()]


def test_both_recognisers_have_estimators_of_two_depths_with_examples() -> None:
    assert {folder.name for folder in WITH_EXAMPLES} == {
        f"quality-{owner}{depth}"
        for owner in ("pocketsphinx-en-us", "whisper-whisper-demo")
        for depth in ("", "-thorough")
    }


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_an_estimator_fits_the_features_of_today_and_tells_its_figures(folder: Path) -> None:
    manifest = Estimator.load(folder).manifest

    assert manifest.schema == schema_of(extractors_for(manifest.kind, manifest.depth))
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8").count(manifest.id)
    assert set(manifest.metrics) & {"held_out", "other_engines"}


@pytest.mark.parametrize("folder", WITH_EXAMPLES, ids=lambda folder: folder.name)
def test_the_examples_are_those_that_the_estimator_learnt_from(folder: Path) -> None:
    manifest = Estimator.load(folder).manifest
    table = TrainingTable.load(examples_of(folder))

    teaching = table.with_features(manifest.feature_names, manifest.schema).select(
        ~table.is_held_out
    )

    assert teaching.fingerprint == manifest.data_fingerprint
    assert not set(teaching.group) & set(table.group[table.is_held_out])
    assert all(table.language)
    assert manifest.engine != ANY_ENGINE
