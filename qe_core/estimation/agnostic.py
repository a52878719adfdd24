"""Transcripts by recognisers that no estimator knows: what compares between recognisers, and how.

A confidence of 0.6 is sure for one recogniser and unsure for another, so an estimator that learnt
one scale fails on the other. What compares is where a score stands among the scores of the same
recogniser. That needs no reference, only clips that it has written: its profile.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from qe_core.asr.base import Progress
from qe_core.errors import TrainingError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import evaluate
from qe_core.estimation.profile import OWN_SCORES, EngineProfile
from qe_core.estimation.report import Line
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable

__all__ = [
    "comparable",
    "leave_one_engine_out",
    "pool",
    "pooled_profile",
]

_MIN_ENGINES = 2
# More clips of one recogniser say hardly anything new about others, and take long to learn from.
_MAX_TEACHING = 6_000


def comparable(table: TrainingTable, profile: EngineProfile | None = None) -> TrainingTable:
    """What of a table compares between recognisers.

    Args:
        table: transcripts by one recogniser
        profile: of the recogniser; that of the table itself by default

    Returns:
        the table without :data:`OWN_SCORES`, with ranks for :data:`RELATIVE`
    """
    profile = profile or EngineProfile.of(table.features, table.feature_names)
    names = [name for name in table.feature_names if name not in OWN_SCORES]
    ranked = replace(table, features=profile.ranks(table.features, table.feature_names))
    return ranked.with_features(names, table.schema)


def pool(tables: Mapping[str, TrainingTable]) -> TrainingTable:
    """Put the comparable tables of several recognisers together.

    Every recogniser has the same say, however many of its clips there are; of very many, a part
    teaches that is drawn once and for all. Each is a group of its own, so that cross-validation
    leaves out recognisers: the figures and the width of the intervals are those of a recogniser
    that is not known.

    Args:
        tables: transcripts by recogniser

    Raises:
        TrainingError: one recogniser alone teaches nothing about others
    """
    if len(tables) < _MIN_ENGINES:
        raise TrainingError(
            "Transcripts by one recogniser say nothing about other recognisers.",
            suggestion="Let others write the corpus, too: `werkbench recognise`.",
        )
    drawn = {name: _at_most(comparable(table)) for name, table in tables.items()}
    mean = sum(part.num_clips for part in drawn.values()) / len(drawn)
    parts = [
        replace(
            part,
            weight=(part.weight * mean / part.num_clips).astype(np.float32),
            group=np.full(part.num_clips, name),
        )
        for name, part in drawn.items()
    ]
    pooled = parts[0]
    for part in parts[1:]:
        pooled = pooled + part
    return pooled


def _at_most(table: TrainingTable) -> TrainingTable:
    """All clips that judge, and no more than so many that teach."""
    teaching = np.flatnonzero(~table.is_held_out)
    if len(teaching) <= _MAX_TEACHING:
        return table
    rng = np.random.default_rng(0)
    is_kept = table.is_held_out.copy()
    is_kept[rng.choice(teaching, _MAX_TEACHING, replace=False)] = True
    return table.select(is_kept)


def pooled_profile(tables: Mapping[str, TrainingTable]) -> EngineProfile:
    """What to take a recogniser for that has not written enough clips for a profile of its own.

    Args:
        tables: transcripts by recogniser

    Returns:
        the mean of all profiles, quantile by quantile
    """
    profiles = [EngineProfile.of(table.features, table.feature_names) for table in tables.values()]
    names = set(profiles[0].quantiles).intersection(*(item.quantiles for item in profiles))
    return EngineProfile(
        {
            name: tuple(
                float(value)
                for value in np.mean([item.quantiles[name] for item in profiles], axis=0)
            )
            for name in sorted(names)
        },
        sum(item.num_clips for item in profiles),
    )


def leave_one_engine_out(
    tables: Mapping[str, TrainingTable],
    families: Mapping[str, str],
    train: Callable[[TrainingTable], Estimator],
    *,
    on_progress: Progress | None = None,
) -> tuple[Line, ...]:
    """Train without a recogniser and judge on its held-out clips: what a cold start is worth.

    Args:
        tables: transcripts by recogniser
        families: the family of each recogniser; where there are several families, every recogniser
            is also judged without all of its family
        train: makes an estimator from a pooled table
        on_progress: told how far the work is

    Returns:
        one line for each recogniser and each way of leaving it out
    """
    ways = [
        (f"{name}, {how}", name, rest)
        for name in tables
        for how, rest in (
            ("without it", [other for other in tables if other != name]),
            (
                f"without any {families[name]}",
                [other for other in tables if families[other] != families[name]],
            ),
        )
        if len(rest) >= _MIN_ENGINES
    ]
    lines: list[Line] = []
    for index, (title, name, rest) in enumerate(ways):
        if on_progress is not None:
            on_progress(index / len(ways), title)
        estimator = train(pool({other: tables[other] for other in rest}))
        judged = comparable(tables[name])
        judged = judged.select(judged.is_held_out)
        lines.append(Line(title, evaluate(truth_of(judged), score_table(estimator, judged))))
    return tuple(lines)
