"""How long the library takes to search many clips.

    python -m benchmarks.library_search [--clips 100000] [--repeats 5]

Fills a database with made-up clips, two assessments each and a review for every tenth, and prints
the median time of a page of 50 rows for every kind of search.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from storage.database import Database
from storage.repositories.search import Query, find_clips

_FILL = (
    """INSERT INTO clips SELECT sha256(i::VARCHAR), 'clip ' || i || '.wav', 'upload', 320000,
    'wav', 'pcm_s16le', 16000, 1, 8000, random() * 60, NULL,
    TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND, NULL, NULL FROM range($n) t(i)""",
    """INSERT INTO hypotheses (id, clip_id, engine, model, version, language, text,
    transcript_json, speech_json, created_at)
    SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR), 'pocketsphinx',
    'en-us', '5', 'en', repeat('words that were said number ' || i || ' ', 5), repeat('x', 3000),
    '[]', TIMESTAMP '2026-01-01' FROM range($n) t(i)""",
    """INSERT INTO assessments SELECT k::VARCHAR || lpad(i::VARCHAR, 25, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), 'e', 'pocketsphinx', 's', '{}', repeat('y', 1500), '{}',
    random(), 0.1, 0.9, 3, false, 10, TIMESTAMP '2026-01-01' FROM range($n) t(i), range(2) u(k)""",
    """INSERT INTO jobs SELECT lpad(i::VARCHAR, 26, '0'), 'assess', sha256(i::VARCHAR), 'done', '',
    1, 1, '{}', NULL, NULL, NULL, TIMESTAMP '2026-01-01', NULL, NULL, NULL
    FROM range($n) t(i)""",
    """INSERT INTO reviews SELECT lpad(i::VARCHAR, 26, '0'), sha256(i::VARCHAR),
    lpad(i::VARCHAR, 26, '0'), NULL, 'ann', 'correct', 'fixed words ' || i, NULL, 'basic-1', 5, 1,
    1, 0, 0.3, 10, 1, 0, 0.1, 'audit', TIMESTAMP '2026-01-01', 'desk' FROM range(0, $n, 10) t(i)""",
)
_QUERIES = {
    "newest": Query(),
    "longest": Query(sort="longest"),
    "worst flagged": Query(is_flagged=True, threshold=0.3, sort="worst"),
    "not reviewed, by name, page 101": Query(is_reviewed=False, sort="name", offset=5000),
    "text": Query(text="number 777"),
}


def main() -> int:
    """Fill, search and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="werkbench-search-") as folder,
        Database(Path(folder) / "werkbench.duckdb") as database,
    ):
        database.migrate()
        with database.session() as session:
            for statement in _FILL:
                numbered = statement.replace("$n", str(options.clips))
                session.connection().exec_driver_sql(numbered)
        for name, query in _QUERIES.items():
            times_s = []
            for _ in range(options.repeats):
                start = time.perf_counter()
                with database.session() as session:
                    _, total = find_clips(session, query)
                times_s.append(time.perf_counter() - start)
            print(f"{name:32} {1000 * statistics.median(times_s):6.0f} ms, {total} found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
