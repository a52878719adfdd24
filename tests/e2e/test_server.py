"""The server as a process: its address, its limits, its end."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from qe_core.config import bundled_path

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
MB = 1024 * 1024


@contextmanager
def started(data_dir: Path, *arguments: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """``werkbench serve`` on its way up; gone at the end."""
    environment = {key: value for key, value in os.environ.items() if "WERKBENCH" not in key}
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "serve", "--no-browser", *arguments],
        cwd=ROOT,
        env={
            **environment,
            "WERKBENCH_DATA_DIR": str(data_dir),
            "WERKBENCH_ENGINE__NAME": "pocketsphinx",
            **variables,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address_of(process: "subprocess.Popen[str]") -> str:
    for line in process.stderr or ():
        found = re.search(r"is ready: (\S+)", line)
        if found:
            return found[1]
    pytest.fail("The server ended before it was ready.")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server") / "data"
    with started(folder, "--port", "0", WERKBENCH_AUDIO__MAX_UPLOAD_MB="1") as process:
        yield address_of(process)


def sample() -> bytes:
    return bundled_path("sample_audio", "bank_hotline.wav").read_bytes()


def test_pages_api_and_health_answer_on_one_port(url: str) -> None:
    assert httpx.get(url).status_code == 200
    assert httpx.get(f"{url}/healthz").text == "ok\n"
    assert httpx.get(f"{url}/readyz", timeout=30).json() == {"ready": True, "obstacles": []}
    assert "werkbench_jobs" in httpx.get(f"{url}/metrics").text
    assert httpx.get(f"{url}/api/docs").status_code == 200


def test_clip_is_played_in_ranges(url: str) -> None:
    place = httpx.post(f"{url}/api/v1/clips", content=sample(), timeout=30).headers["location"]
    part = httpx.get(f"{url}{place}/audio", headers={"range": "bytes=0-3"})
    # The sample is a telephone's mu-law, which not every browser plays.
    assert (part.status_code, part.content) == (206, b"fLaC")


def test_prediction_comes_back(url: str) -> None:
    answer = httpx.post(f"{url}/api/v1/predict", content=sample(), timeout=30)
    assert answer.status_code == 200
    assert answer.json()["flagged"] in (True, False)


def test_declared_size_over_the_limit_is_refused_before_it_is_sent(url: str) -> None:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST /api/v1/clips HTTP/1.1\r\nHost: {host}\r\nContent-Length: {4000 * MB}\r\n\r\n"
            "only a beginning".encode()
        )
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413 ")


def test_stream_over_the_limit_is_refused(url: str) -> None:
    num_sent = 0

    def long() -> Iterator[bytes]:
        nonlocal num_sent
        while num_sent < 1000:
            num_sent += 1
            yield bytes(MB)

    # The server closes the door while the client is still sending; whether the client gets to
    # read the answer is a matter of luck.
    with contextlib.suppress(httpx.TransportError):
        assert httpx.post(f"{url}/api/v1/clips", content=long(), timeout=30).status_code == 413
    assert num_sent < 100


def test_foreign_host_is_refused(url: str) -> None:
    answer = httpx.get(f"{url}/api/v1/clips", headers={"host": "evil.example"})
    assert answer.status_code == 421


def test_taken_port_is_named(url: str, tmp_path: Path) -> None:
    port = url.rpartition(":")[2]
    with started(tmp_path / "data", "--port", port) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f":{port} cannot be listened on" in errors
    assert "--port" in errors


def test_second_server_on_the_same_data_says_so(tmp_path: Path) -> None:
    with (
        started(tmp_path / "data", "--port", "0") as first,
        started(tmp_path / "elsewhere", "--port", "0") as other,
    ):
        address_of(first)
        address_of(other)
        with started(tmp_path / "data", "--port", "0") as second:
            _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "Traceback" not in errors
    assert errors.strip()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_when_it_is_told_to(tmp_path: Path, stop: signal.Signals) -> None:
    with started(tmp_path / "data", "--port", "0") as process:
        address_of(process)
        process.send_signal(stop)
        process.communicate(timeout=20)
    assert not (tmp_path / "data" / "werkbench.duckdb.wal").exists()
