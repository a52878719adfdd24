"""Features of a recognised corpus, computed in parallel and kept beside it in Parquet files."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from qe_core.asr.base import Progress
from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.corpus.examples import Recognised, TrainingExample
from qe_core.features import DEPTHS, Depth
from qe_core.features.base import FeatureContext, FeatureExtractor, schema_of
from qe_core.serialise import transcript_to_json
from qe_core.types import FloatArray, Transcript
from qe_core.vad import find_speech

__all__ = ["load_examples"]

# Corpora hold clips that the product would refuse as too short; the estimator still learns there.
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)
_GROUPS = {group.name: group for groups in DEPTHS.values() for group in groups}
_CHUNK = 200


def load_examples(
    rows: Sequence[Recognised],
    cache_dir: Path,
    *,
    seconds: Mapping[str, Transcript] | None = None,
    depth: Depth = "standard",
    num_processes: int | None = None,
    on_progress: Progress | None = None,
) -> list[TrainingExample]:
    """Compute the features of every recognised clip, or take them from the cache.

    Each group of features has a file of its own, so that a new group, a new transcript or a new
    second opinion costs only what depends on it.

    Args:
        rows: recognised clips whose audio is still there
        cache_dir: gets one file per group and version
        seconds: second opinions by ``audio_filepath``
        depth: which groups
        num_processes: at work at the same time; one per processor by default
        on_progress: told how far the work is

    Returns:
        one example per row, in order

    Raises:
        AudioError: a file cannot be decoded
    """
    seconds = seconds or {}
    clips = [_Clip(row, seconds.get(row.audio_filepath)) for row in rows]
    caches = [_Cache(group, cache_dir) for group in DEPTHS[depth]]
    tasks = [
        (clip, missing)
        for clip in clips
        if (missing := tuple(item.group.name for item in caches if clip not in item))
    ]
    if tasks:
        processes = num_processes or os.cpu_count()
        # Fresh processes: a forked one would share the voice activity detector's locks.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for start in range(0, len(tasks), _CHUNK):
                part = tasks[start : start + _CHUNK]
                found = list(pool.map(_compute, *zip(*part, strict=True), chunksize=10))
                for cache in caches:
                    cache.add(
                        [(clip, groups) for (clip, _), groups in zip(part, found, strict=True)]
                    )
                if on_progress is not None:
                    on_progress(min(1.0, (start + _CHUNK) / len(tasks)), "computing features")
    return [
        _example(clip, {name: value for cache in caches for name, value in cache.of(clip)})
        for clip in clips
    ]


@dataclass(frozen=True, slots=True)
class _Clip:
    row: Recognised
    second: Transcript | None

    def key(self, group: FeatureExtractor) -> str:
        """Changes with whatever the group looks at."""
        parts = [self.row.audio_filepath]
        if group.needs_transcript:
            parts.append(transcript_to_json(self.row.transcript))
        if group.needs_second and self.second is not None:
            parts.append(transcript_to_json(self.second))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class _Cache:
    """The Parquet file of one group: a row per clip, a column per feature."""

    def __init__(self, group: FeatureExtractor, folder: Path) -> None:
        self.group = group
        self._names = [info.name for info in group.features]
        digest = hashlib.sha256(schema_of([group]).encode()).hexdigest()[:8]
        self._path = folder / f"features-{group.name}-{digest}.parquet"
        self._known = self._read()

    def __contains__(self, clip: _Clip) -> bool:
        return clip.key(self.group) in self._known

    def of(self, clip: _Clip) -> Iterator[tuple[str, float]]:
        """Names and values of a clip's features."""
        values = self._known[clip.key(self.group)]
        return zip(self._names, (float(value) for value in values), strict=True)

    def add(self, found: Sequence[tuple[_Clip, Mapping[str, FloatArray]]]) -> None:
        """Keep what was computed of this group."""
        name = self.group.name
        new = {clip.key(self.group): groups[name] for clip, groups in found if name in groups}
        if new:
            self._known |= new
            self._write()

    def _read(self) -> dict[str, FloatArray]:
        from pyarrow import parquet

        if not self._path.is_file():
            return {}
        columns = parquet.read_table(self._path)
        values = np.stack([columns[name].to_numpy() for name in self._names], axis=1)
        return dict(zip(columns["clip"].to_pylist(), values, strict=True))

    def _write(self) -> None:
        import pyarrow
        from pyarrow import parquet

        values = np.stack(list(self._known.values()))
        columns = {
            "clip": list(self._known),
            **{name: values[:, place] for place, name in enumerate(self._names)},
        }
        temporary = self._path.with_suffix(".part")
        parquet.write_table(pyarrow.table(columns), temporary)
        temporary.replace(self._path)


def _compute(clip: _Clip, groups: tuple[str, ...]) -> dict[str, FloatArray]:
    path = Path(clip.row.audio_filepath)
    audio = decode(path, name=path.name, limits=_LIMITS)
    context = FeatureContext(audio, find_speech(audio), clip.row.transcript, clip.second)
    computed = {}
    for name in groups:
        values = _GROUPS[name].extract(context)
        computed[name] = np.array(
            [values[info.name] for info in _GROUPS[name].features], np.float32
        )
    return computed


def _example(clip: _Clip, features: Mapping[str, float]) -> TrainingExample:
    row = clip.row
    return TrainingExample(
        features=features,
        reference=row.reference,
        transcript=row.transcript,
        duration_s=row.duration,
        group=row.speaker,
        source=row.source,
        condition=row.condition,
        id=Path(row.audio_filepath).stem,
        second=clip.second,
    )
