"""What a scrape and a look at the alert rules cost in a big installation.

    python -m benchmarks.metrics_cost [--clips 1000000] [--repeats 5]

Fills a database with made-up clips, an assessment and a finished job each, a review for every
twentieth clip (a third of them audits), and prints the median time of ``GET /metrics``, of the
signals that are measured every minute, and of those that look at every clip.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from qe_core.config import load_settings
from workbench import readings
from workbench.runtime import Runtime

_FILL = (
    """INSERT INTO clips SELECT sha256(i::VARCHAR), 'clip ' || i || '.wav', 'upload', 320000,
    'wav', 'pcm_s16le', 16000, 1, 8000, random() * 60, NULL,
    now()::TIMESTAMP - INTERVAL (i) SECOND, NULL, NULL FROM range($n) t(i)""",
    """INSERT INTO hypotheses (id, clip_id, engine, model, version, language, text,
    transcript_json, speech_json, created_at)
    SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR), 'pocketsphinx',
    'en-us', '5', 'en', 'words that were said number ' || i, '{}', '[]',
    now()::TIMESTAMP FROM range($n) t(i)""",
    """INSERT INTO assessments SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), 'e', 'pocketsphinx', 's', '{}',
    '{"expected_words": 12.5, "reasons": []}', '{}', random(), 0.1, 0.9, 3, false, 10,
    now()::TIMESTAMP - INTERVAL (i) SECOND FROM range($n) t(i)""",
    """INSERT INTO jobs SELECT lpad(i::VARCHAR, 26, '0'), 'assess', sha256(i::VARCHAR), 'done', '',
    1, 1, '{}', NULL, NULL, NULL, now()::TIMESTAMP - INTERVAL (i) SECOND, NULL, NULL,
    now()::TIMESTAMP - INTERVAL (i) SECOND FROM range($n) t(i)""",
    """INSERT INTO reviews SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), lpad(i::VARCHAR, 26, '0'), 'ann', 'correct', 'fixed words ' || i,
    NULL, 'basic-1', 9, 2, 1, 1, 0.3, 10, 1, 0, 0.1,
    CASE WHEN i % 60 = 0 THEN 'audit' ELSE 'expected_errors' END, now()::TIMESTAMP, 'desk'
    FROM range(0, $n, 20) t(i)""",
    """INSERT INTO queue_entries SELECT c.id,
    CASE WHEN r.clip_id IS NULL THEN 'open' ELSE 'done' END, NULL, c.file_name, c.source, 'en',
    NULL, '', 10, a.predicted_wer, a.low, a.high, 3, false, c.created_at
    FROM clips c JOIN assessments a ON a.clip_id = c.id
    LEFT JOIN reviews r ON r.clip_id = c.id""",
)


def main() -> int:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--without-slow", action="store_true", help="leave out what looks at every clip"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="werkbench-metrics-") as folder:
        runtime = Runtime(load_settings(data_dir=Path(folder)))
        try:
            with runtime.database.session() as session:
                for statement in _FILL:
                    query = statement.replace("$n", str(options.clips))
                    session.connection().exec_driver_sql(query)
            print(f"{options.clips} clips", flush=True)
            _report("GET /metrics", lambda: _scrape(runtime), options.repeats)
            _report("signals of a minute", lambda: readings.measure(runtime), options.repeats)
            if not options.without_slow:
                _report("signals over all clips", lambda: readings.measure_slow(runtime), 1)
        finally:
            runtime.close()
    return 0


def _report(name: str, work: Callable[[], object], repeats: int) -> None:
    times_s = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - start)
    print(f"{name:24} {1000 * statistics.median(times_s):8.0f} ms", flush=True)


def _scrape(runtime: Runtime) -> None:
    """Ask the route as Prometheus does, without the socket between them."""
    from starlette.applications import Starlette
    from starlette.types import Message

    from api.health import health_routes

    app = Starlette(routes=health_routes(lambda: runtime))
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "raw_path": b"/metrics",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"/metrics answered {message['status']}.")

    asyncio.run(app(scope, receive, send))


if __name__ == "__main__":
    sys.exit(main())
