import numpy as np
import pytest
import xgboost as xgb

from qe_core.estimation.boosting import Objective, Task, TreeSettings, fit
from qe_core.estimation.leaves import Leaves
from qe_core.types import FloatArray

_NUM_FEATURES = 6


@pytest.fixture(scope="module")
def clips() -> FloatArray:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(300, _NUM_FEATURES)).astype(np.float32)
    features[rng.random(features.shape) < 0.2] = np.nan
    return features


def _booster(features: FloatArray, objective: Objective, *, num_rounds: int = 40) -> xgb.Booster:
    known = np.nan_to_num(features)
    link = known[:, 0] - known[:, 1] * (known[:, 2] > 0)
    target = {
        "binary:logistic": (link > 0).astype(np.float32),
        "count:poisson": np.floor(np.exp(np.clip(link, -3, 3))),
        "reg:squarederror": link,
    }[objective]
    task = Task(
        features=features,
        target=np.asarray(target, np.float32),
        weight=np.ones(len(features), np.float32),
        margin=None,
        objective=objective,
        is_taught=np.ones(len(features), np.bool_),
    )
    return fit(task, num_rounds=num_rounds, settings=TreeSettings(max_depth=4), seed=3)


@pytest.mark.parametrize("objective", ["binary:logistic", "count:poisson", "reg:squarederror"])
def test_a_clip_gets_what_xgboost_says_of_it(clips: FloatArray, objective: Objective) -> None:
    booster = _booster(clips, objective)
    leaves = Leaves.of(booster)
    for row in clips[:20]:
        clip = xgb.DMatrix(row[None])
        said, added = leaves.look(clip)
        assert said == pytest.approx(float(booster.predict(clip, output_margin=True)[0]), abs=1e-5)
        # XGBoost's own, which take the means of all nodes anew with every call.
        theirs = booster.predict(clip, pred_contribs=True, approx_contribs=True)[0, :-1]
        np.testing.assert_allclose(added, theirs, atol=1e-5)
        assert np.abs(added).max() > 0.01


def test_a_margin_takes_the_place_of_the_base(clips: FloatArray) -> None:
    booster = _booster(clips, "count:poisson")
    clip = xgb.DMatrix(clips[:1], base_margin=np.array([1.5], np.float32))
    theirs = float(booster.predict(clip, output_margin=True)[0])
    assert Leaves.of(booster).look(clip, 1.5)[0] == pytest.approx(theirs, abs=1e-5)


def test_a_tree_that_asks_nothing_adds_nothing(clips: FloatArray) -> None:
    booster = xgb.train(
        {"objective": "reg:squarederror", "min_child_weight": 1e6, "nthread": 1},
        xgb.DMatrix(clips, np.ones(len(clips), np.float32)),
        num_boost_round=1,
    )
    clip = xgb.DMatrix(clips[:1])
    said, added = Leaves.of(booster).look(clip)
    assert said == pytest.approx(float(booster.predict(clip)[0]), abs=1e-5)
    np.testing.assert_array_equal(added, np.zeros(_NUM_FEATURES))
