"""Twenty reviewers who claim clips at once: no clip is ever with two of them, and none is lost.

    python -m benchmarks.claims_race [--claims 1000] [--people 20]

Everybody draws a clip, holds it for a moment and gives it back, over and over. Prints how many
claims were made, how many met a clip that somebody else held, and whether all clips are free again.
"""

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qe_core.config import load_settings
from tests.stored_clips import store_clip
from workbench import review
from workbench.runtime import Runtime

_NUM_CLIPS = 50


def main() -> int:
    """Race and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=1000)
    parser.add_argument("--people", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="werkbench-race-") as folder:
        runtime = Runtime(load_settings(data_dir=Path(folder)))
        try:
            return _race(runtime, options.claims, options.people)
        finally:
            runtime.close()


def _race(runtime: Runtime, num_claims: int, num_people: int) -> int:
    for index in range(_NUM_CLIPS):
        store_clip(runtime, f"c{index}", expected_errors=float(index % 7))
    held: set[str] = set()
    lock = threading.Lock()
    num_clashes = num_made = 0

    def work(turn: int) -> None:
        nonlocal num_clashes, num_made
        task = review.next_clip(runtime, f"turn {turn}")
        if task is None:
            return
        with lock:
            num_made += 1
            num_clashes += task.clip.id in held
            held.add(task.clip.id)
        time.sleep(0)
        with lock:
            held.discard(task.clip.id)
        review.release(runtime, task.clip.id, task.claim_token)

    start = time.perf_counter()
    with ThreadPoolExecutor(num_people) as pool:
        list(pool.map(work, range(num_claims)))
    seconds = time.perf_counter() - start
    num_free = sum(item.claimed_by is None for item in review.queue(runtime, limit=2 * _NUM_CLIPS))
    print(
        f"{num_people} people made {num_made} of {num_claims} claims in {seconds:.1f} s: "
        f"{num_clashes} held twice; {num_free} of {_NUM_CLIPS} clips free at the end"
    )
    return int(num_clashes > 0 or num_made < num_claims or num_free < _NUM_CLIPS)


if __name__ == "__main__":
    sys.exit(main())
