"""The sample clips are whole, small, varied and described by their manifest."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.samples import PLANS, Plan, make_samples, write_audio
from qe_core.audio import decode
from qe_core.config import AudioSettings, bundled_path
from qe_core.errors import EngineError
from qe_core.text import normalise
from tests.audio_files import tone

LIMITS = AudioSettings()
FOLDER = bundled_path("sample_audio")


def read_manifest(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


ROWS = read_manifest(FOLDER / "manifest.jsonl")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["audio_filepath"]))
def test_each_clip_decodes_to_the_length_in_the_manifest(row: dict[str, Any]) -> None:
    audio = decode(FOLDER / row["audio_filepath"], name=row["audio_filepath"], limits=LIMITS)
    assert audio.duration_s == pytest.approx(row["duration"], abs=0.15)
    assert normalise(row["text"])
    assert not any(char.isdigit() for char in row["text"])


def test_manifest_and_folder_name_the_same_files() -> None:
    listed = {row["audio_filepath"] for row in ROWS}
    assert listed == {path.name for path in FOLDER.iterdir()} - {"manifest.jsonl", "README.md"}
    assert len(listed) == len(ROWS) == len(PLANS)


def test_clips_are_small_and_varied() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000
    conditions = {row["condition"].partition(":")[0] for row in ROWS}
    assert conditions == {"clean", "noise", "telephone", "clip", "room", "quiet"}
    assert len({Path(row["audio_filepath"]).suffix for row in ROWS}) >= 5


@pytest.mark.parametrize("ending", [".flac", ".ogg", ".mp3", ".m4a", ".webm", ".wav"])
def test_stored_samples_come_back(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"tone{ending}"
    write_audio(path, tone(0.8), 16_000)
    audio = decode(path, name=path.name, limits=LIMITS)
    assert audio.duration_s == pytest.approx(0.8, abs=0.15)
    assert float(np.abs(audio.samples).max()) == pytest.approx(0.5, abs=0.1)


def test_missing_flite_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(EngineError, match="flite: not installed") as caught:
        make_samples(tmp_path)
    assert "apt install flite" in caught.value.suggestion


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("flite") is None, reason="flite speaks the samples")
def test_the_same_plan_gives_the_same_clip(tmp_path: Path) -> None:
    plan = Plan("hello.flac", "slt", ("Hello there.", "How are you today?"))
    folders = [tmp_path / "first", tmp_path / "second"]
    manifests = [make_samples(folder, [plan]) for folder in folders]
    assert read_manifest(manifests[0])[0]["text"] == "Hello there. How are you today?"
    first, second = ((folder / "hello.flac").read_bytes() for folder in folders)
    assert first == second
