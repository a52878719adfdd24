"""Small built-in estimators in the place of those that ship, made once for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from qe_core.asr.provider import Resolved
from tests import small_models
from tests.retrain_fixtures import NUM_CALM, OpenCold, fill_calm, open_runtime
from tests.small_models import sphinx
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


@pytest.fixture(scope="session")
def any_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the estimator for any recogniser: the one in use has none of its own."""
    return small_models.build_any(tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="session")
def cold_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with reviewed clips, twenty of them audits; every test gets a copy."""
    folder = tmp_path_factory.mktemp("reviewed")
    runtime = open_runtime(folder)
    fill_calm(runtime, NUM_CALM, first=1000, num_audits=20)
    runtime.close()
    return folder


@pytest.fixture
def open_cold(
    any_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenCold]:
    """Opens installations whose recogniser has no model of its own."""
    monkeypatch.setattr("workbench.runtime.bundled_path", any_only.joinpath)
    # Loaded once for all tests; it writes nothing in them.
    monkeypatch.setattr(
        "workbench.runtime.resolve_engine", lambda *_: Resolved(sphinx(), "for a test")
    )
    runtimes = []

    def open_one(data: Path | None = None, **gate: float) -> Runtime:
        if data is not None:
            shutil.copytree(data, tmp_path / "data")
        runtimes.append(open_runtime(tmp_path / "data", **{"min_test_clips": 30, **gate}))
        runtimes[-1].engine()
        return runtimes[-1]

    yield open_one
    for runtime in runtimes:
        runtime.close()
