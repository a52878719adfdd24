"""Features of a recognised corpus, computed in parallel and kept beside it."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from qe_core.asr.base import Progress
from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.corpus.examples import Recognised, TrainingExample
from qe_core.features import STANDARD
from qe_core.features.base import FeatureContext, extract, schema_of
from qe_core.types import FloatArray
from qe_core.vad import find_speech

__all__ = ["load_examples"]

# Corpora hold clips that the product would refuse as too short; the estimator still learns there.
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)
_NAMES = tuple(info.name for extractor in STANDARD for info in extractor.features)
_CHUNK = 100


def load_examples(
    rows: Sequence[Recognised],
    cache_dir: Path,
    *,
    num_processes: int = 2,
    on_progress: Progress | None = None,
) -> list[TrainingExample]:
    """Compute the features of every recognised clip, or take them from the cache.

    Args:
        rows: recognised clips whose audio is still there
        cache_dir: gets one file per feature schema
        num_processes: at work at the same time
        on_progress: told how far the work is

    Returns:
        one example per row, in order

    Raises:
        AudioError: a file cannot be decoded
    """
    digest = hashlib.sha256(schema_of(STANDARD).encode()).hexdigest()[:12]
    path = cache_dir / f"features-{digest}.npz"
    known = _read(path)
    missing = [row for row in rows if row.audio_filepath not in known]
    if missing:
        # Fresh processes: a forked one would share the voice activity detector's locks.
        with ProcessPoolExecutor(num_processes, mp_context=get_context("spawn")) as pool:
            for start in range(0, len(missing), _CHUNK):
                part = missing[start : start + _CHUNK]
                known |= zip(
                    [row.audio_filepath for row in part],
                    pool.map(_features_of, part, chunksize=10),
                    strict=True,
                )
                _write(path, known)
                if on_progress is not None:
                    on_progress(min(1.0, (start + _CHUNK) / len(missing)), "computing features")
    return [_example(row, known[row.audio_filepath]) for row in rows]


def _features_of(row: Recognised) -> FloatArray:
    path = Path(row.audio_filepath)
    audio = decode(path, name=path.name, limits=_LIMITS)
    context = FeatureContext(audio, find_speech(audio), row.transcript)
    values = extract(STANDARD, context)
    return np.array([values[name] for name in _NAMES], np.float32)


def _example(row: Recognised, values: FloatArray) -> TrainingExample:
    return TrainingExample(
        features={name: float(value) for name, value in zip(_NAMES, values, strict=True)},
        reference=row.reference,
        transcript=row.transcript,
        duration_s=row.duration,
        group=row.speaker,
        source=row.source,
        condition=row.condition,
        id=Path(row.audio_filepath).stem,
    )


def _read(path: Path) -> dict[str, FloatArray]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as archive:
        return dict(zip(archive["audio_filepath"].tolist(), archive["features"], strict=True))


def _write(path: Path, known: Mapping[str, FloatArray]) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez_compressed(
            file, audio_filepath=np.array(list(known)), features=np.stack(list(known.values()))
        )
    temporary.replace(path)
