"""Building a corpus: read manifests, degrade, recognise in parallel, resume where it stopped."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
import soundfile

from qe_core.asr.base import Engine
from qe_core.asr.provider import resolve_engine
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings
from qe_core.corpus.degrade import NEWEST, Degraded, Sound, degrade
from qe_core.corpus.examples import Recognised, read_recognised, write_recognised
from qe_core.corpus.plan import CorpusPlan, Row, Task, plan_tasks, read_rows
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray, Transcript
from qe_core.vad import find_speech

__all__ = ["build_corpus", "join_parts", "recognise_again"]

# Corpora hold clips that the product would refuse as too short; the estimator still learns there.
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)

_MAX_LONG_SAMPLES = 30 * SAMPLE_RATE_HZ
_PAUSE_S = (0.1, 0.8)


def build_corpus(
    plan: CorpusPlan,
    out_dir: Path,
    *,
    engine: EngineSettings,
    num_processes: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Degrade and recognise every clip of a plan; started again, it goes on where it stopped.

    Args:
        plan: what to take and how often
        out_dir: gets ``audio/*.flac`` and ``recognised.jsonl``
        engine: which recogniser writes the hypotheses
        num_processes: recognisers at work at the same time
        on_progress: called with (done, all) after every clip

    Returns:
        path of ``recognised.jsonl``

    Raises:
        TrainingError: a manifest cannot be read or names no clip, or another recogniser wrote what
            is there
    """
    (out_dir / "audio").mkdir(parents=True, exist_ok=True)
    plan = replace(plan, degradations=_settle_degradations(plan, out_dir))
    tasks = plan_tasks(plan, out_dir / "audio")
    work = _Work(
        tasks=[(str(task.audio_path), partial(_degrade_and_recognise, task)) for task in tasks],
        start=partial(_start_degrading, engine, plan.manifest.parent, plan.noise_manifest),
        engine=engine,
        num_processes=num_processes,
    )
    return _run(work, out_dir / "recognised.jsonl", on_progress)


def recognise_again(
    recognised: Path,
    out_dir: Path,
    *,
    engine: EngineSettings,
    limit: int | None = None,
    num_processes: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Let another recogniser write the very audio of a corpus; resumes where it stopped.

    Second opinions and estimators for several engines need transcripts of the same sound.

    Args:
        recognised: what :func:`build_corpus` wrote
        out_dir: gets ``recognised.jsonl``
        engine: which recogniser writes the hypotheses
        limit: at most so many clips, the first ones; all by default
        num_processes: recognisers at work at the same time
        on_progress: called with (done, all) after every clip

    Returns:
        path of ``recognised.jsonl``

    Raises:
        TrainingError: there is no clip, or another recogniser wrote what is there
    """
    rows = list(islice(read_recognised(recognised), limit)) if recognised.is_file() else []
    if not rows:
        raise TrainingError(
            f"{recognised}: there is no recognised clip in it.",
            suggestion="Make one with `werkbench corpus --manifest` first.",
        )
    out_dir.mkdir(parents=True, exist_ok=True)
    work = _Work(
        tasks=[(row.audio_filepath, partial(_recognise_again, row)) for row in rows],
        start=partial(_start_recogniser, engine),
        engine=engine,
        num_processes=num_processes,
    )
    return _run(work, out_dir / "recognised.jsonl", on_progress)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the processes do: a task for each clip, by the path of its audio."""

    tasks: Sequence[tuple[str, Callable[[], Recognised]]]
    start: Callable[[], None]
    engine: EngineSettings
    num_processes: int


def _run(work: _Work, result: Path, on_progress: Callable[[int, int], None] | None) -> Path:
    done = _done(result, work.engine) if result.is_file() else set[str]()
    open_tasks = iter([task for path, task in work.tasks if path not in done])
    num_done = len(done)
    # Fresh processes: a forked one would share the recognisers' and the VAD's locks.
    with ProcessPoolExecutor(
        work.num_processes, mp_context=get_context("spawn"), initializer=work.start
    ) as pool:
        running: set[Future[Recognised]] = {
            pool.submit(task) for task in islice(open_tasks, 2 * work.num_processes)
        }
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            write_recognised([future.result() for future in finished], result)
            running |= {pool.submit(task) for task in islice(open_tasks, len(finished))}
            num_done += len(finished)
            if on_progress is not None:
                on_progress(num_done, len(work.tasks))
    return result


def _done(result: Path, settings: EngineSettings) -> set[str]:
    """Clips that are recognised; one corpus holds the transcripts of one recogniser."""
    engine = resolve_engine(settings).engine
    ours = (engine.name, engine.model, engine.version)
    paths: set[str] = set()
    for row in read_recognised(result):
        theirs = (row.transcript.engine, row.transcript.model, row.transcript.version)
        if theirs != ours:
            raise TrainingError(
                f"{result} was written by {' '.join(theirs)}, not by {' '.join(ours)}.",
                suggestion="Choose another folder, or the same recogniser.",
            )
        paths.add(row.audio_filepath)
    return paths


def _settle_degradations(plan: CorpusPlan, out_dir: Path) -> int:
    """One corpus is degraded by one version; which one is written down beside it."""
    note = out_dir / "degradations.json"
    if note.is_file():
        begun_with = int(json.loads(note.read_text(encoding="utf-8"))["version"])
    elif (out_dir / "recognised.jsonl").is_file():
        begun_with = 1  # it was begun before there were versions
    else:
        begun_with = plan.degradations or NEWEST
    if plan.degradations not in (None, begun_with):
        raise TrainingError(
            f"{out_dir} was begun with version {begun_with} of the degradations, not with "
            f"{plan.degradations}.",
            suggestion="Choose another folder, or the same version.",
        )
    note.write_text(json.dumps({"version": begun_with}) + "\n", encoding="utf-8")
    return begun_with


class _Degrader:
    """Clean speech, and the noises and rooms of both sides of the split."""

    def __init__(self, speech_dir: Path, noise_manifest: Path) -> None:
        self.speech_dir = speech_dir
        self.noise_dir = noise_manifest.parent
        rows = read_rows(noise_manifest)
        self.noises = [row for row in rows if row["kind"] == "noise"]
        self.rooms = [row for row in rows if row["kind"] == "rir"]
        if not self.noises or not self.rooms:
            raise TrainingError(
                f"{noise_manifest}: names no noise or no room.",
                suggestion="Give at least one line with kind noise and one with kind rir.",
            )

    def sounds(self, rows: Sequence[Row], *, held_out: bool) -> Sequence[Sound]:
        """Held-out speakers are heard in held-out noises and rooms only, where there are both."""
        side = [row for row in rows if is_held_out(row["label"]) == held_out]
        return [
            _load_sound(self.noise_dir / row["audio_filepath"], row["label"])
            for row in side or rows
        ]


# What one process keeps.
_RECOGNISER: list[Engine] = []
_DEGRADER: list[_Degrader] = []


def _start_recogniser(engine: EngineSettings) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _RECOGNISER[:] = [resolve_engine(engine).engine]


def _end_with_parent() -> None:
    """A pool whose parent is killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start_degrading(engine: EngineSettings, speech_dir: Path, noise_manifest: Path) -> None:
    _start_recogniser(engine)
    _DEGRADER[:] = [_Degrader(speech_dir, noise_manifest)]


@lru_cache(maxsize=128)
def _load_sound(path: Path, label: str) -> Sound:
    return Sound(label, _load(path).samples)


def _load(path: Path) -> Audio:
    return decode(path, name=path.name, limits=_LIMITS)


def _degrade_and_recognise(task: Task) -> Recognised:
    sounds, row = _DEGRADER[0], task.rows[0]
    clean, reference = join_parts(task, sounds.speech_dir)
    if task.is_clean:
        degraded = Degraded(clean, SAMPLE_RATE_HZ, "clean")
    else:
        held_out = is_held_out(row["speaker"])
        degraded = degrade(
            clean,
            noises=sounds.sounds(sounds.noises, held_out=held_out),
            rooms=sounds.sounds(sounds.rooms, held_out=held_out),
            rng=np.random.default_rng(task.seed),
            version=task.degradations,
        )
    soundfile.write(task.audio_path, degraded.samples, degraded.sample_rate_hz, subtype="PCM_16")
    audio, transcript = _hear(task.audio_path)
    return Recognised(
        audio_filepath=str(task.audio_path),
        duration=round(audio.duration_s, 3),
        reference=reference,
        transcript=transcript,
        speaker=row["speaker"],
        recording=row.get("recording", row["audio_filepath"]),
        source=row["source"],
        language=row["language"],
        condition=degraded.condition,
    )


def join_parts(task: Task, speech_dir: Path) -> tuple[FloatArray, str]:
    """Clean sound of a clip: one row of the manifest, or several with pauses between them.

    Args:
        task: the clip
        speech_dir: where paths of the manifest begin

    Returns:
        samples at 16 kHz, at most 30 s where several are joined, and what is said in them
    """
    rng = np.random.default_rng(task.seed)
    parts: list[FloatArray] = []
    texts: list[str] = []
    length = 0
    for row in task.rows:
        samples = _load(speech_dir / row["audio_filepath"]).samples
        if parts:
            pause = np.zeros(int(rng.uniform(*_PAUSE_S) * SAMPLE_RATE_HZ), np.float32)
            samples = np.concatenate([pause, samples])
            if length + len(samples) > _MAX_LONG_SAMPLES:
                break
        parts.append(samples)
        texts.append(row["text"])
        length += len(samples)
        if task.length_s is None or length >= task.length_s * SAMPLE_RATE_HZ:
            break
    return np.concatenate(parts), " ".join(texts)


def _recognise_again(row: Recognised) -> Recognised:
    return replace(row, transcript=_hear(Path(row.audio_filepath))[1])


def _hear(path: Path) -> tuple[Audio, Transcript]:
    audio = _load(path)
    return audio, _RECOGNISER[0].transcribe(audio, find_speech(audio))
