"""How long ``POST /api/v1/predict`` takes for 10 s clips, over a real socket to a real server.

    python -m benchmarks.predict_latency [--requests 200] [--max-p95-ms 100]

Starts ``werkbench serve`` with a data folder of its own, posts clips that are cut together from
``sample_audio``, first one after the other, then with 8 clients at once, and prints P50, P95
and the CPU time per request, which other programs on the machine change little.
"""

import argparse
import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np
import psutil
import soundfile as sf

from qe_core.audio import decode
from qe_core.config import AudioSettings, bundled_path
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

CLIP_S = 10
NUM_CLIENTS = 8
NUM_WARM_UP = 5
START_TIMEOUT_S = 120


def make_clips() -> list[bytes]:
    """Every sample clip, repeated or cut to ten seconds, as a 16-bit WAV file."""
    clips: list[bytes] = []
    for path in sorted(bundled_path("sample_audio").glob("*.*")):
        if path.suffix in {".md", ".jsonl"}:
            continue
        samples: FloatArray = decode(path, name=path.name, limits=AudioSettings()).samples
        file = io.BytesIO()
        ten_seconds = np.resize(samples, CLIP_S * SAMPLE_RATE_HZ)
        sf.write(file, ten_seconds, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
        clips.append(file.getvalue())
    return clips


@contextmanager
def running_server() -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own on a free port: its address and its process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,  # noqa: TID251  passed on, not read
            "WERKBENCH_DATA_DIR": folder,
            "WERKBENCH_ENGINE__NAME": "pocketsphinx",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "jobs.cli", "serve", "--port", "0", "--no-browser"],
            env=environment,
            cwd=Path(__file__).resolve().parent.parent,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield _address(server), psutil.Process(server.pid)
        finally:
            server.terminate()
            server.communicate(timeout=30)


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds so far: what a request costs even where other programs keep it waiting."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _address(server: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    for line in server.stderr or ():
        found = re.search(r"is ready: (\S+)", line)
        if found:
            return found[1]
        if time.monotonic() > deadline:
            break
    raise SystemExit("The server did not start.")


async def post_all(
    url: str, clips: list[bytes], *, num_requests: int, num_clients: int
) -> list[float]:
    """Milliseconds per request, every client sending the next one when the last was answered."""
    jobs = iter(islice(cycle(clips), num_requests))
    times_ms: list[float] = []

    async def work(client: httpx.AsyncClient) -> None:
        for clip in jobs:
            started = time.perf_counter()
            answer = await client.post("/api/v1/predict", content=clip)
            times_ms.append(1000 * (time.perf_counter() - started))
            answer.raise_for_status()

    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await asyncio.gather(*(work(client) for _ in range(num_clients)))
    return times_ms


def main() -> None:
    """Measure and print; exit code 1 when the sequential P95 is above the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--max-p95-ms", type=float, default=100.0)
    arguments = parser.parse_args()
    clips = make_clips()
    with running_server() as (url, process):
        asyncio.run(post_all(url, clips, num_requests=NUM_WARM_UP, num_clients=1))
        p95_ms = 0.0
        print(f"{arguments.requests} predictions of {CLIP_S} s clips, {os.cpu_count()} cores")
        for num_clients in (1, NUM_CLIENTS):
            started, cpu_s = time.perf_counter(), _cpu_s(process)
            times_ms = asyncio.run(
                post_all(url, clips, num_requests=arguments.requests, num_clients=num_clients)
            )
            elapsed_s = time.perf_counter() - started
            cpu_ms = 1000 * (_cpu_s(process) - cpu_s) / len(times_ms)
            p50, p95 = np.percentile(times_ms, [50, 95])
            p95_ms = p95_ms or float(p95)
            print(
                f"{num_clients} client{'s' if num_clients > 1 else ' '}: P50 {p50:6.1f} ms, "
                f"P95 {p95:6.1f} ms, {len(times_ms) / elapsed_s:5.1f} requests/s, "
                f"{cpu_ms:.0f} ms CPU each"
            )
    if p95_ms > arguments.max_p95_ms:
        raise SystemExit(f"P95 is above {arguments.max_p95_ms:g} ms.")


if __name__ == "__main__":
    main()
