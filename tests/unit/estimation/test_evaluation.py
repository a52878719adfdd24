import numpy as np
import pytest

from qe_core.estimation.evaluation import (
    Scores,
    Truth,
    area_under_generalised_risk,
    calibration_bins,
    error_recall,
    evaluate,
    word_auc,
    word_calibration_error,
    word_cross_entropy,
)


def _truth(errors: list[int], words: list[int], duration_s: list[float]) -> Truth:
    return Truth(np.array(errors), np.array(words), np.array(duration_s))


def _scores(wer: list[float], errors: list[float]) -> Scores:
    return Scores(np.array(wer, np.float32), np.array(errors, np.float32))


def test_error_recall_counts_errors_in_the_audio_reviewed_first() -> None:
    # 10 s in all; the first clip takes 2 s, half of the second fits into a budget of 4 s.
    errors, duration_s = np.array([5, 4, 1]), np.array([2.0, 4.0, 4.0])
    assert error_recall(errors, duration_s, np.array([3, 2, 1]), 0.2) == pytest.approx(0.5)
    assert error_recall(errors, duration_s, np.array([3, 2, 1]), 0.4) == pytest.approx(0.7)
    assert error_recall(errors, duration_s, np.array([3, 2, 1]), 1.0) == pytest.approx(1.0)


def test_error_recall_of_a_constant_ranking_is_the_budget() -> None:
    assert error_recall(
        np.array([5, 0, 1]), np.array([1.0, 2.0, 3.0]), np.zeros(3), 0.3
    ) == pytest.approx(0.3)


def test_error_recall_does_not_depend_on_the_order_of_equal_clips(rng: np.random.Generator) -> None:
    errors, duration_s = rng.integers(0, 9, 40), rng.uniform(1, 9, 40)
    ranking, order = rng.integers(0, 4, 40), rng.permutation(40)
    assert error_recall(errors, duration_s, ranking, 0.2) == pytest.approx(
        error_recall(errors[order], duration_s[order], ranking[order], 0.2)
    )


def test_no_errors_no_recall() -> None:
    assert error_recall(np.zeros(3), np.ones(3), np.ones(3), 0.5) == 0


def test_the_oracle_reaches_one_and_random_reaches_zero() -> None:
    truth = _truth([4, 0, 1, 0, 0], [5, 5, 5, 5, 5], [2.0, 2.0, 2.0, 2.0, 2.0])
    oracle = evaluate(truth, _scores([0.8, 0, 0.2, 0, 0], [4, 0, 1, 0, 0]))
    random = evaluate(truth, _scores([0.2] * 5, [1] * 5))
    assert oracle.er20 == oracle.er20_oracle == pytest.approx(0.8)
    assert oracle.ner20 == pytest.approx(1.0)
    assert random.er20 == pytest.approx(0.2)
    assert random.ner20 == pytest.approx(0.0)
    assert random.spearman == 0


def test_generalised_risk_by_hand() -> None:
    # Accepted in the order 0, 1, 2: errors over all words 0, 0.1, 0.5 at 0.2, 0.5, 1 of the words.
    truth = _truth([0, 1, 4], [2, 3, 5], [1.0, 1.0, 1.0])
    area = area_under_generalised_risk(truth, np.array([0.1, 0.2, 0.3]))
    assert area == pytest.approx(0.3 * 0.05 + 0.5 * 0.3)


def test_a_better_order_has_a_lower_generalised_risk() -> None:
    truth = _truth([0, 1, 4], [2, 3, 5], [1.0, 1.0, 1.0])
    good = area_under_generalised_risk(truth, np.array([0.1, 0.2, 0.3]))
    bad = area_under_generalised_risk(truth, np.array([0.3, 0.2, 0.1]))
    assert good is not None
    assert bad is not None
    assert good < bad


def test_errors_of_the_prediction_by_hand() -> None:
    truth = _truth([1, 1], [2, 8], [1.0, 4.0])
    metrics = evaluate(truth, _scores([0.7, 0.125], [1.4, 1]))
    assert metrics.mae == pytest.approx(0.1)
    assert metrics.mae_words == pytest.approx(0.04)
    assert metrics.rmse == pytest.approx(np.sqrt(0.02))
    assert metrics.pooled_wer == pytest.approx(0.2)
    assert metrics.predicted_pooled_wer == pytest.approx(0.24)


def test_clips_without_words_have_no_wer_but_their_errors_can_be_found() -> None:
    truth = _truth([2, 1, 0], [0, 4, 4], [1.0, 1.0, 1.0])
    metrics = evaluate(truth, _scores([1.0, 0.25, 0.0], [2, 1, 0]))
    assert metrics.num_clips == 3
    assert metrics.mae == pytest.approx(0)
    assert metrics.er50 == pytest.approx(2.5 / 3)


def test_only_empty_references_leave_the_rates_undefined() -> None:
    metrics = evaluate(_truth([1], [0], [1.0]), _scores([1.0], [1.0]))
    assert metrics.pooled_wer is None
    assert metrics.mae is None
    assert metrics.rmse is None
    assert metrics.augrc is None
    assert metrics.calibration_error is None


def test_coverage_is_the_share_of_rates_inside_their_interval() -> None:
    scores = Scores(
        np.array([0.5, 0.5], np.float32),
        np.array([5, 5], np.float32),
        np.array([0.0, 0.6], np.float32),
        np.array([0.5, 0.9], np.float32),
    )
    metrics = evaluate(_truth([0, 5], [10, 10], [1.0, 1.0]), scores)
    assert metrics.coverage == pytest.approx(0.5)
    assert metrics.interval_width == pytest.approx(0.4)


def test_a_calibrated_prediction_has_no_calibration_error() -> None:
    errors, words = [1, 3, 5, 7], [10, 10, 10, 10]
    wer = [error / 10 for error in errors]
    metrics = evaluate(_truth(errors, words, [1.0] * 4), _scores(wer, [1.0, 3.0, 5.0, 7.0]))
    assert metrics.calibration_error == pytest.approx(0, abs=1e-6)
    assert metrics.spearman == pytest.approx(1)


def test_calibration_bins_hold_all_clips_with_words_in_order() -> None:
    truth = _truth([1] * 25, [0] + [10] * 24, [1.0] * 25)
    bins = calibration_bins(truth, _scores(list(np.linspace(0, 1, 25)), [1.0] * 25))
    assert len(bins) == 10
    assert sum(item.num_clips for item in bins) == 24
    assert [item.predicted_wer for item in bins] == sorted(item.predicted_wer for item in bins)
    assert bins[0].actual_wer == pytest.approx(0.1)


def test_word_auc_by_hand() -> None:
    assert word_auc(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.5, 0.1])) == pytest.approx(0.75)
    assert word_auc(np.array([1, 1]), np.array([0.9, 0.4])) is None


def test_unknown_words_do_not_count_for_the_word_auc() -> None:
    truth = Truth(np.array([1]), np.array([2]), np.array([1.0]), np.array([1, 0, -1]))
    scores = Scores(
        np.array([0.5], np.float32),
        np.array([1.0], np.float32),
        word_probabilities=np.array([0.8, 0.2, 0.9], np.float32),
    )
    assert evaluate(truth, scores).word_auc == 1


def test_figures_are_ready_for_json() -> None:
    figures = evaluate(_truth([1, 0], [2, 2], [1.0, 1.0]), _scores([0.4, 0.1], [1, 0])).to_dict()
    assert figures["num_clips"] == 2
    assert {type(value) for value in figures.values()} <= {int, float, type(None)}


def test_cross_entropy_is_one_for_certain_knowledge_and_negative_for_certain_error() -> None:
    wrong = np.array([1, 0, 0, 1])
    assert word_cross_entropy(wrong, wrong.astype(np.float32)) == pytest.approx(1, abs=1e-4)
    assert (word_cross_entropy(wrong, 1.0 - wrong) or 0) < -1
    assert word_cross_entropy(np.ones(3), np.array([0.2, 0.5, 0.9])) is None
    assert word_cross_entropy(np.array([]), np.array([])) is None


def test_calibration_of_words_is_the_gap_between_what_is_said_and_what_is_found() -> None:
    wrong = np.array([0, 0, 0, 1] * 25)
    assert word_calibration_error(wrong, np.full(100, 0.25)) == pytest.approx(0.0, abs=0.06)
    assert word_calibration_error(wrong, np.full(100, 0.75)) == pytest.approx(0.5)
    assert word_calibration_error(np.array([]), np.array([])) is None
