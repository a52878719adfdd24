"""Windows of a stream for the drift benchmarks: real feature rows, dealt out by recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qe_core.config import bundled_path
from qe_core.monitoring.drift import Window
from workbench.drift import INPUTS

__all__ = ["MODEL", "Pool", "deal", "load_pool"]

MODEL = bundled_path("models", "quality-pocketsphinx-en-us")

_CLIPS_PER_RECORDING = 5
# Clips of one recording differ a little more than those few that the pool has of it.
_JITTER = 0.1

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
    with np.load(folder / "examples.npz") as stored:
        names = [str(name) for name in stored["feature_names"]]
        columns = [names.index(name) for name in INPUTS]
        rows = stored["features"][:, columns].astype(np.float64)
        return Pool(rows, stored["group"], stored["source"])


def deal(pool: Pool, num_clips: int, rng: np.random.Generator) -> Window:
    """A window of recordings drawn at random, five clips each: clips of one resemble each other."""
    names, owner = np.unique(pool.groups, return_inverse=True)
    members = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    num_recordings = -(-num_clips // _CLIPS_PER_RECORDING)
    drawn = [
        rng.choice(members[index], size=_CLIPS_PER_RECORDING)
        for index in rng.integers(len(names), size=num_recordings)
    ]
    rows = pool.rows[np.concatenate(drawn)[:num_clips]]
    low, high = np.nanquantile(pool.rows, [0.25, 0.75], axis=0)
    rows = rows + _JITTER * (high - low) * rng.normal(size=rows.shape)
    recordings = np.repeat(np.arange(num_recordings), _CLIPS_PER_RECORDING)[:num_clips]
    return Window(
        {name: rows[:, column] for column, name in enumerate(INPUTS)}, recordings.astype(np.str_)
    )
