"""Figures of estimators and baselines on the same clips, with intervals that resample speakers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.estimation.evaluation import Scores, Truth, evaluate
from qe_core.estimation.scoring import truth_of
from qe_core.estimation.table import TrainingTable

__all__ = ["Contest", "Drawn", "judge", "print_differences", "print_figures"]

LEVEL = 0.95
TITLES: Mapping[str, str] = {
    "spearman": "Spearman",
    "pearson": "Pearson",
    "mae": "MAE",
    "mae_words": "MAE by words",
    "rmse": "RMSE",
    "calibration_error": "calibration error",
    "augrc": "AUGRC",
    "er5": "ER@5",
    "er10": "ER@10",
    "er20": "ER@20",
    "er30": "ER@30",
    "er50": "ER@50",
    "ner5": "NER@5",
    "ner10": "NER@10",
    "ner20": "NER@20",
    "ner30": "NER@30",
    "ner50": "NER@50",
    "coverage": "coverage",
    "interval_width": "width",
    "word_auc": "word AUC",
    "word_nce": "word NCE",
    "word_ece": "word ECE",
}

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Contest:
    """Clips that none of the contestants knows, and what each of them says about them."""

    table: TrainingTable
    scores: Mapping[str, Scores]

    def part(self, mask: npt.NDArray[np.bool_]) -> "Contest":
        """The same contestants on some of the clips."""
        rows, words = np.flatnonzero(mask), np.flatnonzero(mask[self.table.word_clip])
        return Contest(
            self.table.select(mask),
            {name: _draw_scores(scores, rows, words) for name, scores in self.scores.items()},
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """Figures of one contestant on all clips, and on every resample of speakers.

    Args:
        value: by figure
        draws: by figure, shape ``(num_draws,)``; the same resamples for all contestants
    """

    value: Mapping[str, float]
    draws: Mapping[str, Values]


def judge(contest: Contest, *, num_draws: int, seed: int = 0) -> dict[str, Drawn]:
    """Compute every figure of every contestant, resampling whole speakers."""
    table = contest.table
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(table.group == name) for name in np.unique(table.group)]
    words = np.split(
        np.arange(len(table.word_clip)),
        np.searchsorted(table.word_clip, np.arange(1, table.num_clips)),
    )
    samples = [np.arange(table.num_clips)]
    for chosen in rng.integers(len(members), size=(num_draws, len(members))):
        samples.append(np.concatenate([members[index] for index in chosen]))
    truth = truth_of(table)
    found: dict[str, list[list[float]]] = {name: [] for name in contest.scores}
    for rows in samples:
        drawn_words = np.concatenate([words[row] for row in rows])
        drawn = _draw_truth(truth, rows, drawn_words)
        for name, scores in contest.scores.items():
            found[name].append(_figures(drawn, _draw_scores(scores, rows, drawn_words)))
    return {name: _drawn(np.array(rows)) for name, rows in found.items()}


def print_figures(drawn: Mapping[str, Drawn], figures: Sequence[str]) -> None:
    """One line for each contestant that has one of the figures."""
    _print_head("", figures)
    for name, item in drawn.items():
        cells = [_shown(item.value[key], item.draws[key]) for key in figures]
        if any(cell != "–" for cell in cells):
            print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def print_differences(
    drawn: Mapping[str, Drawn], ours: str, others: Iterable[str], figures: Sequence[str]
) -> None:
    """How far one contestant is ahead of others on the same resamples."""
    _print_head(f"{ours} −", figures)
    first = drawn[ours]
    for name in others:
        other = drawn[name]
        cells = [
            _shown(first.value[key] - other.value[key], first.draws[key] - other.draws[key], "+")
            for key in figures
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def _print_head(title: str, figures: Sequence[str]) -> None:
    print(f"| {title} | " + " | ".join(TITLES[key] for key in figures) + " |")
    print("|---|" + "---:|" * len(figures))


def _shown(value: float, draws: Values, sign: str = "") -> str:
    known = draws[np.isfinite(draws)]
    if not np.isfinite(value) or not len(known):
        return "–"
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _figures(truth: Truth, scores: Scores) -> list[float]:
    metrics = evaluate(truth, scores)
    values = [getattr(metrics, name) for name in TITLES]
    return [np.nan if value is None else float(value) for value in values]


def _drawn(rows: Values) -> Drawn:
    columns = dict(zip(TITLES, rows.T, strict=True))
    return Drawn(
        value={name: float(column[0]) for name, column in columns.items()},
        draws={name: column[1:] for name, column in columns.items()},
    )


def _draw_truth(truth: Truth, rows: Rows, words: Rows) -> Truth:
    wrong = None if truth.word_wrong is None else np.asarray(truth.word_wrong)[words]
    return Truth(
        np.asarray(truth.errors)[rows],
        np.asarray(truth.words)[rows],
        np.asarray(truth.duration_s)[rows],
        wrong,
    )


def _draw_scores(scores: Scores, rows: Rows, words: Rows) -> Scores:
    return Scores(
        scores.wer[rows],
        scores.errors[rows],
        None if scores.low is None else scores.low[rows],
        None if scores.high is None else scores.high[rows],
        None if scores.word_probabilities is None else scores.word_probabilities[words],
    )
