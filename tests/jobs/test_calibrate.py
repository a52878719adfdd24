"""The command that calibrates: faults of a manifest by line, and a run on real speech."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from qe_core.config import bundled_path

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _pocketsphinx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WERKBENCH_ENGINE__NAME", "pocketsphinx")
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))


def manifest_of(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "calls.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_faults_of_a_manifest_are_named_by_line_before_anything_is_loaded(tmp_path: Path) -> None:
    sound = str(bundled_path("sample_audio", "new_address.m4a"))
    manifest = manifest_of(
        tmp_path,
        {"audio_filepath": sound, "text": "fine"},
        {"audio_filepath": "gone.wav", "text": "two words"},
        {"audio_filepath": sound, "text": " … "},
    )

    result = run(app, ["calibrate", "--manifest", str(manifest)])

    assert result.exit_code == 2
    assert f"line 2: {tmp_path / 'gone.wav'} is not there" in result.stderr
    assert "line 3: its text has no words" in result.stderr
    assert "→ Mend these lines" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"audio_filepath": "a.wav", "text": "x"}\n{"audio_filepath"\n')

    result = run(app, ["calibrate", "--manifest", str(path)])

    assert (result.exit_code, "line 2 is not usable" in result.stderr) == (2, True)


@pytest.mark.slow
def test_without_a_manifest_the_corrections_are_asked_and_there_are_none(tmp_path: Path) -> None:
    result = run(app, ["calibrate"])

    assert result.exit_code == 2
    assert "0 corrections to adapt to; at least 30 are needed." in result.stderr


@pytest.mark.slow
def test_a_manifest_is_transcribed_and_the_estimator_adapted(tmp_path: Path) -> None:
    names = ("new_address.m4a", "bank_hotline.wav", "order_number.mp3")
    manifest = manifest_of(
        tmp_path,
        *(
            {"audio_filepath": str(bundled_path("sample_audio", name)), "text": "not a word"}
            for name in names
        ),
    )

    result = run(app, ["calibrate", "--manifest", str(manifest), "--json"])

    record = json.loads(result.stdout)
    assert record["progress"] == "Adapted with 3 of 300 reviews"
    assert record["adaptation"]["before"]["mae"] > 0
    assert result.exit_code == (1 if record["verdict"] == "refused" else 0)
