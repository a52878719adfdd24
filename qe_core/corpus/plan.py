"""What a corpus is made of: which clips, how often, and how each of them is made."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qe_core.corpus.degrade import NEWEST
from qe_core.errors import TrainingError

__all__ = ["CorpusPlan", "Row", "Task", "plan_tasks", "read_rows"]

_MIN_LONG_S, _MAX_LONG_S = 8.0, 30.0
_MAX_PARTS = 24

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CorpusPlan:
    """What a corpus is made of.

    Args:
        manifest: JSON Lines with ``audio_filepath``, ``text``, ``speaker``, ``source`` and
            ``language``
        noise_manifest: JSON Lines with ``audio_filepath``, ``label`` and ``kind``, which is
            ``noise`` or ``rir``
        copies: degraded copies per clip and source, beside the original; 1 where not named
        limits: at most this many clips of a source; all where not named
        long: clips of 8 to 30 s per source, each made of several clips of one speaker; none where
            not named
        share_clean: share of the originals that stay as they are, the others are degraded too
        seed: same seed, same corpus
        degradations: version of the degradations; by default the newest for a new corpus, and for
            one that was begun the one that it was begun with
    """

    manifest: Path
    noise_manifest: Path
    copies: dict[str, int]
    limits: dict[str, int]
    long: dict[str, int] = field(default_factory=dict)
    share_clean: float = 0.5
    seed: int = 20260101
    degradations: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One clip of a corpus, still to be made.

    Args:
        rows: of the manifest; several are joined, from the first on, until ``length_s`` is reached
        length_s: how long a joined clip should be; ``None`` for a clip of one row
        is_clean: it is not degraded
        seed: of the degradation
        degradations: version of it
        audio_path: where the clip goes
    """

    rows: tuple[Row, ...]
    length_s: float | None
    is_clean: bool
    seed: int
    degradations: int
    audio_path: Path


def plan_tasks(plan: CorpusPlan, audio_dir: Path) -> list[Task]:
    """Every clip of a plan, shuffled: a corpus that is stopped early is a fair sample of the whole.

    Args:
        plan: what to take and how often
        audio_dir: where the clips go

    Raises:
        TrainingError: the manifest cannot be read or names no clip
    """
    by_source: dict[str, list[Row]] = {}
    for row in read_rows(plan.manifest):
        by_source.setdefault(row["source"], []).append(row)
    rng = np.random.default_rng(plan.seed)
    tasks: list[Task] = []
    for source, rows in sorted(by_source.items()):
        order = rng.permutation(len(rows))[: plan.limits.get(source, len(rows))]
        chosen = [rows[int(index)] for index in order]
        for row in chosen:
            for copy in range(1 + plan.copies.get(source, 1)):
                name = f"{row['audio_filepath']}/{copy}"
                tasks.append(_task(plan, audio_dir, name, (row,), may_be_clean=copy == 0))
        tasks += _long_tasks(plan, audio_dir, source, chosen)
    return [tasks[int(index)] for index in rng.permutation(len(tasks))]


def read_rows(path: Path) -> list[Row]:
    """Lines of a manifest.

    Raises:
        TrainingError: it cannot be read, or is empty
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path}: cannot be read as a manifest ({error}).",
            suggestion="Give a JSON Lines file with audio_filepath, text and speaker per line.",
        ) from error
    if not rows:
        raise TrainingError(
            f"{path}: names no clip.", suggestion="Give a manifest with one clip per line."
        )
    return rows


def _task(
    plan: CorpusPlan,
    audio_dir: Path,
    name: str,
    rows: tuple[Row, ...],
    *,
    may_be_clean: bool,
    length_s: float | None = None,
) -> Task:
    digest = hashlib.sha256(f"{plan.seed}/{name}".encode())
    return Task(
        rows=rows,
        length_s=length_s,
        is_clean=may_be_clean and digest.digest()[8] < 256 * plan.share_clean,
        seed=int.from_bytes(digest.digest()[:8], "big"),
        degradations=plan.degradations or NEWEST,
        audio_path=audio_dir / f"{digest.hexdigest()[:20]}.flac",
    )


def _long_tasks(
    plan: CorpusPlan, audio_dir: Path, source: str, rows: Sequence[Row]
) -> Iterator[Task]:
    """Clips as long as those that users bring, where a data set has short ones only."""
    by_speaker: dict[str, list[Row]] = {}
    for row in rows:
        by_speaker.setdefault(row["speaker"], []).append(row)
    several = [clips for _, clips in sorted(by_speaker.items()) if len(clips) > 1]
    for number in range(plan.long.get(source, 0) if several else 0):
        name = f"long/{source}/{number}"
        rng = np.random.default_rng([plan.seed, *name.encode()])
        clips = several[int(rng.integers(len(several)))]
        order = rng.permutation(len(clips))[:_MAX_PARTS]
        yield _task(
            plan,
            audio_dir,
            name,
            tuple(clips[int(index)] for index in order),
            may_be_clean=bool(rng.random() < plan.share_clean),
            length_s=float(rng.uniform(_MIN_LONG_S, _MAX_LONG_S)),
        )
