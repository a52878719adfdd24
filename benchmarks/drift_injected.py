"""Changes of real speech for the drift benchmark, as the product's own extractors see them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings
from qe_core.corpus.build import recognise_again
from qe_core.corpus.examples import Recognised, read_recognised, write_recognised
from qe_core.estimation.builtin import read_corpus
from qe_core.estimation.table import TrainingTable
from qe_core.features.acoustic import AcousticFeatures
from qe_core.features.base import FeatureContext
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray
from qe_core.vad import find_speech

__all__ = ["BEFORE", "CHANGES", "prepare"]

BEFORE = "nothing"
CHANGES: Mapping[str, str] = {
    "noise": "noise floor +6 dB",
    "codec": "telephone codec (G.711, 8 kHz)",
    "microphone": "microphone farther away",
    "accent": "new accent (Mandarin)",
    "downgrade": "recogniser in a hurry",
}
"""What happens to the stream."""

_SEED = 20260101
_NATIVE = ("an4", "cv61_en")
_ACCENT = "speechocean762"
_ENGINE = EngineSettings(name="pocketsphinx")
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)
_NOISE = "sea waves"
_RISE_DB = 6.0


def prepare(
    recognised: Path, hasty: Path, noise_manifest: Path, folder: Path, *, num_clips: int
) -> Mapping[str, TrainingTable]:
    """Clips before and after every change; started again, it goes on where it stopped.

    Args:
        recognised: what ``werkbench corpus`` wrote with PocketSphinx; clean US English is what
            comes before
        hasty: what ``werkbench recognise --engine pocketsphinx:en-us-fast`` made of it
        noise_manifest: JSON Lines with ``audio_filepath`` and ``label``
        folder: gets what has to be made anew
        num_clips: so many clips get noise and are recognised again

    Returns:
        features and true errors, by :data:`BEFORE` and :data:`CHANGES`
    """
    clean = [row for row in read_recognised(recognised) if _is_before(row.source, row.condition)]
    known = {row.audio_filepath for row in clean}
    _store(
        [row for row in read_recognised(hasty) if row.audio_filepath in known],
        folder / "downgrade" / "recognised.jsonl",
    )
    order = np.random.default_rng(_SEED).permutation(len(clean))[:num_clips]
    noise = _sound(noise_manifest, _NOISE)
    noisy = [_with_noise(clean[int(index)], noise, folder / "noise" / "audio") for index in order]
    changed = _store(noisy, folder / "noise" / "changed.jsonl")
    recognise_again(changed, folder / "noise", engine=_ENGINE)
    table = read_corpus(recognised).table
    is_native = np.isin(table.source, _NATIVE)
    is_clean = table.condition == "clean"
    return {
        BEFORE: table.select(is_native & is_clean),
        "noise": read_corpus(folder / "noise" / "recognised.jsonl").table,
        "codec": table.select(is_native & np.char.startswith(table.condition, "telephone")),
        "microphone": table.select(is_native & np.char.startswith(table.condition, "room")),
        "accent": table.select((table.source == _ACCENT) & is_clean),
        "downgrade": read_corpus(folder / "downgrade" / "recognised.jsonl").table,
    }


def _is_before(source: str, condition: str) -> bool:
    return source in _NATIVE and condition == "clean"


def _store(rows: Sequence[Recognised], path: Path) -> Path:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_recognised(rows, path)
    return path


def _sound(manifest: Path, label: str) -> FloatArray:
    for line in manifest.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["label"] == label:
            return _decoded(manifest.parent / row["audio_filepath"]).samples
    raise SystemExit(f"{manifest}: no sound is labelled {label!r}.")


def _decoded(path: Path) -> Audio:
    return decode(path, name=path.name, limits=_LIMITS)


def _with_noise(row: Recognised, noise: FloatArray, folder: Path) -> Recognised:
    """Noise three times as strong as what is there makes the floor four times as strong."""
    path = folder / Path(row.audio_filepath).name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        audio = _decoded(Path(row.audio_filepath))
        found = AcousticFeatures().extract(FeatureContext(audio, find_speech(audio)))
        floor_db = found["noise_floor_dbfs"] + 10 * np.log10(10 ** (_RISE_DB / 10) - 1)
        rng = np.random.default_rng(int(path.stem[:8], 16))
        piece = np.resize(np.roll(noise, -int(rng.integers(len(noise)))), len(audio.samples))
        piece = piece * (10 ** (floor_db / 20) / max(float(np.sqrt(np.mean(piece**2))), 1e-9))
        soundfile.write(path, np.clip(audio.samples + piece, -1, 1), SAMPLE_RATE_HZ)
    return replace(row, audio_filepath=str(path))
