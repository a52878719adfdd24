r"""Which clips next: what review finds, and what it teaches, under the queue's policy and others.

    python -m benchmarks.review_policy --model models/quality-whisper-whisper-demo \
        [--draws 200] [--seeds 3] [--picture FILE.png] [--skip-learning]

Replays review with the references of the corpus as the reviewer. First, an estimator's held-out
speakers wait in the queue: the share of all errors found, against the minutes of audio reviewed,
with 95 % intervals that resample speakers. The queue draws with the product's own code. Then the
training speakers wait without any estimator: a first one learns from 50 reviews, chosen with the
audio-only estimator as the product does, chooses the next 50 with what it learnt, and so on; all
are judged on the held-out speakers, beside estimators that learnt from clips drawn evenly.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qe_core.config import RetrainSettings, ReviewSettings, bundled_path
from qe_core.estimation.builtin import examples_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Scores, evaluate
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.monitoring.sampling import draw, errors_per_second

SEED = 20260101
BUDGETS = (0.05, 0.1, 0.2, 0.3, 0.5)
SIZES = (50, 100, 200, 500, 1000)
FIGURES = ("er20", "ner20", "spearman", "mae")
QUEUE = "queue 70/15/15"
UNIFORM = "drawn evenly"
WORST_ONLY, WITH_AUDITS, MORE_AUDITS = "queue 100/0/0", "queue 85/0/15", "queue 50/0/50"
SHARES: Mapping[str, ReviewSettings] = {
    QUEUE: ReviewSettings(),
    WORST_ONLY: ReviewSettings(share_expected_errors=1, share_uncertain=0, share_audit=0),
    WITH_AUDITS: ReviewSettings(share_expected_errors=0.85, share_uncertain=0, share_audit=0.15),
    MORE_AUDITS: ReviewSettings(share_expected_errors=0.5, share_uncertain=0, share_audit=0.5),
    UNIFORM: ReviewSettings(share_expected_errors=0, share_uncertain=0, share_audit=1),
}
LEARNING = (QUEUE, WITH_AUDITS, MORE_AUDITS, UNIFORM)
ANY_RESULT = TrainingPlan(min_clips=1, min_spearman=-1.0)

Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Clips in the queue, what is expected of them and what is true."""

    yields: Values
    widths: Values
    errors: Values
    duration_s: Values
    group: npt.NDArray[np.str_]


def main() -> None:
    """Replay, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=bundled_path("models", "quality-whisper-whisper-demo")
    )
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--skip-learning", action="store_true")
    arguments = parser.parse_args()
    begun_s = time.perf_counter()
    estimator = Estimator.load(arguments.model)
    table = TrainingTable.load(examples_of(arguments.model)).own
    held_out = table.select(table.is_held_out)
    orders = orders_of(estimator, held_out)
    print_recall(orders, waiting_of(estimator, held_out), arguments.draws)
    if not arguments.skip_learning:
        print_learning(table, arguments.seeds, arguments.model)
    if arguments.picture is not None:
        draw_picture(orders, waiting_of(estimator, held_out), arguments.picture)
    print(f"\n{time.perf_counter() - begun_s:.0f} s")


def waiting_of(estimator: Estimator, table: TrainingTable) -> Waiting:
    """The clips of a table as the queue would see them."""
    scores = score_table(estimator, table)
    seconds = table.duration_s.astype(np.float64)
    low = scores.wer if scores.low is None else scores.low
    high = scores.wer if scores.high is None else scores.high
    return Waiting(
        yields=errors_per_second(scores.errors.astype(np.float64), seconds),
        widths=(high - low).astype(np.float64),
        errors=table.num_errors.astype(np.float64),
        duration_s=seconds,
        group=table.group,
    )


Order = Callable[[Rows], Rows]
"""Puts clips, given as row numbers that may repeat, into the order in which they are reviewed."""


def orders_of(estimator: Estimator, table: TrainingTable) -> Mapping[str, Order]:
    """Every way to choose clips, by name; ways with chance in them draw anew every time."""
    waiting = waiting_of(estimator, table)
    rng = np.random.default_rng(SEED)
    orders: dict[str, Order] = {
        "oracle": partial(_by, errors_per_second(waiting.errors, waiting.duration_s)),
        **{
            name: partial(_drawn, waiting, settings, rng)
            for name, settings in SHARES.items()
            if name != UNIFORM
        },
    }
    for name, feature in {
        "lowest mean confidence first": "confidence_mean",
        "lowest avg_logprob first": "avg_logprob",
    }.items():
        column = table.features[:, table.feature_names.index(feature)].astype(np.float64)
        # Clips without the figure have no words: as doubtful as any.
        orders[name] = partial(_by, -np.where(np.isfinite(column), column, -np.inf))
    orders["random"] = rng.permutation
    confidence = table.features[:, table.feature_names.index("confidence_mean")]
    orders["highest mean confidence first"] = partial(
        _by, np.where(np.isfinite(confidence), confidence, -np.inf).astype(np.float64)
    )
    return orders


def recall(waiting: Waiting, ordered: Rows, budget: float) -> float:
    """Share of all errors in the first part of the audio; the last clip counts in part."""
    seconds = np.concatenate([[0.0], np.cumsum(waiting.duration_s[ordered])])
    found = np.concatenate([[0.0], np.cumsum(waiting.errors[ordered])])
    return float(np.interp(budget * seconds[-1], seconds, found) / found[-1])


def print_recall(orders: Mapping[str, Order], waiting: Waiting, num_draws: int) -> None:
    """The share of errors found for every budget, and how far the queue is ahead."""
    minutes = waiting.duration_s.sum() / 60
    print(
        f"{len(waiting.errors):,} clips of held-out speakers, {minutes:.0f} minutes, "
        f"{waiting.errors.sum():.0f} errors\n"
    )
    names = list(orders)
    rows = np.arange(len(waiting.errors))
    # One replay of what is drawn by lot is chance: the middle of twenty says more.
    known = np.mean([_recalls(orders, waiting, rows) for _ in range(20)], axis=0)
    rng = np.random.default_rng(SEED)
    members = [np.flatnonzero(waiting.group == name) for name in np.unique(waiting.group)]
    resampled = np.array(
        [
            _recalls(orders, waiting, np.concatenate([members[index] for index in chosen]))
            for chosen in rng.integers(len(members), size=(num_draws, len(members)))
        ]
    )
    heads = [f"{budget:.0%} ({budget * minutes:.1f} min)" for budget in BUDGETS]
    print("| share of all errors found in | " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * len(BUDGETS))
    for index, name in enumerate(names):
        _print_interval(name, known[index], resampled[:, index])
    ours = names.index(QUEUE)
    for name in names:
        if name in (QUEUE, "oracle"):
            continue
        index = names.index(name)
        _print_interval(
            f"{QUEUE} − {name}",
            known[ours] - known[index],
            resampled[:, ours] - resampled[:, index],
        )


def print_learning(table: TrainingTable, num_seeds: int, model: Path) -> None:
    """How good an estimator from scratch becomes, by number of reviews and by who chose them."""
    held_out, pool = table.select(table.is_held_out), table.select(~table.is_held_out)
    tasks = [(name, seed) for seed in range(num_seeds) for name in LEARNING]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        figures = processes.map(partial(learn, pool, held_out), *zip(*tasks, strict=True))
        made = dict(zip(tasks, figures, strict=True))
    found = {name: [made[name, seed] for seed in range(num_seeds)] for name in LEARNING}
    print(
        f"\nFrom scratch, {pool.num_clips:,} clips of other speakers waiting; mean ± standard "
        f"deviation of {num_seeds} runs\n"
    )
    print("| reviews | chosen by | " + " | ".join(FIGURES) + " |")
    print("|---|---|" + "---:|" * len(FIGURES))
    for index, size in enumerate(SIZES):
        for name, runs in found.items():
            _print_line(str(size), name, np.array([run[index] for run in runs]))
    ours = score_table(Estimator.load(model), held_out)
    everything = _figures(held_out, ours)
    _print_line(f"{pool.num_clips:,}", "all (built in)", np.array([everything]))


def learn(
    pool: TrainingTable, held_out: TrainingTable, name: str, seed: int
) -> list[tuple[float, ...]]:
    """Figures on held-out speakers after every size of :data:`SIZES`, each trained from scratch."""
    settings = SHARES[name]
    rng = np.random.default_rng(seed)
    judge = Estimator.load(bundled_path("models", "quality-audio-only"))
    chosen: list[int] = []
    propensities: list[float] = []
    figures = []
    for size in SIZES:
        waiting = waiting_of(judge, pool)
        left = np.setdiff1d(np.arange(pool.num_clips), chosen)
        while len(chosen) < size:
            drawn = draw(waiting.yields[left], waiting.widths[left], settings, rng)
            chosen.append(int(left[drawn.index]))
            propensities.append(drawn.propensity)
            left = np.delete(left, drawn.index)
        # Selecting keeps the order of the table: the weights have to follow.
        weight = np.zeros(pool.num_clips, np.float32)
        weight[chosen] = _weights(propensities)
        reviews = replace(pool, weight=weight).select(np.array(sorted(chosen), np.intp))
        judge = train_on_table(
            reviews, kind="transcript", engine="simulated", seed=seed, plan=ANY_RESULT
        )
        figures.append(_figures(held_out, score_table(judge, held_out)))
    return figures


def draw_picture(orders: Mapping[str, Order], waiting: Waiting, path: Path) -> None:
    """Error recall against minutes of review, as a picture."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("Agg")
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    budgets = np.linspace(0, max(BUDGETS), 101)
    minutes = budgets * waiting.duration_s.sum() / 60
    rows = np.arange(len(waiting.errors))
    for name, order in orders.items():
        replays = [order(rows) for _ in range(20)]
        curves = [[recall(waiting, item, budget) for budget in budgets] for item in replays]
        width = 2.5 if name == QUEUE else 1.2
        axes.plot(minutes, 100 * np.mean(curves, axis=0), label=name, linewidth=width)
    axes.set_xlabel("minutes of audio reviewed")
    axes.set_ylabel("share of all errors found (%)")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def _by(ranking: Values, rows: Rows) -> Rows:
    return rows[np.argsort(-ranking[rows], kind="stable")]


def _drawn(
    waiting: Waiting, settings: ReviewSettings, rng: np.random.Generator, rows: Rows
) -> Rows:
    """The order of a queue that is drawn from until half of its audio is reviewed."""
    left, ordered = rows, []
    budget_s = max(BUDGETS) * waiting.duration_s[rows].sum()
    while len(left) and budget_s > 0:
        drawn = draw(waiting.yields[left], waiting.widths[left], settings, rng)
        ordered.append(left[drawn.index])
        budget_s -= waiting.duration_s[left[drawn.index]]
        left = np.delete(left, drawn.index)
    return np.concatenate([np.array(ordered, np.intp), left])


def _recalls(orders: Mapping[str, Order], waiting: Waiting, rows: Rows) -> Values:
    """Shape ``(num_orders, num_budgets)``."""
    ordered = [order(rows) for order in orders.values()]
    return np.array([[recall(waiting, item, budget) for budget in BUDGETS] for item in ordered])


def _print_interval(name: str, values: Values, draws: Values) -> None:
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    cells = [
        f"{value:.3f} [{lower:.3f}, {upper:.3f}]"
        for value, lower, upper in zip(values, low, high, strict=True)
    ]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _weights(propensities: Sequence[float]) -> npt.NDArray[np.float32]:
    """Clipped inverse propensities, as the product weighs its reviews."""
    highest = RetrainSettings().max_propensity_weight
    inverse = np.minimum(1 / np.array(propensities), highest)
    return np.asarray(inverse / inverse.mean(), np.float32)


def _figures(table: TrainingTable, scores: Scores) -> tuple[float, ...]:
    metrics = evaluate(truth_of(table), scores)
    return tuple(float(getattr(metrics, name) or 0.0) for name in FIGURES)


def _print_line(size: str, name: str, rows: Values) -> None:
    cells = [
        f"{mean:.3f} ± {spread:.3f}" if len(rows) > 1 else f"{mean:.3f}"
        for mean, spread in zip(rows.mean(axis=0), rows.std(axis=0), strict=True)
    ]
    print(f"| {size} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
