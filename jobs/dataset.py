"""Data sets of the Hugging Face hub, or folders like them, as a manifest with audio files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec

from jobs.console import ProgressLine, print_problem, say
from qe_core.asr.whisper import hub_answers
from qe_core.audio import decode
from qe_core.config import AudioSettings, load_settings
from qe_core.errors import AudioError, ConfigError, TrainingError, WerkbenchError

__all__ = ["DatasetPlan", "fetch_dataset"]

TEXT_COLUMNS = ("normalized_text", "raw_text", "text", "sentence", "transcription", "transcript")
SPEAKER_COLUMNS = ("speaker_id", "speaker", "client_id")
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """Which clips of a data set.

    Args:
        name: on the hub, such as ``facebook/voxpopuli``, or a folder
        language: configuration of the data set on the hub
        split: part of the data set
        limit: at most so many clips, the first ones; all by default
    """

    name: str
    language: str | None = None
    split: str = "train"
    limit: int | None = None


def fetch_dataset(plan: DatasetPlan, folder: Path) -> Path:
    """Write the clips of a data set into a folder; started again, it goes on where it stopped.

    Clips without words and clips that cannot be decoded are left out.

    Args:
        plan: which clips
        folder: gets ``manifest.jsonl`` and ``clips/``

    Returns:
        path of the manifest, as ``werkbench corpus`` takes it

    Raises:
        ConfigError: the package ``datasets`` is missing, or the hub cannot be reached
        TrainingError: the data set cannot be read, or has no audio or no transcript column
    """
    rows, audio_column = _open(plan)
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.jsonl"
    done = _num_done(manifest)
    progress = ProgressLine(plan.name)
    with manifest.open("a", encoding="utf-8") as file:
        for index, row in enumerate(islice(rows, plan.limit)):
            if index < done:
                continue
            total = f" of {plan.limit}" if plan.limit else ""
            progress(index / plan.limit if plan.limit else 0.0, f"clip {index + 1}{total}")
            record = {"index": index, **_write_clip(plan, row, audio_column, folder, index)}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
    progress.clear()
    return _usable(manifest, folder / "speech.jsonl")


def _open(plan: DatasetPlan) -> tuple[Iterator[Mapping[str, Any]], str]:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            "The package datasets is not installed.",
            suggestion="Install it: pip install 'werkbench[datasets]'.",
        ) from error
    datasets.disable_progress_bars()
    try:
        found = _load(datasets, plan)
    except WerkbenchError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise TrainingError(
            f"{plan.name}: cannot be loaded ({error}).",
            suggestion="Check its name, --language and --split, or give a folder.",
        ) from error
    columns: Mapping[str, Any] = found.features or {}
    audio = [name for name, kind in columns.items() if isinstance(kind, datasets.Audio)]
    if not audio or not any(name in columns for name in TEXT_COLUMNS):
        raise TrainingError(
            f"{plan.name}: no audio or no transcript among its columns ({', '.join(columns)}).",
            suggestion=f"A transcript stands in one of {', '.join(TEXT_COLUMNS)}.",
        )
    # Werkbench decodes by itself, whatever is installed beside it.
    return iter(found.cast_column(audio[0], datasets.Audio(decode=False))), audio[0]


def _load(datasets: Any, plan: DatasetPlan) -> Any:
    folder = Path(plan.name)
    if (folder / "state.json").is_file():
        return datasets.load_from_disk(plan.name)
    if any(folder.rglob("*.parquet")):
        return datasets.load_dataset(
            "parquet", data_dir=plan.name, split=plan.split, streaming=True
        )
    if folder.is_dir():
        raise TrainingError(
            f"{plan.name}: this folder holds neither Parquet files nor a saved data set.",
            suggestion="Write a manifest of it and give that to `werkbench corpus --manifest`.",
        )
    timeout_s = load_settings().engine.fetch_timeout_s
    if not hub_answers(timeout_s):
        raise ConfigError(
            f"{plan.name} is no folder here, and the hub did not answer within {timeout_s:g} s.",
            suggestion="Connect to the network, or copy the data set here and give its folder.",
        )
    return datasets.load_dataset(plan.name, plan.language, split=plan.split, streaming=True)


def _write_clip(
    plan: DatasetPlan, row: Mapping[str, Any], audio_column: str, folder: Path, index: int
) -> dict[str, Any]:
    """What the manifest says of a clip; no ``audio_filepath`` where it cannot be used."""
    text = next((str(row[name]) for name in TEXT_COLUMNS if row.get(name)), "")
    sound = row[audio_column]
    data = sound["bytes"]
    if data is None:
        with fsspec.open(sound["path"], "rb") as file:
            data = file.read()
    path = folder / "clips" / f"{index:07d}{Path(sound['path'] or '').suffix or '.audio'}"
    path.write_bytes(data)
    try:
        audio = decode(path, name=path.name, limits=_LIMITS)
    except AudioError as error:
        print_problem(error)
        path.unlink()
        return {"text": text}
    speaker = next((str(row[name]) for name in SPEAKER_COLUMNS if row.get(name)), None)
    source = Path(plan.name).name
    return {
        "audio_filepath": str(path.relative_to(folder)),
        "duration": round(audio.duration_s, 3),
        "text": text,
        "speaker": f"{source}-{speaker or index}",
        "source": source,
        "language": plan.language or load_settings().engine.language or "en",
    }


def _num_done(manifest: Path) -> int:
    """Clips of a former run; a line that a crash cut off is dropped."""
    if not manifest.is_file():
        return 0
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    manifest.write_text("".join(whole), encoding="utf-8")
    return len(whole)


def _usable(manifest: Path, path: Path) -> Path:
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    usable = [row for row in rows if row["text"].strip() and "audio_filepath" in row]
    if len(usable) < len(rows):
        say(f"{len(rows) - len(usable)} of {len(rows)} clips were left out.")
    if not usable:
        raise TrainingError(
            "The data set has no clip with sound and words.", suggestion="Choose another split."
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in usable), encoding="utf-8")
    return path
