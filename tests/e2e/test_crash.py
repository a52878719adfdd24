"""kill -9 while something is written: nothing acknowledged is lost, nothing is half there.

``CRASH_TIMES=20`` kills more often; ``python -m benchmarks.crash`` prints what came of it.
"""

import os
import socket
from pathlib import Path

import pytest

from benchmarks.crash import SPANS_S, run_act, serves

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.timeout(1200),
]

TIMES = int(os.environ.get("CRASH_TIMES", "2"))


@pytest.mark.parametrize("act", list(SPANS_S))
def test_a_kill_loses_nothing_that_was_acknowledged(act: str, tmp_path: Path) -> None:
    result = run_act(act, tmp_path / "data", times=TIMES, span_s=SPANS_S[act])
    assert result.problems == ()
    assert result.num_acknowledged > 0
    assert serves(tmp_path / "data", _free_port())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
