"""The import contracts hold, and every one of them bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")
PACKAGES = ("api", "jobs", "pages", "qe_core", "storage", "ui", "workbench")

PLANTED = {
    "imports point one way": ("storage/ids.py", "import workbench.runtime"),
    "pages stand alone": ("pages/quality.py", "import pages.library"),
    "the science is pure": ("qe_core/wer.py", "import sqlalchemy"),
    "rows stay in storage": ("workbench/library.py", "import storage.tables"),
    "storage and use cases have no screen": ("workbench/intake.py", "import streamlit"),
    "only the command that serves it imports the app": ("ui/state.py", "import app"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code without anything around it."""
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("app.py", "pyproject.toml"):
        shutil.copy(ROOT / file, copy)
    return copy


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    # The linter puts the working directory first on its path: the copy is what it sees.
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_contracts_hold(house: Path) -> None:
    result = lint(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", PLANTED)
def test_planted_violation_is_caught(house: Path, contract: str) -> None:
    name, line = PLANTED[contract]
    file = house / name
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\n{line}\n", encoding="utf-8")
    try:
        result = lint(house)
    finally:
        file.write_text(before, encoding="utf-8")
    assert result.returncode == 1
    broken = result.stdout.partition("Broken contracts")[2]
    assert contract in broken
