"""kill -9 during upload, transcription, save and retrain: is anything lost or half there?

    python -m benchmarks.crash [--times 20] [--acts upload save …] [--serve]

A process does one of these for ever and acknowledges every success on its standard output. It is
killed at a random moment, started again on the same data folder, and so on. After every kill the
data folder is opened as the app opens it, and all of it is checked: what had been acknowledged is
there, nothing is half there, and it serves again.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from benchmarks.crash_acts import ACTS, REVIEWER, settings_for, start
from qe_core.errors import WerkbenchError
from qe_core.estimation.estimator import Estimator
from storage.database import Session
from storage.repositories import clips, drafts, events, hypotheses, jobs, models, reviews
from workbench import library
from workbench.runtime import Runtime

__all__ = ["SPANS_S", "ActResult", "check", "main", "run_act", "serves"]

_ROOT = Path(__file__).resolve().parents[1]
_READY_TIMEOUT_S = 240.0
# The kill comes within this time after the process is ready.
SPANS_S = {"upload": 1.5, "transcription": 6.0, "save": 3.0, "retrain": 20.0}
_SETTLE_TIMEOUT_S = 300.0
_NUM_JOBS_AT_END = {"upload": 2, "transcription": 8, "save": 2, "retrain": 100}


@dataclass
class Acknowledged:
    """What a person was told that it is safe."""

    clips: set[str] = field(default_factory=set)
    assessed: set[str] = field(default_factory=set)
    drafts: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)

    def add(self, line: str) -> None:
        """Take in one line of a process's output; a line cut off by the kill counts for nothing."""
        kind, *words = line.rstrip("\n").split("\t")
        if not line.endswith("\n"):
            return
        if kind == "clip":
            self.clips.add(words[0])
        elif kind == "assessed":
            self.assessed.add(words[0])
        elif kind == "draft":
            self.drafts[words[0]] = words[1]
        elif kind == "review":
            self.reviews[words[0]] = words[1]
        elif kind == "version":
            self.versions.add(words[0])

    def __len__(self) -> int:
        parts = (self.clips, self.assessed, self.drafts, self.reviews, self.versions)
        return sum(len(part) for part in parts)


@dataclass(frozen=True)
class ActResult:
    """What came of one act.

    Args:
        act: what was killed
        num_kills: how often
        num_acknowledged: things that had been acknowledged
        num_swept: kills after which something unfinished had to be cleared away
        problems: what was missing or half there; nothing, one hopes
    """

    act: str
    num_kills: int
    num_acknowledged: int
    num_swept: int
    problems: tuple[str, ...]


def run_act(act: str, data_dir: Path, *, times: int, span_s: float, seed: int = 1) -> ActResult:
    """Kill an act several times and check the data folder after each time.

    Args:
        act: one of :data:`benchmarks.crash_acts.ACTS`
        data_dir: shared by all rounds; new at first
        times: how often to kill
        span_s: the kill comes at a random moment within this time, s
        seed: of the moments
    """
    rng = np.random.default_rng(seed)
    told = Acknowledged()
    problems: list[str] = []
    num_swept = 0
    for number in range(times):
        # Every other training dies while it stores its model, if it gets there in time.
        marker = "saving" if act == "retrain" and number % 2 else None
        _kill_once(act, data_dir, told, float(rng.uniform(0.0, span_s)), marker=marker)
        num_swept += _has_leftovers(data_dir)
        problems += [f"{act}, kill {number + 1}: {text}" for text in check(data_dir, told)]
    problems += [f"{act}, at the end: {text}" for text in _go_on(act, data_dir, told)]
    return ActResult(act, times, len(told), num_swept, tuple(problems))


def check(data_dir: Path, told: Acknowledged) -> list[str]:
    """Open a data folder as the app does and look at all of it.

    Returns:
        what is missing or half there, in plain words
    """
    try:
        runtime = Runtime(settings_for(str(data_dir)))
    except WerkbenchError as error:
        return [f"it does not open: {error.message}"]
    try:
        with runtime.database.session() as session:
            problems = [
                *_check_clips(runtime, session, told),
                *_check_assessments(session, told),
                *_check_reviews(session, told),
                *_check_models(runtime, session, told),
            ]
        library.search(runtime, sort="worst")
        runtime.estimator()
        with runtime.database.session() as session:
            if events.list_recent(session, kind="champion_damaged"):
                problems.append("the champion was damaged")
        return problems
    finally:
        runtime.close()


def serves(data_dir: Path, port: int) -> bool:
    """Whether the app starts on a data folder and answers that it is healthy and ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "serve", "--no-browser", "--port", str(port)],
        cwd=_ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(data_dir),
            "WERKBENCH_DATA_DIR": str(data_dir),
            "WERKBENCH_ENGINE__NAME": "pocketsphinx",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < end and process.poll() is None:
            try:
                for path in ("healthz", "readyz"):
                    url = f"http://127.0.0.1:{port}/{path}"
                    urllib.request.urlopen(url, timeout=5).close()
            except OSError:
                time.sleep(0.3)
            else:
                return True
        return False
    finally:
        process.kill()
        process.wait()


class _Victim:
    """A process that does an act, and what it says."""

    def __init__(self, act: str, data_dir: Path, told: Acknowledged, marker: str | None) -> None:
        self.ready, self.marked = threading.Event(), threading.Event()
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.crash", "--child", act, "--data-dir", str(data_dir)],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        listeners = (self._listen, (told, marker)), (self._listen_for_errors, ())
        self._threads = [threading.Thread(target=work, args=values) for work, values in listeners]
        for thread in self._threads:
            thread.start()

    def kill(self) -> bool:
        """Kill it; says whether it had still been alive."""
        is_alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        return is_alive

    def _listen(self, told: Acknowledged, marker: str | None) -> None:
        if self.process.stdout is None:
            return
        with self.process.stdout as lines:
            for line in lines:
                told.add(line)
                if line.startswith("ready"):
                    self.ready.set()
                if marker is not None and line.startswith(marker):
                    self.marked.set()

    def _listen_for_errors(self) -> None:
        if self.process.stderr is not None:
            with self.process.stderr as lines:
                self.errors.extend(lines)


def _kill_once(
    act: str, data_dir: Path, told: Acknowledged, after_s: float, *, marker: str | None
) -> None:
    victim = _Victim(act, data_dir, told, marker)
    end = time.monotonic() + _READY_TIMEOUT_S
    while not victim.ready.wait(0.05) and time.monotonic() < end:
        if victim.process.poll() is not None:
            break
    if marker is None:
        time.sleep(after_s)
    else:
        victim.marked.wait(_READY_TIMEOUT_S)
        time.sleep(after_s % 1.5)
    is_alive = victim.kill()
    if not victim.ready.is_set() or not is_alive:
        raise RuntimeError(f"{act} ended by itself:\n{''.join(victim.errors[-30:])}")


def _has_leftovers(data_dir: Path) -> bool:
    """Whether something unfinished lies around that the next start has to clear away."""
    unfinished = any((data_dir / "media" / "incoming").glob("*"))
    return unfinished or any((data_dir / "models").glob(".new-*"))


def _check_clips(runtime: Runtime, session: Session, told: Acknowledged) -> list[str]:
    known = clips.ids(session)
    problems = [f"clip {clip_id} is gone" for clip_id in sorted(told.clips - known)]
    for clip_id in sorted(known):
        path = runtime.media.place(clip_id)
        if not path.is_file():
            problems.append(f"clip {clip_id} has no file")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != clip_id:
            problems.append(f"the file of clip {clip_id} is damaged")
        if jobs.find_latest(session, kind="assess", clip_id=clip_id) is None:
            problems.append(f"clip {clip_id} was never queued")
    kept = {path.name[:64] for path in runtime.settings.media_dir.glob("??/*")}
    problems += [f"file {name} has no clip" for name in sorted(kept - known)]
    if any((runtime.settings.media_dir / "incoming").iterdir()):
        problems.append("unfinished files were not swept")
    return problems


def _check_assessments(session: Session, told: Acknowledged) -> list[str]:
    halves = {
        "a hypothesis without an assessment": "SELECT count(*) FROM hypotheses "
        "WHERE id NOT IN (SELECT hypothesis_id FROM assessments)",
        "an assessment without its hypothesis": "SELECT count(*) FROM assessments "
        "WHERE hypothesis_id NOT IN (SELECT id FROM hypotheses)",
        "an assessment without its clip": "SELECT count(*) FROM assessments "
        "WHERE clip_id NOT IN (SELECT id FROM clips)",
    }
    connection = session.connection()
    problems = [
        f"{what}: {number}"
        for what, query in halves.items()
        if (number := connection.execute(sa.text(query)).scalar_one())
    ]
    for clip_id in sorted(told.assessed):
        hypothesis = hypotheses.find_latest(session, clip_id)
        if hypothesis is None:
            problems.append(f"the transcript of clip {clip_id} is gone")
        elif hypothesis.transcript.text != hypothesis.text:
            problems.append(f"the transcript of clip {clip_id} is damaged")
    return problems


def _check_reviews(session: Session, told: Acknowledged) -> list[str]:
    saved = {found.clip_id: found for found in reviews.list_latest(session)}
    problems = [
        f"the review of clip {clip_id} is gone"
        for clip_id, text in told.reviews.items()
        if clip_id not in saved or saved[clip_id].text != text
    ]
    for clip_id, text in told.drafts.items():
        draft = drafts.find(session, clip_id, REVIEWER)
        newest = draft.text if draft is not None else ""
        # A later draft or the review itself goes beyond the acknowledged one.
        if not newest.startswith(text) and clip_id not in saved:
            problems.append(f"the draft of clip {clip_id} is gone")
    counted = [found for found in saved.values() if found.counts is None]
    return problems + [f"review {found.id} has no counts" for found in counted]


def _check_models(runtime: Runtime, session: Session, told: Acknowledged) -> list[str]:
    versions = {version.id: version for version in models.list_versions(session)}
    problems = [f"version {name} is gone" for name in sorted(told.versions - versions.keys())]
    for version in versions.values():
        try:
            Estimator.load(runtime.model_folder(version))
        except WerkbenchError as error:
            problems.append(f"version {version.id} does not load: {error.message}")
    problems += [
        f"promotion {promotion.id} of a version that is not there"
        for promotion in models.list_promotions(session)
        if promotion.version_id not in (None, *versions)
    ]
    return problems


def _go_on(act: str, data_dir: Path, told: Acknowledged) -> list[str]:
    """Take the interrupted work up again, to its end."""
    runtime = Runtime(settings_for(str(data_dir)))
    try:
        runtime.worker.recover()
        end = time.monotonic() + _SETTLE_TIMEOUT_S
        num_jobs = _NUM_JOBS_AT_END[act]
        while num_jobs and time.monotonic() < end and runtime.worker.run_next():
            num_jobs -= 1
        with runtime.database.session() as session:
            ended = jobs.list_recent(session, limit=1_000_000)
        problems = [f"job {job.id} is stuck" for job in ended if job.state == jobs.RUNNING]
        problems += [
            f"job {job.id} failed: {job.error}"
            for job in ended
            if job.state == jobs.FAILED and "interrupted" not in (job.error or "")
        ]
    finally:
        runtime.close()
    return problems + check(data_dir, told)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill every act and print what came of it; exit code 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20, help="kills per act")
    parser.add_argument("--acts", nargs="+", default=list(ACTS), choices=list(ACTS))
    parser.add_argument("--port", type=int, default=8599, help="for the app at the end")
    parser.add_argument("--child", choices=list(ACTS), help=argparse.SUPPRESS)
    parser.add_argument("--data-dir", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        start(options.child, options.data_dir)
    has_failed = False
    with tempfile.TemporaryDirectory(prefix="werkbench-crash-") as folder:
        for act in options.acts:
            data_dir = Path(folder) / act
            result = run_act(act, data_dir, times=options.times, span_s=SPANS_S[act])
            is_serving = serves(data_dir, options.port)
            has_failed |= bool(result.problems) or not is_serving
            print(
                f"{act:14} {result.num_kills} kills, {result.num_acknowledged} acknowledged, "
                f"{result.num_swept} left something unfinished, {len(result.problems)} problems, "
                f"the app {'serves' if is_serving else 'does not serve'}",
                flush=True,
            )
            for problem in result.problems:
                print(f"  {problem}")
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
