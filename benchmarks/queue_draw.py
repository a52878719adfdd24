"""How long the next clip takes to draw and claim, with few and with many clips stored.

    python -m benchmarks.queue_draw [--clips 100 10000 100000] [--repeats 30]

Fills a database with made-up clips, each with a transcript and an estimate, a tenth of them
reviewed. Prints median and 95th percentile of asking for the next clip (draw, claim and everything
that the desk shows), of the same with a filter, and of saving a correction.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from qe_core.config import load_settings
from storage.database import Session
from workbench import review
from workbench.review import QueueFilter, ReviewTask
from workbench.runtime import Runtime

_TRANSCRIPT = (
    '{"segments": [{"start_s": 0, "end_s": 9, "text": "some words that were said"}], '
    '"language": "en", "engine": "pocketsphinx", "model": "en-us", "version": "5"}'
)
_ESTIMATE = (
    '{"expected_errors": 3, "expected_words": 30, "predicted_wer": 0.1, "low": 0.05, '
    '"high": 0.3, "interval_level": 0.9, "estimator": "e", "reasons": []}'
)
_FILL = (
    """INSERT INTO clips BY NAME SELECT sha256(i::VARCHAR) AS id, 'clip ' || i || '.wav'
    AS file_name, 'upload' AS source, 320000 AS size_bytes, 'wav' AS container,
    'pcm_s16le' AS codec, 16000 AS sample_rate_hz, 1 AS num_channels, 8000 AS bandwidth_hz,
    1 + random() * 60 AS duration_s,
    TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS created_at, 's' || (i % 50) AS speaker
    FROM range($n) t(i)""",
    """INSERT INTO hypotheses (id, clip_id, engine, model, version, language, text,
    transcript_json, speech_json, created_at)
    SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    'pocketsphinx', 'en-us', '5', 'en', 'some words that were said', '$transcript', '[]',
    TIMESTAMP '2026-01-01' FROM range($n) t(i)""",
    """INSERT INTO assessments SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), 'e', 'pocketsphinx', 's', '{}', '$estimate', '{}',
    random(), 0.1, 0.1 + random(), random() * 9, false, 10, TIMESTAMP '2026-01-01'
    FROM range($n) t(i)""",
    """INSERT INTO reviews SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), NULL, 'ann', 'correct', 'fixed words ' || i, NULL, 'basic-1', 5, 1,
    1, 0, 0.3, 10, 1, 0, 0.1, 'audit', TIMESTAMP '2026-01-01', 'desk'
    FROM range(0, $n, 10) t(i)""",
    """INSERT INTO queue_entries SELECT c.id, CASE WHEN r.id IS NULL THEN 'open' ELSE 'done' END,
    NULL, c.file_name, c.source, 'en', c.speaker, 'Noise.', c.duration_s, a.predicted_wer, a.low,
    a.high, a.expected_errors, false, c.created_at
    FROM clips c JOIN assessments a ON a.clip_id = c.id LEFT JOIN reviews r ON r.clip_id = c.id""",
)
_FILTER = QueueFilter(speaker="s7", max_duration_s=45.0)


def main() -> int:
    """Fill, draw, save and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    for num_clips in options.clips:
        with tempfile.TemporaryDirectory(prefix="werkbench-draw-") as folder:
            runtime = Runtime(load_settings(data_dir=Path(folder)))
            try:
                _measure(runtime, num_clips, options.repeats)
            finally:
                runtime.close()
    return 0


def _measure(runtime: Runtime, num_clips: int, repeats: int) -> None:
    def fill(session: Session) -> None:
        for statement in _FILL:
            numbered = statement.replace("$n", str(num_clips))
            numbered = numbered.replace("$transcript", _TRANSCRIPT).replace("$estimate", _ESTIMATE)
            session.connection().exec_driver_sql(numbered)

    runtime.database.write(fill)
    times: dict[str, list[float]] = {"next clip": [], "next by filter": [], "save": []}
    for turn in range(min(repeats, num_clips // 10)):
        name = f"person {turn % 20}"
        is_filtered = turn % 2 == 1
        wanted = _FILTER if is_filtered else QueueFilter()
        start = time.perf_counter()
        task = review.next_clip(runtime, name, wanted=wanted)
        times["next by filter" if is_filtered else "next clip"].append(time.perf_counter() - start)
        if task is None:
            continue
        start = time.perf_counter()
        _save(runtime, task, name)
        times["save"].append(time.perf_counter() - start)
    for what, times_s in times.items():
        ordered = sorted(times_s)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
        print(
            f"{num_clips:7} clips  {what:15} median {1000 * statistics.median(ordered):6.1f} ms, "
            f"p95 {1000 * p95:6.1f} ms"
        )


def _save(runtime: Runtime, task: ReviewTask, name: str) -> None:
    review.submit(
        runtime,
        task.clip.id,
        reviewer=name,
        claim_token=task.claim_token,
        verdict="correct",
        text="some words that were really said",
    )


if __name__ == "__main__":
    sys.exit(main())
