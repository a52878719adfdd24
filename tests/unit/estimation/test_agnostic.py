from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from qe_core.errors import TrainingError
from qe_core.estimation import agnostic
from qe_core.estimation.agnostic import comparable, leave_one_engine_out, pool
from qe_core.estimation.profile import OWN_SCORES, EngineProfile
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import train_on_table
from tests.unit.estimation.clips import PLAN


@pytest.fixture(scope="module")
def engines(table: TrainingTable) -> dict[str, TrainingTable]:
    """The same clips by recognisers that mean other things by the same confidence."""
    column = table.feature_names.index("confidence_mean")

    def scored(power: float) -> TrainingTable:
        features = table.features.copy()
        features[:, column] **= power
        return replace(table, features=features)

    return {"plain": scored(1.0), "timid": scored(6.0), "bold": scored(0.05)}


def test_a_profile_turns_scores_into_ranks_and_keeps_what_is_undefined() -> None:
    scores = np.array([[0.9], [0.1], [0.5], [np.nan]], np.float32)
    profile = EngineProfile.of(scores, ["confidence_mean"])
    ranks = profile.ranks(scores, ["confidence_mean"])[:, 0]
    assert ranks[:3].tolist() == pytest.approx([1.0, 0.0, 0.5])
    assert np.isnan(ranks[3])


def test_equal_scores_share_the_middle_of_their_ranks() -> None:
    scores = np.array([[0.0]] * 90 + [[1.0]] * 10, np.float32)
    ranks = EngineProfile.of(scores, ["low_confidence_share"]).ranks(
        np.array([[0.0], [0.5], [1.0]], np.float32), ["low_confidence_share"]
    )
    assert ranks[:, 0].tolist() == pytest.approx([0.45, 0.9, 0.95], abs=0.03)


def test_scores_beyond_the_profile_have_the_outermost_ranks() -> None:
    profile = EngineProfile.of(np.array([[0.4], [0.6]], np.float32), ["confidence_min"])
    ranks = profile.ranks(np.array([[0.0], [1.0]], np.float32), ["confidence_min"])
    assert ranks[:, 0].tolist() == [0.0, 1.0]


def test_what_is_no_score_stays_as_it_is(table: TrainingTable) -> None:
    profile = EngineProfile.of(table.features, table.feature_names)
    column = table.feature_names.index("duration_s")
    ranked = profile.ranks(table.features, table.feature_names)
    assert np.array_equal(ranked[:, column], table.features[:, column])


def test_recognisers_that_mean_other_things_become_alike(
    engines: dict[str, TrainingTable],
) -> None:
    plain, timid = comparable(engines["plain"]), comparable(engines["timid"])
    assert not OWN_SCORES & set(plain.feature_names)
    assert np.allclose(plain.features, timid.features, atol=0.03, equal_nan=True)


def test_of_very_many_clips_a_part_teaches_and_all_that_are_held_out_judge(
    engines: dict[str, TrainingTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agnostic, "_MAX_TEACHING", 40)
    held_out = np.arange(engines["plain"].num_clips) % 4 == 0
    tables = {name: replace(table, is_held_out=held_out) for name, table in engines.items()}
    pooled = pool(tables)
    assert (~pooled.is_held_out).sum() == 3 * 40
    assert pooled.is_held_out.sum() == 3 * held_out.sum()
    assert pooled.fingerprint == pool(tables).fingerprint


def test_every_recogniser_has_the_same_say(engines: dict[str, TrainingTable]) -> None:
    few = engines["timid"].select(np.arange(engines["timid"].num_clips) < 50)
    pooled = pool({"plain": engines["plain"], "timid": few})
    count = engines["plain"].num_clips
    assert pooled.weight[:count].sum() == pytest.approx(pooled.weight[count:].sum())


def test_one_recogniser_alone_is_refused(engines: dict[str, TrainingTable]) -> None:
    with pytest.raises(TrainingError, match="one recogniser"):
        pool({"plain": engines["plain"]})


@pytest.mark.slow
def test_a_recogniser_that_was_left_out_is_still_ranked(
    engines: dict[str, TrainingTable],
) -> None:
    families = {"plain": "one", "timid": "other", "bold": "other"}
    train = partial(
        train_on_table,
        kind="transcript",
        engine="any",
        seed=1,
        plan=replace(PLAN, model="any", num_folds=2),
    )
    seen: list[str] = []
    lines = leave_one_engine_out(
        engines, families, train, on_progress=lambda _, text: seen.append(text)
    )
    assert [line.name for line in lines] == [
        "plain, without it",
        "plain, without any one",
        "timid, without it",
        "bold, without it",
    ]
    assert seen == [line.name for line in lines]
    assert min(line.metrics.spearman for line in lines) > 0.5
