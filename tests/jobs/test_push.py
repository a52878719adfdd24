"""What a batch leaves at a Pushgateway; the real one is asked in ``tests/e2e``."""

import pytest

from jobs.push import BatchRun, push_run


def test_a_run_counts_what_happened() -> None:
    run = BatchRun()
    run.add(0.4, 3.0, is_flagged=True)
    run.add(0.1, 2.0, is_flagged=False)
    assert (run.predicted_wers, run.audio_s, run.num_flagged) == ([0.4, 0.1], 5.0, 1)


def test_without_a_gateway_nothing_is_left_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    push_run(None, BatchRun())
    assert capsys.readouterr() == ("", "")


@pytest.mark.enable_socket
@pytest.mark.e2e
def test_a_gateway_that_is_not_there_costs_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    push_run("http://127.0.0.1:9", BatchRun())
    assert "could not be left at metrics.pushgateway_url" in capsys.readouterr().err
