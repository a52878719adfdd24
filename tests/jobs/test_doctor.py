"""The doctor says what works, what doesn't, and what to do."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.doctor import Finding, find_all
from storage.database import Database

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))
    # Looking for the Whisper model must not wait for a network.
    monkeypatch.setenv("WERKBENCH_ENGINE__WHISPER_MODEL", str(tmp_path))


def findings() -> dict[str, Finding]:
    return {finding.name: finding for finding in find_all()}


def test_healthy_machine_has_no_problem_and_nothing_is_made(tmp_path: Path) -> None:
    found = findings()
    assert [name for name, finding in found.items() if finding.state == "problem"] == []
    assert found["engine pocketsphinx"].state == "ok"
    assert found["engine whisper"].state == "note"
    assert not (tmp_path / "data").exists()


def test_every_note_and_problem_says_what_to_do() -> None:
    assert all(finding.state == "ok" or finding.suggestion for finding in findings().values())


def test_data_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "file"))
    assert findings()["data folder"].state == "problem"


def test_broken_database_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "werkbench.duckdb").write_text("no database")
    assert findings()["database"].state == "note"


def test_database_that_can_be_opened_is_fine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    Database(tmp_path / "data" / "werkbench.duckdb").close()
    assert findings()["database"].state == "ok"


def test_a_wrong_alert_rule_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert findings()["alert rules"].state == "ok"
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: loud}]", encoding="utf-8")
    monkeypatch.setenv("WERKBENCH_ALERTS__RULES_FILE", str(rules))
    found = findings()["alert rules"]
    assert (found.state, found.suggestion) == ("problem", "Add signal.")
    assert "rule 'loud': signal is missing" in found.text


def test_open_server_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_SERVER__HOST", "0.0.0.0")  # noqa: S104  nothing is bound
    found = findings()
    assert "without a password" in found["address"].text
    assert "HTTPS" in found["microphone"].text


def test_chosen_whisper_without_its_model_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_ENGINE__NAME", "whisper")
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    problems = [record["name"] for record in records if record["state"] == "problem"]
    assert problems == ["engine whisper"]


def test_wrong_setting_ends_the_examination_readably(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_REVIEW__THRESHOLD", "high")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "✗ settings: review.threshold" in result.stdout
