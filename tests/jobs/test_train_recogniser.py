"""Training a recogniser from the command line: a few steps of the real thing."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.train_recogniser import Budget, measure_recogniser, train_recogniser
from qe_core.asr.whisper import DEMO_MODEL, WhisperEngine
from qe_core.config import EngineSettings, bundled_path
from qe_core.recogniser.speech import SpeechPlan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("synthesisers"),
    # transformers and matplotlib announce their own future changes while they load.
    pytest.mark.filterwarnings("ignore"),
]


def test_a_few_steps_give_a_model_a_checkpoint_and_a_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.train_recogniser._STAGES", (1.0,))
    plan, budget = SpeechPlan(30), Budget(minutes=1.0, steps=4, num_processes=1)
    folder = train_recogniser(plan, tmp_path, budget)
    assert folder == tmp_path / "stages" / "100"
    engine = WhisperEngine(folder / "model", model="x", settings=EngineSettings())
    assert engine.version
    assert (folder / "checkpoint" / "model.safetensors").is_file()
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    before = (folder / "model" / "model.bin").stat().st_mtime_ns
    # What is done stays done.
    assert train_recogniser(plan, tmp_path, budget) == folder
    curve = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert json.loads(curve[-1])["step"] >= 4
    assert (folder / "model" / "model.bin").stat().st_mtime_ns == before


def test_the_report_is_printed_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qe_core.recogniser import measure

    monkeypatch.setattr(measure, "KNOWN_VOICES", ("flite-slt",))
    monkeypatch.setattr(measure, "UNKNOWN_VOICES", ())
    monkeypatch.setattr(measure, "_SNRS_DB", (20,))
    monkeypatch.setattr(measure, "_LONG_S", 5.0)
    (tmp_path / "model").symlink_to(bundled_path(DEMO_MODEL))
    measure_recogniser(tmp_path, SpeechPlan(1))
    assert "flite-slt" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["conditions"][0]["name"] == "flite-slt"


def test_without_pytorch_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = CliRunner().invoke(app, ["train-recogniser", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "pip install 'werkbench[finetune]'" in result.output


def test_sentences_are_spoken_and_listed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["speak", "--out", str(tmp_path), "--sentences", "3"])
    assert result.exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "synthetic.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    for row in rows:
        assert (tmp_path / row["audio_filepath"]).stat().st_size > 5_000
        assert row["text"].endswith((".", "?"))
