"""What corrections do that read naturally and are wrong: what the gate lets through, what it costs.

    python -m benchmarks.retrain_poison RECOGNISED [--source SOURCE …] [--reviews 500] [--quick]

RECOGNISED is a recognised corpus as ``werkbench corpus`` or ``werkbench recognise`` writes it, for
poisons need the texts; features are kept beside it. Domain, queue and retraining are those of
``benchmarks.retrain_domain``. Poisoned are the corrections that teach and the audits that judge
alike:

- shuffled: every clip gets the correction of another one
- accepted: every hypothesis is accepted as it is
- replaced: every tenth word becomes another word of the corpus
- half shuffled, half accepted: by one person, every second clip at random
- one of two: one of two people shuffles, the other one is honest

The rows of a Markdown table end it: what the gate says, and what promotion would do to ER@20 and
MAE on speakers of the domain that nobody has heard, whose references are honest. Exit code 1 when
something is promoted that makes either of them clearly worse, by 2 points. ``--quick`` trains no
challenger: its table is of what the gate's condition ``heard`` looks at, and of what it says.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.retrain_domain import (
    Domain,
    print_gate,
    retrain,
    review,
    sources_of,
    train,
    verdict,
)
from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample, read_recognised
from qe_core.estimation.builtin import read_corpus
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Metrics, evaluate
from qe_core.estimation.examples_cache import load_examples
from qe_core.estimation.promotion import was_heard
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.trust import agreements

_HARM = 0.02
_HEAD = (
    "| new domain | corrections | gate | ER@20 before → after | MAE before → after |\n"
    "|---|---|---|---|---|"
)

_QUICK_HEAD = (
    "| new domain | corrections | sure words changed | doubtful words changed | length | heard |\n"
    "|---|---|---|---|---|---|"
)

Texts = list[str]
_Poison = Callable[[Sequence[TrainingExample], np.random.Generator], Texts]


def main() -> int:
    """Review, poison, retrain, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recognised", type=Path)
    parser.add_argument("--source", nargs="+")
    parser.add_argument("--reviews", type=int, default=500)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    corpus = read_corpus(options.recognised)
    examples = load_examples(list(read_recognised(options.recognised)), options.recognised.parent)
    rows, is_good = [_QUICK_HEAD if options.quick else _HEAD], True
    for source in options.source or sources_of(corpus.table):
        domain = Domain.of(corpus.table, source, corpus.engine, corpus.model)
        print(f"\n{source}: {domain.describe()}", flush=True)
        comes_in = (corpus.table.source == source) & ~corpus.table.is_held_out
        stream = [examples[row] for row in np.flatnonzero(comes_in)]
        for row, is_fine in _poisoned(domain, stream, options):
            rows.append(f"| {source} {row}")
            print(rows[-1], flush=True)
            is_good &= is_fine
    print("\n" + "\n".join(rows))
    return 0 if is_good else 1


def _poisoned(
    domain: Domain, stream: Sequence[TrainingExample], options: argparse.Namespace
) -> Iterator[tuple[str, bool]]:
    """A row for every poison, and whether it does no harm."""
    champion = train(domain, domain.base).estimator
    rng = np.random.default_rng(1)
    reviews = review(domain, champion, options.reviews, rng)
    drawn = [stream[row] for row in reviews.rows]
    two = ["ann" if row % 2 else "bob" for row in range(len(drawn))]
    for name, poison in _POISONS.items():
        corrected = _corrected(reviews.table, drawn, poison(drawn, rng))
        who = two if name == "one of two" else ["ann"] * len(drawn)
        if options.quick:
            yield f"| {name} | {_quick(champion, corrected, who)} |", True
            continue
        retrained = retrain(domain, champion, corrected, who)
        print_gate(name, retrained.gate)
        before, after = (_figures(one, domain) for one in (champion, retrained.estimator))
        mae = (before.mae or 0.0), (after.mae or 0.0)
        is_worse = before.er20 - after.er20 > _HARM or mae[1] - mae[0] > _HARM
        row = (
            f"| {name} | {verdict(retrained.gate)} | {before.er20:.3f} → {after.er20:.3f} | "
            f"{mae[0]:.3f} → {mae[1]:.3f} |"
        )
        yield row, not (retrained.gate.passed and is_worse)


def _quick(champion: Estimator, corrected: TrainingTable, who: Sequence[str]) -> str:
    settings = RetrainSettings()
    found = agreements(corrected, score_table(champion, corrected), who, settings=settings)
    if not found:
        return "– | – | – | too few"
    every = found[0]
    figures = [
        "–" if one is None else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"
        for one in (every.sure_changed, every.doubtful_changed, every.length)
    ]
    accused = [item.who for item in found if not was_heard([item], settings).passed]
    named = ", ".join("all together" if who is None else who for who in accused)
    return " | ".join((*figures, f"refused: {named}" if accused else "passes"))


def _figures(estimator: Estimator, domain: Domain) -> Metrics:
    return evaluate(truth_of(domain.unheard), score_table(estimator, domain.unheard))


def _corrected(
    reviews: TrainingTable, drawn: Sequence[TrainingExample], texts: Texts
) -> TrainingTable:
    """The same reviews with other corrections."""
    labels = TrainingTable.from_examples(
        [replace(one, reference=text) for one, text in zip(drawn, texts, strict=True)],
        schema=reviews.schema,
        feature_names=reviews.feature_names,
    )
    return replace(
        reviews,
        hits=labels.hits,
        substitutions=labels.substitutions,
        deletions=labels.deletions,
        insertions=labels.insertions,
        word_wrong=labels.word_wrong,
    )


def _honest(drawn: Sequence[TrainingExample], _rng: np.random.Generator) -> Texts:
    return [one.reference for one in drawn]


def _shuffled(drawn: Sequence[TrainingExample], rng: np.random.Generator) -> Texts:
    return [drawn[row].reference for row in rng.permutation(len(drawn))]


def _accepted(drawn: Sequence[TrainingExample], _rng: np.random.Generator) -> Texts:
    # Where nothing was written there is nothing to accept.
    return [one.transcript.text or one.reference for one in drawn]


def _replaced(drawn: Sequence[TrainingExample], rng: np.random.Generator) -> Texts:
    words = sorted({word for one in drawn for word in one.reference.split()})

    def replaced(text: str) -> str:
        return " ".join(
            str(rng.choice(words)) if rng.random() < 0.1 else word for word in text.split()
        )

    return [replaced(one.reference) for one in drawn]


def _half(poison: _Poison) -> _Poison:
    def half(drawn: Sequence[TrainingExample], rng: np.random.Generator) -> Texts:
        wrong, is_wrong = poison(drawn, rng), rng.random(len(drawn)) < 0.5
        return [
            text if bad else one.reference
            for one, text, bad in zip(drawn, wrong, is_wrong, strict=True)
        ]

    return half


def _one_of_two(drawn: Sequence[TrainingExample], rng: np.random.Generator) -> Texts:
    wrong = _shuffled(drawn, rng)
    return [wrong[row] if row % 2 else one.reference for row, one in enumerate(drawn)]


_POISONS: Mapping[str, _Poison] = {
    "honest": _honest,
    "shuffled": _shuffled,
    "accepted": _accepted,
    "replaced": _replaced,
    "half shuffled": _half(_shuffled),
    "half accepted": _half(_accepted),
    "one of two": _one_of_two,
}


if __name__ == "__main__":
    sys.exit(main())
