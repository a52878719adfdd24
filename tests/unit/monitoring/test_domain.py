"""A classifier sees what single columns hide, and guesses when there is nothing to see."""

import numpy as np

from qe_core.config import DriftSettings
from qe_core.monitoring.domain import change_point, domain_auc
from qe_core.monitoring.drift import Window

SETTINGS = DriftSettings()


def window(rng: np.random.Generator, correlation: float, num_clips: int = 150) -> Window:
    """Two columns with the same distribution whatever their correlation."""
    first = rng.normal(size=num_clips)
    second = correlation * first + np.sqrt(1 - correlation**2) * rng.normal(size=num_clips)
    return Window({"a": first, "b": second}, (np.arange(num_clips) // 3).astype(str))


def test_columns_that_no_longer_go_together_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    found = domain_auc(window(rng, 0.9), window(rng, -0.9), SETTINGS, rng)
    assert found is not None
    assert found.is_alert
    assert found.auc > 0.8 > found.threshold


def test_without_a_difference_it_guesses() -> None:
    rng = np.random.default_rng(2)
    found = [domain_auc(window(rng, 0.5), window(rng, 0.5), SETTINGS, rng) for _ in range(12)]
    assert sum(one is not None and one.is_alert for one in found) <= 2


def test_small_or_empty_windows_are_not_judged() -> None:
    rng = np.random.default_rng(3)
    assert domain_auc(window(rng, 0.5), window(rng, 0.5, 9), SETTINGS, rng) is None
    blank = Window({"a": np.full(60, np.nan)}, np.arange(60).astype(str))
    assert domain_auc(blank, blank, SETTINGS, rng) is None


def test_what_is_missing_tells_windows_apart_too() -> None:
    rng = np.random.default_rng(4)
    baseline, current = window(rng, 0.0), window(rng, 0.0)
    current.columns["a"][::2] = np.nan
    found = domain_auc(baseline, current, SETTINGS, rng)
    assert found is not None
    assert found.is_alert


def test_the_change_is_found_where_it_is() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0, 1, 200), rng.normal(3, 1, 60)])
    values[::17] = np.nan
    found = change_point(values)
    assert found is not None
    assert abs(found - 200) <= 6


def test_one_value_has_no_change() -> None:
    assert change_point(np.array([np.nan, 1.0])) is None
