"""A corpus is built from manifests with a real recogniser and goes on where it stopped."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from qe_core.config import EngineSettings, bundled_path
from qe_core.corpus.build import build_corpus, recognise_again
from qe_core.corpus.examples import read_recognised
from qe_core.corpus.plan import CorpusPlan
from qe_core.errors import TrainingError

_ENGINE = EngineSettings(name="pocketsphinx")


@pytest.fixture
def plan(tmp_path: Path) -> CorpusPlan:
    """Three sample clips by two speakers, noises of either side and one room."""
    samples = [
        json.loads(line)
        for line in bundled_path("sample_audio", "manifest.jsonl").read_text().splitlines()
    ][:3]
    with (tmp_path / "speech.jsonl").open("w") as file:
        for index, sample in enumerate(samples):
            path = bundled_path("sample_audio", sample["audio_filepath"])
            row = {**sample, "audio_filepath": str(path), "source": "samples", "language": "en"}
            file.write(json.dumps(row | {"speaker": f"speaker-{index // 2}"}) + "\n")
    rng = np.random.default_rng(3)
    with (tmp_path / "noise.jsonl").open("w") as file:
        for label in ("sea waves", "dog bark", "HamiltonMausoleum"):
            path = tmp_path / f"{label}.flac"
            soundfile.write(path, rng.normal(0, 0.05, 16_000).astype(np.float32), 16_000)
            kind = "rir" if label[0] == "H" else "noise"
            file.write(json.dumps({"audio_filepath": str(path), "kind": kind, "label": label}))
            file.write("\n")
    return CorpusPlan(
        manifest=tmp_path / "speech.jsonl",
        noise_manifest=tmp_path / "noise.jsonl",
        copies={"samples": 0},
        limits={"samples": 2},
        share_clean=0.0,
        seed=5,
    )


@pytest.mark.slow
def test_a_corpus_goes_on_where_it_stopped_and_is_the_same_again(
    plan: CorpusPlan, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "corpus"
    path = build_corpus(
        plan, out, engine=_ENGINE, num_processes=1, on_progress=lambda *step: seen.append(step)
    )
    rows = list(read_recognised(path))
    assert seen == [(1, 2), (2, 2)]
    assert len({row.audio_filepath for row in rows}) == 2
    assert all(row.reference for row in rows)
    assert all(Path(row.audio_filepath).is_file() for row in rows)
    assert all(row.condition != "clean" for row in rows)

    # A crash in the middle of a line: that clip, and only that clip, is recognised again.
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:40])
    seen.clear()
    build_corpus(
        plan, out, engine=_ENGINE, num_processes=1, on_progress=lambda *step: seen.append(step)
    )
    assert seen == [(2, 2)]
    assert {row.audio_filepath: row for row in read_recognised(path)} == {
        row.audio_filepath: row for row in rows
    }

    # Another recogniser writes the same sound, and goes on where it stopped, too.
    fast = EngineSettings(name="pocketsphinx:en-us-fast")
    recognise_again(path, tmp_path / "fast", engine=fast, limit=1, num_processes=1)
    seen.clear()
    again = recognise_again(
        path,
        tmp_path / "fast",
        engine=fast,
        num_processes=1,
        on_progress=lambda *step: seen.append(step),
    )
    assert seen == [(2, 2)]
    second = list(read_recognised(again))
    assert {row.transcript.model for row in second} == {"en-us-fast"}
    assert [(row.audio_filepath, row.reference, row.condition) for row in second] == [
        (row.audio_filepath, row.reference, row.condition) for row in read_recognised(path)
    ]

    # What another version of the recogniser wrote does not mix.
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0].replace(rows[0].transcript.version, "0.1"))
    with pytest.raises(TrainingError, match=r"written by pocketsphinx en-us 0\.1"):
        build_corpus(plan, out, engine=_ENGINE, num_processes=1)


@pytest.mark.slow
def test_recognisers_end_when_the_command_is_killed(plan: CorpusPlan, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    arguments = f"--manifest {plan.manifest} --noises {plan.noise_manifest} --out {out}"
    command = [sys.executable, "-m", "jobs.cli", "corpus", *arguments.split()]
    process = subprocess.Popen([*command, "--engine", "pocketsphinx", "--processes", "1"])
    try:
        _wait_for(lambda: any((out / "audio").glob("*.flac")))
        workers = [
            child
            for child in psutil.Process(process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        ]
    finally:
        process.kill()
        process.wait()

    assert workers
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def _wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_corpus_keeps_the_degradations_that_it_was_begun_with(
    plan: CorpusPlan, tmp_path: Path
) -> None:
    empty = replace(plan, limits={"samples": 0})
    new, old = tmp_path / "new", tmp_path / "old"
    old.mkdir()
    (old / "recognised.jsonl").touch()  # begun before there were versions

    for folder in (new, old):
        build_corpus(empty, folder, engine=_ENGINE)

    notes = [(folder / "degradations.json").read_text().strip() for folder in (new, old)]
    assert notes == ['{"version": 2}', '{"version": 1}']
    with pytest.raises(TrainingError, match="begun with version 1 of the degradations, not with 2"):
        build_corpus(replace(empty, degradations=2), old, engine=_ENGINE)


def test_a_manifest_that_cannot_be_read_is_refused(plan: CorpusPlan, tmp_path: Path) -> None:
    plan.manifest.write_text("no json\n")
    with pytest.raises(TrainingError, match="cannot be read as a manifest"):
        build_corpus(plan, tmp_path / "out", engine=_ENGINE)


def test_a_manifest_without_clips_is_refused(plan: CorpusPlan, tmp_path: Path) -> None:
    plan.manifest.write_text("\n")
    with pytest.raises(TrainingError, match="names no clip"):
        build_corpus(plan, tmp_path / "out", engine=_ENGINE)


def test_a_corpus_without_clips_cannot_be_written_again(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no recognised clip"):
        recognise_again(tmp_path / "recognised.jsonl", tmp_path / "out", engine=_ENGINE)
