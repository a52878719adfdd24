"""Tables of figures: estimator against baselines, per source and condition, on unseen speakers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.asr.base import Progress
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Metrics, evaluate
from qe_core.estimation.scoring import baselines_of, score_table, truth_of
from qe_core.estimation.table import TrainingTable

__all__ = [
    "MIN_SLICE",
    "Line",
    "by_slice",
    "compare",
    "leave_one_source_out",
    "markdown",
    "slices_of",
]

MIN_SLICE = 30
"""Clips below which a slice says nothing."""

_LENGTH_ENDS_S = (3.0, 8.0)
_LENGTHS = ("below 3 s", "3 to 8 s", "from 8 s")

_COLUMNS: tuple[tuple[str, str], ...] = (
    ("num_clips", "clips"),
    ("pooled_wer", "pooled WER"),
    ("spearman", "Spearman"),
    ("pearson", "Pearson"),
    ("mae", "MAE"),
    ("rmse", "RMSE"),
    ("er20", "ER@20"),
    ("er20_oracle", "oracle"),
    ("ner20", "NER@20"),
    ("augrc", "AUGRC"),
    ("coverage", "coverage"),
    ("word_auc", "word AUC"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    name: str
    metrics: Metrics


def compare(estimator: Estimator, table: TrainingTable) -> tuple[Line, ...]:
    """The estimator and every baseline on the same clips.

    Args:
        estimator: to be judged
        table: clips that it was not trained on
    """
    truth = truth_of(table)
    ours = Line("estimator", evaluate(truth, score_table(estimator, table)))
    theirs = baselines_of(estimator, table).items()
    return (ours, *(Line(name, evaluate(truth, scores)) for name, scores in theirs))


def slices_of(table: TrainingTable) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Masks of every source, kind of degradation and length with enough clips to say something."""
    lengths = np.array(_LENGTHS)[np.searchsorted(_LENGTH_ENDS_S, table.duration_s, side="right")]
    columns = (("source", table.source), ("condition", table.condition), ("length", lengths))
    masks = {
        f"{title}: {value}": column == value
        for title, column in columns
        for value in np.unique(column)
    }
    return {name: mask for name, mask in masks.items() if mask.sum() >= MIN_SLICE}


def by_slice(
    estimator: Estimator, table: TrainingTable, slices: Mapping[str, npt.NDArray[np.bool_]]
) -> tuple[Line, ...]:
    """The estimator on parts of a table.

    Args:
        estimator: to be judged
        table: clips that it was not trained on
        slices: masks over the clips, by name
    """
    scored = []
    for name, mask in slices.items():
        part = table.select(mask)
        scored.append(Line(name, evaluate(truth_of(part), score_table(estimator, part))))
    return tuple(scored)


def leave_one_source_out(
    table: TrainingTable,
    train: Callable[[TrainingTable], Estimator],
    *,
    on_progress: Progress | None = None,
) -> tuple[Line, ...]:
    """Train without a source and judge on it: what happens on speech of a kind never seen.

    Args:
        table: clips that may be trained on; held-out ones are left alone
        train: makes an estimator from a table
        on_progress: told how far the work is

    Returns:
        one line per source with at least ``MIN_SLICE`` clips
    """
    table = table.select(~table.is_held_out)
    lines: list[Line] = []
    slices = {
        name: mask
        for name, mask in slices_of(table).items()
        if name.startswith("source") and (mask & ~table.is_relative).sum() >= MIN_SLICE
    }
    for index, (name, mask) in enumerate(slices.items()):
        if on_progress is not None:
            on_progress(index / len(slices), f"without {name}")
        lines += by_slice(train(table.select(~mask)), table, {name: mask & ~table.is_relative})
    return tuple(lines)


def markdown(lines: Iterable[Line]) -> str:
    """A table for people, one row per line, figures in two or three decimals."""
    rows = [
        "| | " + " | ".join(title for _, title in _COLUMNS) + " |",
        "|---|" + "---:|" * len(_COLUMNS),
    ]
    for line in lines:
        figures = [_cell(getattr(line.metrics, name)) for name, _ in _COLUMNS]
        rows.append(f"| {line.name} | " + " | ".join(figures) + " |")
    return "\n".join(rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
