"""A file is taken in whole or not at all."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from qe_core.config import load_settings
from qe_core.errors import AudioError, StorageError
from qe_core.types import FloatArray
from storage.repositories import clips, jobs
from storage.repositories.statistics import columns_of
from tests.builders import add_assessment, add_hypothesis, speech_like, wav_bytes
from workbench import intake, library
from workbench.runtime import Runtime

Tone = Callable[..., FloatArray]


def _stored_files(runtime: Runtime) -> list[Path]:
    return [path for path in runtime.settings.media_dir.rglob("*") if path.is_file()]


def _num_rows(runtime: Runtime) -> tuple[int, int]:
    with runtime.database.session() as session:
        return len(clips.ids(session)), len(jobs.list_recent(session))


def test_a_clip_is_kept_with_its_facts_and_queued(runtime: Runtime, speech_wav: bytes) -> None:
    submission = intake.submit(runtime, speech_wav, file_name="call.wav", actor="ann")

    assert not submission.is_duplicate
    with runtime.database.session() as session:
        clip = clips.get(session, submission.clip_id)
        job = jobs.get(session, submission.job_id or "")
    assert (clip.file_name, clip.source, clip.actor) == ("call.wav", "upload", "ann")
    assert (clip.container, clip.codec, clip.sample_rate_hz) == ("wav", "pcm_s16le", 16_000)
    assert clip.duration_s == pytest.approx(2.0)
    assert clip.size_bytes == len(speech_wav)
    assert (job.kind, job.state, job.clip_id) == ("assess", "queued", clip.id)
    assert runtime.media.path(clip.id).read_bytes() == speech_wav
    assert runtime.media.peaks(clip.id) is not None


@pytest.mark.parametrize(("given", "kept"), [(" Call 7 ", "Call 7"), ("  ", None), (None, None)])
def test_clips_of_one_recording_are_counted_together(
    runtime: Runtime, speech_wav: bytes, given: str | None, kept: str | None
) -> None:
    clip_id = intake.submit(runtime, speech_wav, file_name="a.wav", recording=given).clip_id
    runtime.database.write(
        lambda session: add_assessment(session, add_hypothesis(session, clip_id))
    )
    with runtime.database.session() as session:
        found = columns_of(session, "SELECT recording FROM assessed_clips")
        assert clips.get(session, clip_id).recording == kept
    assert found["recording"].tolist() == [kept or clip_id]


@pytest.mark.parametrize("kind", ["path", "stream", "bytes"])
def test_content_comes_as_path_stream_or_bytes(
    runtime: Runtime, speech_wav: bytes, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(speech_wav)
    content = {"path": path, "stream": io.BytesIO(speech_wav), "bytes": speech_wav}[kind]
    submission = intake.submit(runtime, content, file_name="a.wav", source="folder")  # type: ignore[arg-type]  # one of the three
    assert runtime.media.path(submission.clip_id).read_bytes() == speech_wav


def test_the_same_bytes_are_one_clip_under_any_name(runtime: Runtime, speech_wav: bytes) -> None:
    first = intake.submit(runtime, speech_wav, file_name="a.wav")
    second = intake.submit(runtime, speech_wav, file_name="b.wav")
    assert (second.clip_id, second.is_duplicate) == (first.clip_id, True)
    assert second.job_id == first.job_id
    assert _num_rows(runtime) == (1, 1)


def test_an_assessed_clip_that_comes_again_is_not_queued(
    runtime: Runtime, speech_wav: bytes
) -> None:
    first = intake.submit(runtime, speech_wav, file_name="a.wav")
    with runtime.database.session() as session:
        job = jobs.take_next(session, ("assess",))
        assert job is not None
        add_assessment(session, add_hypothesis(session, first.clip_id))
        jobs.finish(session, job)
    assert intake.submit(runtime, speech_wav, file_name="a.wav").job_id is None


def test_a_clip_that_failed_gets_another_try_when_it_comes_again(
    runtime: Runtime, speech_wav: bytes
) -> None:
    first = intake.submit(runtime, speech_wav, file_name="a.wav")
    with runtime.database.session() as session:
        job = jobs.take_next(session, ("assess",))
        assert job is not None
        jobs.fail(session, job, error="No.", suggestion="Again.")
    second = intake.submit(runtime, speech_wav, file_name="a.wav")
    assert second.is_duplicate
    assert second.job_id not in (None, first.job_id)


def test_a_clip_that_lost_its_file_gets_it_back(runtime: Runtime, speech_wav: bytes) -> None:
    first = intake.submit(runtime, speech_wav, file_name="a.wav")
    runtime.media.path(first.clip_id).unlink()
    intake.submit(runtime, speech_wav, file_name="a.wav")
    assert runtime.media.path(first.clip_id).read_bytes() == speech_wav


def test_the_same_file_uploaded_by_many_at_once_is_one_clip(
    runtime: Runtime, speech_wav: bytes
) -> None:
    num_uploads = 8
    barrier = threading.Barrier(num_uploads)

    def upload(number: int) -> intake.Submission:
        barrier.wait()
        return intake.submit(runtime, speech_wav, file_name=f"{number}.wav")

    with ThreadPoolExecutor(num_uploads) as pool:
        submissions = list(pool.map(upload, range(num_uploads)))
    assert sum(not submission.is_duplicate for submission in submissions) == 1
    assert len({submission.job_id for submission in submissions}) == 1
    assert _num_rows(runtime) == (1, 1)
    assert runtime.media.path(submissions[0].clip_id).read_bytes() == speech_wav


def test_different_files_uploaded_at_once_are_all_kept(
    runtime: Runtime, rng: np.random.Generator
) -> None:
    files = [wav_bytes(speech_like(rng, 0.6)) for _ in range(10)]

    def upload(content: bytes) -> str:
        return intake.submit(runtime, content, file_name="a.wav").clip_id

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(upload, files))) == 10
    assert _num_rows(runtime) == (10, 10)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"RIFF", "too_small"),
        (b"no audio at all. " * 200, "not_audio"),
        (wav_bytes(np.zeros(16_000, np.float32)), "silent"),
        (wav_bytes(np.full(1600, 0.5, np.float32)), "too_short"),
        (b"PK\x03\x04" + b"zip" * 1000, "not_audio"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(runtime: Runtime, content: bytes, code: str) -> None:
    with pytest.raises(AudioError) as caught:
        intake.submit(runtime, content, file_name="a.wav")
    assert caught.value.code == code
    assert caught.value.suggestion
    assert _stored_files(runtime) == []
    assert _num_rows(runtime) == (0, 0)


def test_a_file_over_the_limit_is_refused_while_it_is_read(tmp_path: Path, tone: Tone) -> None:
    opened = Runtime(load_settings(data_dir=tmp_path, audio={"max_upload_mb": 1}))
    try:
        with pytest.raises(AudioError, match=r"big\.wav: larger than 1 MB"):
            intake.submit(opened, wav_bytes(tone(40.0)), file_name="big.wav")
        assert _stored_files(opened) == []
    finally:
        opened.close()


def test_when_the_row_cannot_be_stored_nothing_is_acknowledged(
    runtime: Runtime, speech_wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageError("disk full", suggestion="")

    monkeypatch.setattr("workbench.intake._store", fail)
    with pytest.raises(StorageError, match="disk full"):
        intake.submit(runtime, speech_wav, file_name="a.wav")
    assert _num_rows(runtime) == (0, 0)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "😀.wav", "n" * 300 + ".wav", "<script>alert(1)</script>.wav"]
)
def test_names_are_made_safe_and_kept_inert(runtime: Runtime, speech_wav: bytes, name: str) -> None:
    submission = intake.submit(runtime, speech_wav, file_name=name)
    assert "/" not in submission.file_name
    assert 0 < len(submission.file_name) <= 120
    row = library.search(runtime).rows[0]
    assert row.file_name == submission.file_name
    media_dir = runtime.settings.media_dir
    assert all(path.is_relative_to(media_dir) for path in _stored_files(runtime))


def test_progress_of_the_check_is_told(runtime: Runtime, speech_wav: bytes) -> None:
    told: list[float] = []
    intake.submit(
        runtime,
        speech_wav,
        file_name="a.wav",
        on_progress=lambda share, _text: told.append(share),
    )
    assert told[-1] == 1.0


def test_every_sample_is_taken_in_once(runtime: Runtime) -> None:
    first = intake.submit_samples(runtime)
    second = intake.submit_samples(runtime)
    assert len(first) == len(list(intake.sample_manifest())) >= 12
    assert not any(submission.is_duplicate for submission in first)
    assert all(submission.is_duplicate for submission in second)
    assert library.search(runtime, source="sample").total == len(first)
