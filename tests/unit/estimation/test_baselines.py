import numpy as np
import pytest

from qe_core.estimation.baselines import fit_curves, score_baselines


def test_a_baseline_gets_the_scale_that_fits() -> None:
    confidence = np.linspace(0, 1, 101, dtype=np.float32)
    curves = fit_curves(confidence[:, None], ["confidence_mean"], 0.8 * (1 - confidence))
    guessed = curves["mean confidence"](np.array([0.25, 0.5], np.float32))
    assert guessed == pytest.approx([0.6, 0.4], abs=0.02)


def test_clips_without_the_feature_get_their_own_mean() -> None:
    confidence = np.array([0.1, 0.5, 0.9, np.nan, np.nan], np.float32)
    wer = np.array([0.8, 0.4, 0.1, 1.0, 1.0], np.float32)
    curve = fit_curves(confidence[:, None], ["confidence_mean"], wer)["mean confidence"]
    assert curve(np.array([np.nan], np.float32))[0] == pytest.approx(1.0)


def test_a_feature_that_nobody_reports_says_the_mean() -> None:
    wer = np.array([0.2, 0.4, np.nan], np.float32)
    curve = fit_curves(np.full((3, 1), np.nan, np.float32), ["avg_logprob"], wer)["avg_logprob"]
    assert curve(np.array([0.5, np.nan], np.float32)) == pytest.approx([0.3, 0.3])


def test_only_baselines_with_their_feature_guess() -> None:
    assert set(fit_curves(np.zeros((3, 1), np.float32), ["snr_db"], np.ones(3, np.float32))) == {
        "random"
    }


def test_duration_reviews_the_longest_clips_first_and_random_any() -> None:
    duration_s = np.array([1, 5, 3], np.float32)
    features = duration_s[:, None]
    curves = fit_curves(features, ["duration_s"], np.array([0.1, 0.2, 0.3], np.float32))
    scores = score_baselines(
        curves, features, ["duration_s"], words=np.ones(3, np.float32), duration_s=duration_s
    )
    assert list(np.argsort(-scores["duration"].errors / duration_s)) == [1, 2, 0]
    assert np.ptp(scores["random"].errors / duration_s) == 0
