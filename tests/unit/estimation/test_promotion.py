from dataclasses import replace

import numpy as np

from qe_core.config import RetrainSettings
from qe_core.estimation.evaluation import Metrics, Scores, Truth, evaluate
from qe_core.estimation.promotion import decide

SETTINGS = RetrainSettings(min_new_reviews=20, min_spearman=0.4, max_mae_increase=0.0)


def _metrics(*, spearman: float = 0.7, mae: float | None = 0.2) -> Metrics:
    truth = Truth(np.array([1, 0]), np.array([2, 2]), np.array([1.0, 1.0]))
    measured = evaluate(truth, Scores(np.array([0.4, 0.1], np.float32), np.ones(2, np.float32)))
    return replace(measured, spearman=spearman, mae=mae)


def _failed(champion: Metrics, challenger: Metrics, num_new_reviews: int = 25) -> list[str]:
    result = decide(champion, challenger, num_new_reviews=num_new_reviews, settings=SETTINGS)
    assert result.passed == all(condition.passed for condition in result.conditions)
    return [condition.name for condition in result.conditions if not condition.passed]


def test_a_better_challenger_with_enough_reviews_passes() -> None:
    assert _failed(_metrics(mae=0.2), _metrics(mae=0.19)) == []


def test_an_equal_challenger_passes() -> None:
    assert _failed(_metrics(), _metrics(), num_new_reviews=20) == []


def test_too_few_reviews_fail() -> None:
    assert _failed(_metrics(), _metrics(), num_new_reviews=19) == ["enough_reviews"]


def test_a_challenger_that_ranks_badly_fails() -> None:
    assert _failed(_metrics(), _metrics(spearman=0.39)) == ["spearman"]


def test_a_worse_challenger_fails() -> None:
    assert _failed(_metrics(mae=0.2), _metrics(mae=0.201)) == ["mae"]


def test_without_a_clip_to_compare_on_nothing_is_promoted() -> None:
    assert _failed(_metrics(mae=None), _metrics()) == ["mae"]
    assert _failed(_metrics(), _metrics(mae=None)) == ["mae"]


def test_every_condition_names_its_figures() -> None:
    result = decide(_metrics(mae=0.2), _metrics(mae=0.25), num_new_reviews=3, settings=SETTINGS)
    texts = [condition.text for condition in result.conditions]
    assert texts[0] == "3 new reviews are too few; at least 20 are needed."
    assert "Spearman 0.70" in texts[1]
    assert "0.250 is worse than the champion's 0.200" in texts[2]
