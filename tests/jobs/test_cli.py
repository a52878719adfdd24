"""The command line as a person or a script meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.corpus import parse_counts
from qe_core.config import bundled_path
from qe_core.errors import ConfigError
from tests.bad_uploads import BAD_UPLOADS, ODD_NAMES

FIELDS = [
    "audio_filepath",
    "duration",
    "engine",
    "model",
    "language",
    "text",
    "predicted_wer",
    "predicted_wer_low",
    "predicted_wer_high",
    "flagged",
    "reasons",
    "segments",
    "words",
]
FIGURES = [
    "spearman",
    "pearson",
    "mae",
    "rmse",
    "er20",
    "er20_oracle",
    "ner20",
    "coverage",
    "num_clips",
    "pooled_wer",
]

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _pocketsphinx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WERKBENCH_ENGINE__NAME", "pocketsphinx")
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "data"))


def sample(name: str) -> Path:
    return bundled_path("sample_audio", name)


@pytest.mark.slow
def test_help_loads_nothing_heavy() -> None:
    code = "import jobs.cli, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "av", "streamlit", "xgboost", "duckdb", "fastapi"} & set(loaded)


def test_every_command_explains_itself() -> None:
    commands = [str(command.name) for command in app.registered_commands]
    assert commands == [
        "assess",
        "evaluate",
        "corpus",
        "recognise",
        "train",
        "train-any",
        "calibrate",
        "reproduce",
        "fine-tune",
        "train-recogniser",
        "speak",
        "serve",
        "doctor",
    ]
    for command in commands:
        assert run(app, [command, "--help"]).exit_code == 0


@pytest.mark.slow
def test_assess_prints_one_object_per_file_in_the_order_given(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    files = [sample("new_address.m4a"), empty, sample("bank_hotline.wav")]
    result = run(app, ["assess", "--json", *map(str, files)])
    assert result.exit_code == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["audio_filepath"] for record in records] == list(map(str, files))
    assert list(records[0]) == list(records[2]) == FIELDS
    assert list(records[1]) == ["audio_filepath", "error", "suggestion"]
    assert records[1]["error"] == "empty.wav: 0 bytes."
    first = records[0]
    assert first["engine"] == "pocketsphinx"
    assert first["predicted_wer_low"] <= first["predicted_wer"] <= first["predicted_wer_high"]
    assert list(first["words"][0]) == [
        "word",
        "start_s",
        "end_s",
        "confidence",
        "error_probability",
    ]
    assert "new_address.m4a: transcribing" in result.stderr


@pytest.mark.slow
def test_assess_ends_with_zero_when_nothing_was_refused_and_needs_no_database(
    tmp_path: Path,
) -> None:
    result = run(app, ["assess", str(sample("new_address.m4a"))])
    assert result.exit_code == 0
    header, _, row = result.stdout.splitlines()
    assert header.split() == ["file", "seconds", "predicted", "WER", "flag", "text"]
    assert row.startswith("new_address.m4a  6.")
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_threshold_of_the_settings_decides_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    for threshold, flagged in (("0", True), ("2", False)):
        monkeypatch.setenv("WERKBENCH_REVIEW__THRESHOLD", threshold)
        result = run(app, ["assess", "--json", str(sample("new_address.m4a"))])
        assert json.loads(result.stdout)["flagged"] is flagged


@pytest.mark.slow
def test_every_bad_file_gets_its_message_and_the_next_one_goes_on(tmp_path: Path) -> None:
    for number, (data, _) in enumerate(BAD_UPLOADS.values()):
        (tmp_path / f"{number}.wav").write_bytes(data)
    files = [*sorted(tmp_path.glob("*.wav")), tmp_path / "missing.wav", tmp_path]
    result = run(app, ["assess", "--json", *map(str, files)])
    assert result.exit_code == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(records) == len(files)
    assert all(record["error"] and record["suggestion"] for record in records)
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_odd_names_are_inert_on_the_terminal(tmp_path: Path) -> None:
    files = [tmp_path / name for case, name in ODD_NAMES.items() if case in {"emoji", "markup"}]
    files.append(tmp_path / "a\x1b[31m\r\nb.wav")
    for file in files:
        Path(str(file).replace("</", "")).parent.mkdir(exist_ok=True)
    result = run(app, ["assess", *map(str, files)])
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "\r" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["assess", "x.wav", "--engine", "nosuch"], "there is no such engine"),
        (["assess", "x.wav", "--engine", "whisper:/nosuch"], "/nosuch"),
        (["assess", "x.wav", "--estimator", "/nosuch"], "there is no estimator here"),
        (["evaluate", "--manifest", "/nosuch.jsonl"], "cannot be read"),
        (["corpus", "--manifest", "m", "--noises", "n", "--out", "o", "--copies", "an4"], "'an4'"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_begun_ends_with_two_and_says_what_to_do(
    arguments: list[str], words: str
) -> None:
    result = run(app, arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "\n  → " in result.stderr
    assert "Traceback" not in result.output


def test_setting_that_is_not_allowed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WERKBENCH_REVIEW__THRESHOLD", "high")
    result = run(app, ["assess", "x.wav"])
    assert result.exit_code == 2
    assert "review.threshold = 'high'" in result.stderr


@pytest.mark.slow
def test_evaluate_prints_every_figure_of_the_estimator_and_the_baselines(tmp_path: Path) -> None:
    lines = bundled_path("sample_audio", "manifest.jsonl").read_text().splitlines()[:3]
    records = [json.loads(line) for line in lines]
    for record in records:
        record["audio_filepath"] = str(sample(record["audio_filepath"]))
    records.append({"audio_filepath": "gone.wav", "text": "nothing"})
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, records)) + "\n\n")
    result = run(app, ["evaluate", "--manifest", str(manifest), "--json"])
    assert result.exit_code == 0, result.stderr
    figures = [json.loads(line) for line in result.stdout.splitlines()]
    names = [record["name"] for record in figures]
    assert names[0] == "estimator"
    assert {"random", "duration", "mean confidence"} <= set(names)
    assert all(list(record) == ["name", *FIGURES] for record in figures)
    assert {record["num_clips"] for record in figures} == {3}
    assert "1 of 4 clips were left out" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no clip"),
        ("no json\n", "line 1 is not usable"),
        ('{"audio_filepath": "a.wav"}\n', "line 1 is not usable"),
        ("[]\n", "line 1 is not usable"),
    ],
)
def test_manifest_that_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(text)
    result = run(app, ["evaluate", "--manifest", str(manifest)])
    assert result.exit_code == 2
    assert words in result.stderr


def test_train_without_clips_says_how_to_get_them(tmp_path: Path) -> None:
    result = run(app, ["train", str(tmp_path / "recognised.jsonl"), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "werkbench corpus" in result.stderr


def test_counts_per_source_are_read() -> None:
    assert parse_counts(["a=1", "b=22"], option="--limit") == {"a": 1, "b": 22}
    for bad in ("a", "a=", "=3", "a=-1", "a=x"):
        with pytest.raises(ConfigError, match="--limit"):
            parse_counts([bad], option="--limit")
