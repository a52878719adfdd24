"""Small built-in estimators in the place of those that ship, made once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import small_models
from tests.retrain_fixtures import open_runtime
from workbench.runtime import Runtime


@pytest.fixture(scope="session")
def small_built_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an estimator of standard depth and its examples."""
    return small_models.build(tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="session")
def both_depths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an estimator of standard and one of thorough depth."""
    folder = tmp_path_factory.mktemp("bundled")
    small_models.build(folder)
    return small_models.build(folder, "thorough")


@pytest.fixture
def ships_small_built_in(small_built_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else ships."""
    monkeypatch.setattr("workbench.runtime.bundled_path", small_built_in.joinpath)


@pytest.fixture
def ships_both_depths(both_depths: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else ships."""
    monkeypatch.setattr("workbench.runtime.bundled_path", both_depths.joinpath)


@pytest.fixture
def small_runtime(tmp_path: Path, ships_small_built_in: None) -> Iterator[Runtime]:
    """A runtime with a lenient gate and the small built-in estimator."""
    opened = open_runtime(tmp_path)
    yield opened
    opened.close()
