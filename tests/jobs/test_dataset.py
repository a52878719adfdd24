"""Data sets become manifests; a hub that is not there is known at once."""

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from jobs.cli import app
from jobs.dataset import DatasetPlan, fetch_dataset
from qe_core.errors import ConfigError, TrainingError

datasets = pytest.importorskip("datasets", reason="needs the extra `datasets`")


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    samples = 0.1 * np.sin(np.arange(int(16_000 * seconds)) / 20)
    soundfile.write(file, samples, 16_000, format="WAV")
    return file.getvalue()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Four clips as VoxPopuli has them; the third has no text, the fourth is no sound."""
    sounds = [wav(1.0), wav(1.5), wav(1.0), b"no sound at all"]
    made = datasets.Dataset.from_dict(
        {
            "audio": [{"bytes": sound, "path": f"{i}.wav"} for i, sound in enumerate(sounds)],
            "raw_text": ["Goede morgen!", "Dank u.", "", "niets"],
            "normalized_text": ["goede morgen", "dank u", "", "niets"],
            "speaker_id": ["7", "8", "8", "9"],
        },
    ).cast_column("audio", datasets.Audio(decode=False))
    made.save_to_disk(str(tmp_path / "voxpopuli"))
    return tmp_path / "voxpopuli"


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_clips_with_sound_and_words_become_a_manifest(saved: Path, tmp_path: Path) -> None:
    manifest = fetch_dataset(DatasetPlan(str(saved), "nl"), tmp_path / "out")

    rows = rows_of(manifest)
    assert [(row["text"], row["speaker"], row["duration"]) for row in rows] == [
        ("goede morgen", "voxpopuli-7", 1.0),
        ("dank u", "voxpopuli-8", 1.5),
    ]
    assert {(row["source"], row["language"]) for row in rows} == {("voxpopuli", "nl")}
    assert all((manifest.parent / str(row["audio_filepath"])).is_file() for row in rows)


def test_it_goes_on_where_it_stopped(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch_dataset(DatasetPlan(str(saved), "nl", limit=1), out)
    first = out / "clips" / "0000000.wav"
    first.write_bytes(b"untouched")

    manifest = fetch_dataset(DatasetPlan(str(saved), "nl"), out)

    assert first.read_bytes() == b"untouched"
    assert [row["text"] for row in rows_of(manifest)] == ["goede morgen", "dank u"]


def test_a_folder_as_on_the_hub_is_a_data_set(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    datasets.load_from_disk(str(saved)).to_parquet(str(folder / "train-00000-of-00001.parquet"))

    manifest = fetch_dataset(DatasetPlan(str(tmp_path / "hub")), tmp_path / "out")

    assert [(row["text"], row["source"]) for row in rows_of(manifest)] == [
        ("goede morgen", "hub"),
        ("dank u", "hub"),
    ]


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="neither Parquet files"):
        fetch_dataset(DatasetPlan(str(tmp_path)), tmp_path / "out")


def test_a_data_set_without_transcripts_is_refused(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict({"label": ["a"]})
    made.save_to_disk(str(tmp_path / "labels"))

    with pytest.raises(TrainingError, match=r"no audio or no transcript .*\(label\)"):
        fetch_dataset(DatasetPlan(str(tmp_path / "labels")), tmp_path / "out")


def test_a_hub_that_does_not_answer_is_known_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WERKBENCH_ENGINE__FETCH_TIMEOUT_S", "0.5")
    begun_s = time.perf_counter()

    with pytest.raises(ConfigError, match=r"the hub did not answer within 0\.5 s"):
        fetch_dataset(DatasetPlan("facebook/voxpopuli", "nl"), tmp_path / "out")

    assert time.perf_counter() - begun_s < 30


def test_noises_are_needed_before_anything_is_fetched(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    result = CliRunner().invoke(app, ["train", "--dataset", str(saved), "--out", str(out)])

    assert (result.exit_code, "Give --noises" in result.stderr) == (2, True)
    assert not out.exists()
