"""Pages without a browser, on an installation of their own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.runtime import Runtime, close_runtime, get_runtime

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30

OpenPage = Callable[..., AppTest]


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The runtime that the pages use, empty; its worker is not started."""
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WERKBENCH_ENGINE__NAME", "pocketsphinx")
    yield get_runtime()
    close_runtime()


@pytest.fixture(autouse=True)
def _own_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that runs becomes ``__main__``; processes that are spawned later would run it, too."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def open_page(installation: Runtime) -> OpenPage:
    """Opens a page first, as somebody who follows a link does."""

    def open_first(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(ROOT / "ui" / "navigation.py", default_timeout=TIMEOUT_S)
        for key, value in query.items():
            app.query_params[key] = value
        app = app.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
        assert not app.exception, app.exception[0].value
        return app

    return open_first
