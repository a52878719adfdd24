"""A budget is spent on the worst first, and says what that leaves."""

import numpy as np
import pytest

from qe_core.monitoring.budget import Groups, plan, threshold_for

GROUPS = Groups(
    wer=np.array([np.inf, 0.8, 0.4, 0.1]),
    duration_s=np.array([60.0, 120.0, 240.0, 180.0]),
    errors=np.array([10.0, 50.0, 30.0, 10.0]),
    words=np.array([10.0, 100.0, 200.0, 190.0]),
)


@pytest.mark.parametrize(
    ("minutes", "threshold"), [(0.0, 0.81), (2.9, 0.81), (3.0, 0.8), (7.5, 0.4), (99.0, 0.1)]
)
def test_the_threshold_spends_the_budget_and_no_more(minutes: float, threshold: float) -> None:
    assert threshold_for(GROUPS, minutes, 1.0) == pytest.approx(threshold)


def test_slow_work_buys_less() -> None:
    assert threshold_for(GROUPS, 7.5, 2.0) == pytest.approx(0.8)


def test_a_plan_counts_what_rules_flag_at_any_threshold() -> None:
    found = plan(GROUPS, 0.8, 2.0)
    assert (found.minutes, found.share_of_errors) == (6.0, 0.6)
    assert found.share_of_audio == pytest.approx(0.3)
    assert found.wer == pytest.approx(0.2)
    assert found.residual_wer == pytest.approx(0.08)


def test_what_audits_found_is_what_remains() -> None:
    found = plan(GROUPS, 0.8, 2.0, wer=0.5)
    assert found.residual_wer == pytest.approx(0.2)


def test_an_empty_stream_promises_nothing() -> None:
    empty = Groups(*(np.array([]) for _ in range(4)))
    found = plan(empty, threshold_for(empty, 10.0, 1.0), 1.0)
    assert (found.share_of_errors, found.residual_wer, found.share_of_audio) == (None, None, 0.0)
