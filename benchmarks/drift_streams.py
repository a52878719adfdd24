"""Windows of a stream for the drift benchmarks: real feature rows, dealt out by recording."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qe_core.config import bundled_path
from qe_core.estimation.builtin import examples_of
from qe_core.estimation.table import TrainingTable
from qe_core.monitoring.drift import Window
from workbench.drift import INPUTS

__all__ = ["MODEL", "Pool", "Values", "ask_peer", "deal", "draw", "load_pool"]

MODEL = bundled_path("models", "quality-pocketsphinx-en-us")

_CLIPS_PER_RECORDING = 5
# Clips of one recording differ a little more than those few that the pool has of it.
_JITTER = 0.1
_PEER_SCRIPT = Path(__file__).with_name("drift_peers.py")

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Feature rows of real clips.

    Args:
        rows: the watched features, shape ``(num_clips, len(INPUTS))``
        groups: speaker and recording of each
        sources: data set of each
    """

    rows: Values
    groups: npt.NDArray[np.str_]
    sources: npt.NDArray[np.str_]

    def only(self, keep: npt.NDArray[np.bool_]) -> "Pool":
        """Some of the clips."""
        return Pool(self.rows[keep], self.groups[keep], self.sources[keep])


def load_pool(folder: Path = MODEL) -> Pool:
    """The examples beside an estimator."""
    table = TrainingTable.load(examples_of(folder)).own
    columns = [table.feature_names.index(name) for name in INPUTS]
    return Pool(table.features[:, columns].astype(np.float64), table.group, table.source)


def deal(pool: Pool, num_clips: int, rng: np.random.Generator) -> Window:
    """A window of recordings drawn at random, five clips each: clips of one resemble each other."""
    drawn, recordings = draw(pool.groups, num_clips, rng)
    rows = pool.rows[drawn]
    low, high = np.nanquantile(pool.rows, [0.25, 0.75], axis=0)
    rows = rows + _JITTER * (high - low) * rng.normal(size=rows.shape)
    return Window({name: rows[:, column] for column, name in enumerate(INPUTS)}, recordings)


def draw(
    groups: npt.NDArray[np.str_], num_clips: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.str_]]:
    """Rows of a window and the recording of each, which is one draw of a group."""
    names, owner = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    num_recordings = -(-num_clips // _CLIPS_PER_RECORDING)
    drawn = [
        rng.choice(members[index], size=_CLIPS_PER_RECORDING)
        for index in rng.integers(len(names), size=num_recordings)
    ]
    recordings = np.repeat(np.arange(num_recordings), _CLIPS_PER_RECORDING)
    return np.concatenate(drawn)[:num_clips], recordings[:num_clips].astype(np.str_)


def ask_peer(
    name: str, python: str, pairs: Sequence[tuple[Window, Window]]
) -> npt.NDArray[np.int_]:
    """What a peer says by its defaults, run by its own Python.

    Args:
        name: ``evidently`` or ``nannyml``
        python: an interpreter that has it
        pairs: baseline window and current window

    Returns:
        columns that drift and columns that there are, shape ``(num_pairs, 2)``
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.npz"
        arrays = {}
        for trial, pair in enumerate(pairs):
            for part, window in zip(("baseline", "current"), pair, strict=True):
                arrays[f"{part}-{trial}"] = np.stack(list(window.columns.values()), axis=1)
        np.savez(path, allow_pickle=False, **arrays)
        done = subprocess.run(
            [python, str(_PEER_SCRIPT), name, str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    return np.array([json.loads(line) for line in lines], np.int_)
