"""Drift is called at a bounded rate when there is none, and found when there is some."""

import time

import numpy as np
import pytest

from qe_core.config import DriftSettings
from qe_core.monitoring.drift import ColumnDrift, TooFewClips, Window, compare

FAST = DriftSettings(num_permutations=99)


def window(
    rng: np.random.Generator,
    num_clips: int = 60,
    num_columns: int = 6,
    shift: float = 0.0,
    clips_per_recording: int = 3,
) -> Window:
    """Columns whose values depend on the recording; only the first is shifted."""
    recording = np.arange(num_clips) // clips_per_recording
    columns = {}
    for column in range(num_columns):
        common = rng.normal(size=recording.max() + 1)[recording]
        columns[f"f{column}"] = common + rng.normal(size=num_clips) + (shift if column == 0 else 0)
    return Window(columns, recording.astype(str))


def rows(result: tuple[ColumnDrift, ...] | TooFewClips) -> tuple[ColumnDrift, ...]:
    assert not isinstance(result, TooFewClips)
    return result


def test_a_shifted_column_is_found_and_only_that_one() -> None:
    rng = np.random.default_rng(1)

    result = rows(compare(window(rng), window(rng, shift=2.5), FAST, rng))

    assert [row.name for row in result if row.is_alert] == ["f0"]
    assert result[0].shift == pytest.approx(2.5, abs=0.8)


def test_the_same_window_twice_never_alerts() -> None:
    rng = np.random.default_rng(2)
    once = window(rng)

    result = rows(compare(once, once, FAST, rng))

    assert not any(row.is_alert for row in result)
    assert [row.statistic for row in result] == [0.0] * 6
    assert [row.p_value for row in result] == [1.0] * 6


def test_an_alert_is_a_statistic_beyond_its_threshold() -> None:
    rng = np.random.default_rng(3)

    for shift in (0.0, 0.8, 2.0):
        for row in rows(compare(window(rng), window(rng, shift=shift), FAST, rng)):
            assert row.statistic is not None
            assert row.threshold is not None
            assert row.is_alert == (row.statistic > row.threshold)


def test_one_alert_among_twelve_columns_is_reachable_with_few_permutations() -> None:
    rng = np.random.default_rng(4)
    baseline, current = (window(rng, num_columns=12, shift=shift) for shift in (0.0, 5.0))

    assert rows(compare(baseline, current, FAST, rng))[0].is_alert


def test_too_few_clips_are_too_few_to_tell() -> None:
    rng = np.random.default_rng(5)

    result = compare(window(rng, num_clips=60), window(rng, num_clips=24), FAST, rng)

    assert result == TooFewClips(60, 24, FAST.min_clips, FAST.min_recordings)


def test_many_clips_of_few_recordings_are_too_few_to_tell() -> None:
    rng = np.random.default_rng(6)

    result = compare(window(rng), window(rng, clips_per_recording=20), FAST, rng)

    assert isinstance(result, TooFewClips)


def test_a_column_that_is_mostly_undefined_is_shown_but_not_judged() -> None:
    rng = np.random.default_rng(7)
    baseline, current = window(rng), window(rng, shift=9.0)
    current.columns["f0"][5:] = np.nan

    first, second, *_ = rows(compare(baseline, current, FAST, rng))

    assert (first.num_current, first.p_value, first.is_alert) == (5, None, False)
    assert second.p_value is not None


def test_a_column_that_is_never_defined_has_no_median() -> None:
    rng = np.random.default_rng(8)
    baseline, current = window(rng), window(rng)
    current.columns["f0"][:] = np.nan

    first = rows(compare(baseline, current, FAST, rng))[0]

    assert (first.current_median, first.shift) == (None, None)


def test_a_column_that_is_constant_in_the_baseline_can_still_drift() -> None:
    rng = np.random.default_rng(9)
    baseline, current = window(rng), window(rng)
    baseline.columns["f0"][:] = 0.0
    current.columns["f0"][:] = 1.0

    assert rows(compare(baseline, current, FAST, rng))[0].is_alert


def test_more_than_a_dozen_columns_are_refused() -> None:
    rng = np.random.default_rng(10)

    with pytest.raises(ValueError, match="13 columns; at most 12"):
        compare(window(rng, num_columns=13), window(rng, num_columns=13), FAST, rng)


def test_statistic_is_the_wasserstein_distance_in_interquartile_ranges() -> None:
    rng = np.random.default_rng(11)
    baseline, current = (window(rng, num_clips=40, clips_per_recording=1) for _ in range(2))
    values, others = baseline.columns["f0"], current.columns["f0"]
    low, high = np.quantile(values, [0.25, 0.75])

    row = rows(compare(baseline, current, FAST, rng))[0]

    expected = np.abs(np.sort(values) - np.sort(others)).mean() / (high - low)
    assert row.statistic == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("num_clips", [45, 120])
def test_without_drift_any_alert_at_all_is_as_rare_as_promised(num_clips: int) -> None:
    rng = np.random.default_rng(12)
    trials = 200

    alarms = sum(
        any(
            row.is_alert
            for row in rows(compare(window(rng, 150), window(rng, num_clips), DriftSettings(), rng))
        )
        for _ in range(trials)
    )

    # All columns are null, so the false discovery rate is the rate of any alert: 5 % promised,
    # and 9.5 % is three standard errors above that.
    assert alarms / trials <= 0.095


@pytest.mark.slow
def test_twenty_thousand_clips_are_compared_within_seconds() -> None:
    rng = np.random.default_rng(13)
    baseline, current = (window(rng, num_clips=10_000, num_columns=12) for _ in range(2))
    started = time.perf_counter()

    compare(baseline, current, DriftSettings(), rng)

    assert time.perf_counter() - started < 20
