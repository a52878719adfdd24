"""How sure a figure is: resampling whole speakers or recordings, never single clips."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "bootstrap", "paired_bootstrap"]

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval."""

    value: float
    low: float
    high: float


def bootstrap(
    figure: Callable[[Rows], float],
    group: npt.NDArray[np.str_],
    *,
    num_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of a figure under resampling of groups with replacement.

    Clips of one speaker or recording resemble each other; drawing them one by one would make every
    figure look surer than it is.

    Args:
        figure: computes the figure from row numbers, which may repeat
        group: per row
        num_draws: resamples
        level: coverage of the interval
        seed: of the draws

    Returns:
        the figure on all rows and the interval

    References:
        Field and Welsh (2007), Bootstrapping clustered data, JRSS B 69.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(group == name) for name in np.unique(group)]
    draws = [
        figure(np.concatenate([members[index] for index in chosen]))
        for chosen in rng.integers(len(members), size=(num_draws, len(members)))
    ]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(figure(np.arange(len(group))), float(low), float(high))


def paired_bootstrap(
    first: Callable[[Rows], float],
    second: Callable[[Rows], float],
    group: npt.NDArray[np.str_],
    *,
    num_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of ``first - second`` where both see the same resamples.

    Args:
        first: computes a figure from row numbers
        second: computes the figure to compare with
        group: per row
        num_draws: resamples
        level: coverage of the interval
        seed: of the draws
    """
    return bootstrap(
        lambda rows: first(rows) - second(rows),
        group,
        num_draws=num_draws,
        level=level,
        seed=seed,
    )
