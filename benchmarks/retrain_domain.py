"""What 500 reviews of a new domain teach, how long that takes, and what a poisoned batch does.

    python -m benchmarks.retrain_domain TABLE --source SOURCE [--reviews 500] [--seeds 1 2 3]

TABLE is the examples.npz beside a built-in estimator; the engine and its model are read from the
manifest there. The champion is trained without SOURCE. Clips of SOURCE then come in, the queue's
own policy draws them, and the references of the corpus are the reviewer. A challenger learns from
the reviews as the product's retraining does, and the product's gate decides on the audits that are
held out and the reference clips of the other sources. What counts is ER@20 on speakers of SOURCE
that neither has heard, with the 95 % interval from a paired bootstrap over these speakers. Then
the same reviews come with random text as corrections. Exit code 1 when ER@20 does not rise, when
the honest challenger takes longer than a minute, or when a poisoned one is let through.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qe_core.config import RetrainSettings, ReviewSettings
from qe_core.estimation.bootstrap import Rows, paired_bootstrap
from qe_core.estimation.duel import compare, judges, sense_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Scores, error_recall, evaluate
from qe_core.estimation.manifest import Manifest, manifest_from_json
from qe_core.estimation.promotion import GateResult, decide
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.monitoring.sampling import draw, errors_per_second, importance_weights

_SETTINGS = RetrainSettings()
_LEVEL = 0.9
_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Domain:
    """A source that the champion does not know.

    Args:
        base: clips of the other sources
        stream: clips of the source that come in
        unheard: clips of the source by speakers that never come in
        manifest: of the built-in estimator, for the engine
    """

    base: TrainingTable
    stream: TrainingTable
    unheard: TrainingTable
    manifest: Manifest


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
    parser.add_argument("--source", required=True)
    parser.add_argument("--reviews", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    domain = _read(options.table, options.source)
    print(
        f"{options.source}: {domain.stream.num_clips} clips come in, "
        f"{domain.unheard.num_clips} by unheard speakers judge; champion from "
        f"{(~domain.base.is_held_out).sum()} clips of other sources"
    )
    champion = _train(domain, domain.base, seed=_SETTINGS.seed)
    before = score_table(champion, domain.unheard, level=_LEVEL)
    is_good = True
    for seed in options.seeds:
        rng = np.random.default_rng(seed)
        reviews = _review(domain, champion, options.reviews, rng)
        honest = _retrain(domain, champion, reviews)
        after = score_table(honest.estimator, domain.unheard, level=_LEVEL)
        gain = _print_gain(seed, domain.unheard, before, after, honest)
        poisoned = _retrain(domain, champion, _poison(reviews, rng))
        _print_gate("random text as corrections", poisoned.gate)
        is_good &= gain > 0 and honest.seconds < _LIMIT_S and not poisoned.gate.passed
    return 0 if is_good else 1


def _read(path: Path, source: str) -> Domain:
    table = TrainingTable.load(path).own
    manifest_path = path.with_name("manifest.json")
    is_domain = table.source == source
    if not is_domain.any():
        sys.exit(f"There is no {source}; there are {', '.join(np.unique(table.source))}.")
    return Domain(
        base=table.select(~is_domain),
        stream=table.select(is_domain & ~table.is_held_out),
        unheard=table.select(is_domain & table.is_held_out),
        manifest=manifest_from_json(manifest_path.read_bytes(), name=path.parent.name),
    )


def _train(domain: Domain, table: TrainingTable, *, seed: int) -> Estimator:
    return train_on_table(
        table,
        kind="transcript",
        engine=domain.manifest.engine,
        seed=seed,
        plan=TrainingPlan(model=domain.manifest.model, min_spearman=-1.0, interval_level=_LEVEL),
    )


def _review(
    domain: Domain, champion: Estimator, num_reviews: int, rng: np.random.Generator
) -> TrainingTable:
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
    return _as_reviews(stream, chosen, policies, propensities)


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


def _retrain(domain: Domain, champion: Estimator, reviews: TrainingTable) -> Retrained:
    begun = time.perf_counter()
    table = domain.base + reviews
    challenger = _train(domain, table, seed=_SETTINGS.seed)
    judged_on = table.select(table.is_held_out & table.is_uniform_draw)
    duel = compare(
        judged_on,
        score_table(champion, judged_on, level=_LEVEL),
        score_table(challenger, judged_on, level=_LEVEL),
        settings=_SETTINGS,
        interval_level=_LEVEL,
        sense=sense_of(reviews),
    )
    gate = decide(duel, num_new_reviews=reviews.num_clips, settings=_SETTINGS)
    return Retrained(challenger, gate, time.perf_counter() - begun)


def _print_gain(
    seed: int, unheard: TrainingTable, before: Scores, after: Scores, honest: Retrained
) -> float:
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
    _print_gate("honest corrections", honest.gate)
    return gain.value


def _print_gate(name: str, gate: GateResult) -> None:
    print(f"  {name}: {'promoted' if gate.passed else 'refused'}")
    for condition in gate.conditions:
        if not (gate.passed or condition.passed):
            print(f"    {condition.text}")


if __name__ == "__main__":
    sys.exit(main())
