"""The drift page's comparison of two windows."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from qe_core.config import load_settings
from qe_core.features import INFO
from storage.columns import utc_now
from storage.database import Session
from tests.stored_clips import add_clip
from workbench import drift
from workbench.drift import INPUTS, DriftReport
from workbench.runtime import Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path, drift={"num_permutations": 99}))
    yield opened
    opened.close()


def fill(
    runtime: Runtime,
    num_clips: int,
    *,
    days_ago: int,
    snr_db: float = 20.0,
    wer: float = 0.3,
    version: str = "1",
    seed: int = 1,
) -> None:
    """Store clips of one day: from its noon back, 86 seconds apart, whatever the time is now."""
    now = utc_now()
    since_noon = now - datetime.combine(now.date(), time(12), UTC)
    rng = np.random.default_rng(seed)

    def work(session: Session) -> None:
        for index in range(num_clips):
            features = {name: float(rng.normal()) for name in INPUTS}
            features["wada_snr_db"] = float(rng.normal(snr_db, 3.0))
            features["decay_s"] = float("nan")
            add_clip(
                session,
                f"{seed}-{days_ago}-{index}",
                days_ago=days_ago + since_noon / timedelta(days=1) + index / 1000,
                expected_errors=4 * float(np.clip(rng.normal(wer, 0.1), 0, None)),
                features=features,
                version=version,
            )

    runtime.database.write(work)


def alerts(report: DriftReport) -> list[str]:
    return [row.name for row in report.inputs if row.drift.is_alert]


def test_an_empty_installation_has_too_few_clips_to_tell(runtime: Runtime) -> None:
    report = drift.report(runtime)

    assert report.too_few is not None
    assert (report.outcome, report.inputs) == (None, ())
    assert (report.baseline.start, report.current.num_clips) == (None, 0)
    assert all(series.points == () for series in report.series)


def test_small_windows_are_charted_but_not_judged(runtime: Runtime) -> None:
    fill(runtime, 10, days_ago=1)

    report = drift.report(runtime)

    assert report.too_few is not None
    assert report.series[0].name == "predicted_wer"
    assert sum(point.num_clips for point in report.series[0].points) == 10


def test_noisier_clips_of_the_last_week_are_found(runtime: Runtime) -> None:
    fill(runtime, 40, days_ago=20)
    fill(runtime, 40, days_ago=1, snr_db=8.0, seed=2)

    report = drift.report(runtime)

    assert alerts(report) == ["wada_snr_db"]
    row = report.inputs[0]
    assert row.label == INFO["wada_snr_db"].label
    assert row.unit == "dB"
    assert row.drift.shift == pytest.approx(-12.0, abs=2.5)
    assert report.outcome is not None
    assert not report.outcome.drift.is_alert


def test_a_worse_outcome_is_found_apart_from_the_inputs(runtime: Runtime) -> None:
    fill(runtime, 40, days_ago=20)
    fill(runtime, 40, days_ago=1, wer=0.6, seed=2)

    report = drift.report(runtime)

    assert report.outcome is not None
    assert report.outcome.drift.is_alert
    assert alerts(report) == []


def test_a_feature_that_is_never_defined_is_shown_without_a_verdict(runtime: Runtime) -> None:
    fill(runtime, 80, days_ago=1)

    row = drift.report(runtime).inputs[-1]

    assert (row.name, row.drift.p_value, row.drift.baseline_median) == ("decay_s", None, None)


def test_while_everything_is_recent_the_newer_half_is_compared_with_the_older(
    runtime: Runtime,
) -> None:
    fill(runtime, 81, days_ago=1)

    report = drift.report(runtime)

    assert (report.baseline.num_clips, report.current.num_clips) == (40, 41)
    assert report.baseline.end is not None
    assert report.current.start is not None
    assert report.baseline.end < report.current.start
    assert alerts(report) == []


def test_windows_can_be_chosen_by_day(runtime: Runtime) -> None:
    today = utc_now().date()
    for days_ago in (30, 20, 10):
        fill(runtime, 5, days_ago=days_ago, seed=days_ago)
    days = [today - timedelta(days=count) for count in (31, 29, 21, 19)]

    both = drift.report(runtime, baseline=(days[0], days[1]), current=(days[2], days[3]))
    only_current = drift.report(runtime, current=(days[2], days[3]))
    only_baseline = drift.report(runtime, baseline=(days[0], days[1]))

    assert (both.baseline.num_clips, both.current.num_clips) == (5, 5)
    assert (only_current.baseline.num_clips, only_current.current.num_clips) == (5, 5)
    assert (only_baseline.baseline.num_clips, only_baseline.current.num_clips) == (5, 10)


def test_a_new_engine_version_begins_a_new_baseline(runtime: Runtime) -> None:
    fill(runtime, 40, days_ago=20, version="old")
    fill(runtime, 10, days_ago=1, seed=2)

    report = drift.report(runtime)

    assert report.num_left_out == 40
    assert report.too_few is not None


def test_charts_have_a_point_per_day_and_tell_the_windows_apart(runtime: Runtime) -> None:
    for days_ago in (22, 21, 20, 2, 1):
        fill(runtime, 20, days_ago=days_ago, seed=days_ago)

    points = drift.report(runtime).series[0].points

    assert [point.is_current for point in points] == [False] * 3 + [True] * 2
    assert all(0.2 < point.value < 0.4 for point in points)


def test_the_same_windows_give_the_same_verdict_at_every_look(runtime: Runtime) -> None:
    fill(runtime, 70, days_ago=1)

    assert drift.report(runtime) == drift.report(runtime)
