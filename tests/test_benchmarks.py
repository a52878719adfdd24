"""Benchmarks that fill a database by themselves keep up with its tables."""

import importlib
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["library_search", "metrics_cost", "queue_draw"])
def test_a_benchmark_runs_on_the_tables_of_today(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--clips", "20", "--repeats", "2"])
    importlib.import_module(f"benchmarks.{name}").main()
    assert " ms" in capsys.readouterr().out
