"""What the alert rules look at, from audits and drift as values."""

import pytest

from qe_core.monitoring.drift import ColumnDrift, TooFewClips
from storage.repositories.vitals import AuditedClip
from workbench.drift import COVERAGE, OUTCOME, DriftReport, FeatureDrift, Period
from workbench.readings import as_gauges, audit_readings, drift_readings

NOTHING = Period(None, None, 0)


def audits(number: int, *, per_recording: int = 1) -> list[AuditedClip]:
    """Ten words each; every recording has four errors too many or none, estimates say two."""
    return [
        AuditedClip(
            clip_id=str(index),
            errors=4 * (index // per_recording % 2),
            words=10,
            expected_errors=2.0,
            low=0.0,
            high=0.3,
            recording=str(index // per_recording),
        )
        for index in range(number)
    ]


def row(name: str, num_moved: int) -> FeatureDrift:
    drifted = ColumnDrift(name, 100, 100, 0.1, 0.2, 0.1, is_alert=num_moved > 0)
    return FeatureDrift(name, name, "", drifted, num_moved=num_moved, num_windows=3)


def report(*rows: FeatureDrift) -> DriftReport:
    outcomes = tuple(one for one in rows if one.is_outcome)
    inputs = tuple(one for one in rows if not one.is_outcome)
    too_few = None if rows else TooFewClips(0, 0, 30, 8)
    return DriftReport(NOTHING, NOTHING, outcomes, inputs, None, too_few, (), (), True, 1000)


def test_bias_and_coverage_of_audits() -> None:
    found = audit_readings(audits(40))
    assert found["audit_residual"] == pytest.approx(0.0)
    assert found["interval_coverage"] == pytest.approx(0.5)
    high = found["interval_coverage_high"]
    assert high is not None
    assert 0.5 < high < 0.7


@pytest.mark.parametrize(("number", "per_recording"), [(19, 1), (45, 5)])
def test_too_few_audits_or_recordings_say_nothing(number: int, per_recording: int) -> None:
    assert audit_readings(audits(number, per_recording=per_recording)) == {}


def test_audits_without_a_word_say_nothing() -> None:
    silent = [AuditedClip(str(n), 0, 0, 0.0, 0.0, 0.0, str(n)) for n in range(30)]
    assert audit_readings(silent) == {}


def test_clips_of_one_recording_widen_the_intervals() -> None:
    alone, together = audit_readings(audits(80)), audit_readings(audits(80, per_recording=4))
    for name in ("audit_residual_high", "interval_coverage_high"):
        wide, narrow = together[name], alone[name]
        assert wide is not None
        assert narrow is not None
        assert wide > 1.1 * narrow


def test_a_move_in_a_single_window_is_no_alarm() -> None:
    found = drift_readings(report(row(OUTCOME, 1), row(COVERAGE, 3), row("level_dbfs", 1)))
    assert found == {"outcome_moved": 0.0, "inputs_moved": 0}


def test_a_move_in_two_windows_is_an_alarm() -> None:
    rows = (row(OUTCOME, 2), row("level_dbfs", 2), row("duration_s", 3), row("decay_s", 1))
    assert drift_readings(report(*rows)) == {"outcome_moved": 1.0, "inputs_moved": 2}


def test_drift_that_cannot_be_told_is_no_reading() -> None:
    assert drift_readings(report()) == {}


def test_every_known_signal_is_a_gauge_and_what_waits_is_one_metric() -> None:
    gauges = as_gauges({"stream_wer": 0.2, "jobs_waiting": 3.0})
    assert [gauge.name for gauge in gauges] == ["werkbench_stream_wer"]
    assert gauges[0].samples[0].value == pytest.approx(0.2)
