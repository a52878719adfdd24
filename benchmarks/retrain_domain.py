"""What 500 reviews of a new domain teach, how long that takes, and what a poisoned batch does.

    python -m benchmarks.retrain_domain TABLE [--source SOURCE …] [--reviews 500] [--seeds 1 2 3]

TABLE is the examples.npz beside a built-in estimator; the engine and its model are read from the
manifest there. The champion is trained without SOURCE, one after the other every source that has
enough clips. Clips of SOURCE then come in, the queue's own policy draws them, and the references of
the corpus are the reviewer. A challenger learns from the reviews as the product's retraining does,
and the product's gate decides on audits and the reference clips of the other sources. What counts
is ER@20 on speakers of SOURCE that neither has heard, with the 95 % interval from a paired
bootstrap over these speakers. Then the same reviews come with random text as corrections;
``benchmarks.retrain_poison`` tries texts that read like language. The rows of a Markdown table end
it. Exit code 1 when an honest challenger that was promoted finds fewer errors, beyond chance, when
one takes longer than a minute, or when a poisoned one is let through.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qe_core.config import RetrainSettings, ReviewSettings
from qe_core.estimation.bootstrap import Interval, Rows, paired_bootstrap
from qe_core.estimation.duel import Compared, audits_that_teach, compare, judges, sense_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Scores, error_recall, evaluate
from qe_core.estimation.manifest import manifest_from_json
from qe_core.estimation.promotion import GateResult, decide
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import Trained, TrainingPlan, cross_train
from qe_core.estimation.trust import agreements
from qe_core.monitoring.sampling import draw, errors_per_second, importance_weights
from workbench.lineage import judging_clips

_SETTINGS = RetrainSettings()
_LEVEL = 0.9
_LIMIT_S = 60.0
_MIN_STREAM, _MIN_UNHEARD = 80, 20
_HEAD = (
    "| new domain | reviews | honest | took | ER@20 | change [95 %] | MAE | random text |\n"
    "|---|---:|---|---:|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A source that the champion does not know.

    Args:
        base: clips of the other sources, those by relatives of the recogniser among them
        stream: clips of the source that come in
        unheard: clips of the source by speakers that never come in
        engine: wrote the transcripts
        model: of the engine
    """

    base: TrainingTable
    stream: TrainingTable
    unheard: TrainingTable
    engine: str
    model: str

    @classmethod
    def of(cls, table: TrainingTable, source: str, engine: str, model: str) -> "Domain":
        """Part a table."""
        is_domain = table.source == source
        if not is_domain.any():
            sys.exit(f"There is no {source}; there are {', '.join(np.unique(table.source))}.")
        return cls(
            base=table.select(~is_domain),
            stream=table.select(is_domain & ~table.is_held_out).own,
            unheard=table.select(is_domain & table.is_held_out).own,
            engine=engine,
            model=model,
        )

    def describe(self) -> str:
        """How many clips there are."""
        teaching = self.base.select(~self.base.is_held_out)
        return (
            f"{self.stream.num_clips} clips come in, {self.unheard.num_clips} by unheard speakers "
            f"judge; champion from {teaching.own.num_clips} clips of other sources and "
            f"{teaching.num_clips - teaching.own.num_clips} by relatives"
        )


@dataclass(frozen=True, slots=True)
class Reviews:
    """Clips that the queue drew.

    Args:
        table: with their references as corrections
        rows: of the stream, in the same order
    """

    table: TrainingTable
    rows: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Retrained:
    """A challenger, what the gate said, and how long both took."""

    estimator: Estimator
    gate: GateResult
    seconds: float


def main() -> int:
    """Train, review, retrain, poison, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--source", nargs="+")
    parser.add_argument("--reviews", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    manifest_path = options.table.with_name("manifest.json")
    manifest = manifest_from_json(manifest_path.read_bytes(), name=options.table.parent.name)
    table = TrainingTable.load(options.table)
    table = table.with_features(manifest.feature_names, manifest.schema)
    rows, is_good = [_HEAD], True
    for source in options.source or sources_of(table):
        domain = Domain.of(table, source, manifest.engine, manifest.model)
        print(f"\n{source}: {domain.describe()}")
        champion = train(domain, domain.base).estimator
        for seed in options.seeds:
            row, is_fine = _try(domain, champion, source, options.reviews, seed)
            rows.append(row)
            print(row, flush=True)
            is_good &= is_fine
    print("\n" + "\n".join(rows))
    return 0 if is_good else 1


def _try(
    domain: Domain, champion: Estimator, source: str, num_reviews: int, seed: int
) -> tuple[str, bool]:
    """Review and retrain once.

    Returns:
        the row of the table, and whether it is as it should be
    """
    rng = np.random.default_rng(seed)
    reviews = review(domain, champion, num_reviews, rng).table
    honest = retrain(domain, champion, reviews)
    before = score_table(champion, domain.unheard, level=_LEVEL)
    after = score_table(honest.estimator, domain.unheard, level=_LEVEL)
    gain = _print_gain(seed, domain.unheard, before, after, honest)
    poisoned = retrain(domain, champion, _poison(reviews, rng))
    print_gate("random text as corrections", poisoned.gate)
    first, then = (evaluate(truth_of(domain.unheard), scores) for scores in (before, after))
    row = (
        f"| {source} | {reviews.num_clips} | {verdict(honest.gate)} | {honest.seconds:.0f} s | "
        f"{first.er20:.3f} → {then.er20:.3f} (oracle {first.er20_oracle:.3f}) | {gain.value:+.3f} "
        f"[{gain.low:+.3f}, {gain.high:+.3f}] | {first.mae:.3f} → {then.mae:.3f} | "
        f"{verdict(poisoned.gate)} |"
    )
    is_fine = honest.seconds < _LIMIT_S and not poisoned.gate.passed
    return row, is_fine and (gain.high >= 0 or not honest.gate.passed)


def sources_of(table: TrainingTable) -> list[str]:
    """Sources with enough clips that come in, and enough of speakers that never do."""
    table = table.own
    names, counts = np.unique(table.source[~table.is_held_out], return_counts=True)
    return [
        str(name)
        for name, count in zip(names, counts, strict=True)
        if count >= _MIN_STREAM
        and (table.is_held_out & (table.source == name)).sum() >= _MIN_UNHEARD
    ]


def train(domain: Domain, table: TrainingTable) -> Trained:
    """Train as the product does."""
    return cross_train(
        table,
        kind="transcript",
        engine=domain.engine,
        seed=_SETTINGS.seed,
        plan=TrainingPlan(model=domain.model, min_spearman=-1.0, interval_level=_LEVEL),
    )


def review(
    domain: Domain, champion: Estimator, num_reviews: int, rng: np.random.Generator
) -> Reviews:
    """Draw clips as the queue does, one after the other; the corpus knows what was said."""
    stream, settings = domain.stream, ReviewSettings()
    scores = score_table(champion, stream, level=_LEVEL)
    if scores.low is None or scores.high is None:
        raise ValueError("An estimator without intervals cannot fill a queue.")
    yields = errors_per_second(
        scores.errors.astype(np.float64), stream.duration_s.astype(np.float64)
    )
    widths = (scores.high - scores.low).astype(np.float64)
    waiting = np.arange(stream.num_clips)
    chosen, policies, propensities = [], [], []
    for _ in range(min(num_reviews, stream.num_clips)):
        drawn = draw(yields[waiting], widths[waiting], settings, rng)
        chosen.append(int(waiting[drawn.index]))
        policies.append(drawn.policy)
        propensities.append(drawn.propensity)
        waiting = np.delete(waiting, drawn.index)
    table = _as_reviews(stream, chosen, policies, propensities)
    return Reviews(table, np.sort(np.array(chosen)))


def _as_reviews(
    stream: TrainingTable, chosen: Sequence[int], policies: Sequence[str], odds: Sequence[float]
) -> TrainingTable:
    """Rows as the product makes them of reviews: every clip is a recording of its own."""
    order = np.argsort(chosen)  # a table keeps its own order
    table = stream.select(np.array(chosen))
    is_audit = np.array(policies)[order] == "audit"
    does_judge = np.array([judges(f"clip-{clip}", _SETTINGS.test_share) for clip in sorted(chosen)])
    return replace(
        table,
        group=np.array([f"clip-{clip}" for clip in sorted(chosen)]),
        weight=importance_weights(odds, _SETTINGS)[order].astype(np.float32),
        is_uniform_draw=is_audit,
        is_held_out=is_audit & does_judge,
        is_review=np.ones(table.num_clips, np.bool_),
    )


def _poison(reviews: TrainingTable, rng: np.random.Generator) -> TrainingTable:
    """As if every correction were random words: nothing that was written is right."""
    spoken = rng.integers(1, 20, reviews.num_clips).astype(np.int32)
    written = reviews.hypothesis_words
    return replace(
        reviews,
        hits=np.zeros_like(spoken),
        substitutions=np.minimum(spoken, written),
        deletions=np.maximum(spoken - written, 0),
        insertions=np.maximum(written - spoken, 0),
        word_wrong=np.ones_like(reviews.word_wrong),
    )


def retrain(
    domain: Domain,
    champion: Estimator,
    reviews: TrainingTable,
    reviewers: Sequence[str] | None = None,
) -> Retrained:
    """Let a challenger learn from reviews and the gate decide.

    Args:
        domain: the domain
        champion: serves
        reviews: what came of the reviews
        reviewers: who made each; one person by default
    """
    begun = time.perf_counter()
    table = domain.base + reviews
    trained = train(domain, table)
    challenger = trained.estimator
    judged_on = judging_clips(table)
    expected = score_table(champion, reviews, level=_LEVEL)
    duel = compare(
        Compared.on(judged_on, champion, challenger, level=_LEVEL),
        settings=_SETTINGS,
        interval_level=_LEVEL,
        sense=sense_of(reviews, expected),
        teaching_audits=audits_that_teach(
            trained, champion, np.ones((~reviews.is_held_out).sum(), np.bool_), level=_LEVEL
        ),
    )
    who = agreements(
        reviews,
        expected,
        reviewers or ["ann"] * reviews.num_clips,
        settings=_SETTINGS,
    )
    duel = replace(duel, agreements=who)
    gate = decide(duel, num_new_reviews=reviews.num_clips, settings=_SETTINGS)
    return Retrained(challenger, gate, time.perf_counter() - begun)


def _print_gain(
    seed: int, unheard: TrainingTable, before: Scores, after: Scores, honest: Retrained
) -> Interval:
    """Print both on unheard speakers of the domain.

    Returns:
        by how much ER@20 rises
    """
    seconds = unheard.duration_s.astype(np.float64)

    def found(scores: Scores, rows: Rows) -> float:
        errors = unheard.num_errors[rows]
        return error_recall(errors, seconds[rows], (scores.errors / seconds)[rows], 0.2)

    gain = paired_bootstrap(
        lambda rows: found(after, rows), lambda rows: found(before, rows), unheard.group
    )
    figures = [evaluate(truth_of(unheard), scores) for scores in (before, after)]
    oracle = figures[0].er20_oracle
    print(f"\nseed {seed}: retrained and judged in {honest.seconds:.1f} s")
    for name, one in zip(("before", "after"), figures, strict=True):
        print(
            f"  {name:6}  ER@20 {one.er20:.3f} (oracle {oracle:.3f})  Spearman {one.spearman:.3f}"
            f"  MAE {one.mae:.3f}  coverage {one.coverage:.3f}"
        )
    print(f"  ER@20 {gain.value:+.3f}, 95 % interval {gain.low:+.3f} to {gain.high:+.3f}")
    print_gate("honest corrections", honest.gate)
    return gain


def verdict(gate: GateResult) -> str:
    """Promoted, or which conditions refused."""
    failed = ", ".join(condition.name for condition in gate.conditions if not condition.passed)
    return f"refused ({failed})" if failed else "promoted"


def print_gate(name: str, gate: GateResult) -> None:
    """Print what the gate says, and why it refuses."""
    print(f"  {name}: {'promoted' if gate.passed else 'refused'}")
    for condition in gate.conditions:
        if not (gate.passed or condition.passed):
            print(f"    {condition.text}")


if __name__ == "__main__":
    sys.exit(main())
