"""From a stored clip to a stored assessment."""

import math
import time
from collections.abc import Callable

import numpy as np
import pytest

from qe_core.asr.base import Progress
from qe_core.asr.provider import Resolved
from qe_core.errors import AudioError, NotFoundError
from qe_core.features import STANDARD
from qe_core.features.base import schema_of
from qe_core.types import Audio, SpeechSpan, Transcript
from storage.repositories import assessments, hypotheses
from tests.builders import add_assessment, add_hypothesis, transcript
from workbench import intake, library, worker
from workbench.assess import assess_clip, reassess
from workbench.runtime import Runtime


class _Typist:
    """Writes the same words whatever it hears, and counts how often it is asked."""

    name = "pocketsphinx"
    model = "en-us"

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.num_calls = 0

    def transcribe(
        self,
        audio: Audio,
        speech: tuple[SpeechSpan, ...],
        *,
        language: str | None = None,
        on_progress: Progress | None = None,
    ) -> Transcript:
        del audio, speech, language
        self.num_calls += 1
        if on_progress is not None:
            on_progress(0.5, "transcribing, part 1 of 2")
        return transcript("one two three", version=self.version)


@pytest.fixture
def typist(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> _Typist:
    """The recogniser of the runtime."""
    typist = _Typist()
    monkeypatch.setattr(runtime, "engine", lambda _progress=None: Resolved(typist, "for a test"))
    return typist


@pytest.fixture
def clip_id(runtime: Runtime, speech_wav: bytes) -> str:
    """A stored clip."""
    return intake.submit(runtime, speech_wav, file_name="a.wav").clip_id


def _num_rows(runtime: Runtime, clip_id: str) -> tuple[bool, bool]:
    with runtime.database.session() as session:
        return (
            hypotheses.find_latest(session, clip_id) is not None,
            assessments.find_latest(session, clip_id) is not None,
        )


def test_hypothesis_and_assessment_are_stored_together(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    told: list[tuple[float, str]] = []
    stored = assess_clip(runtime, clip_id, lambda share, text: told.append((share, text)))

    details = library.details(runtime, clip_id)
    assert details.transcript == typist.transcribe(None, ())  # type: ignore[arg-type]  # deaf
    assert details.assessment is not None
    assert details.assessment.id == stored.id
    assert stored.estimator == runtime.estimator(("pocketsphinx", "en-us")).manifest.id
    assert stored.feature_schema == schema_of(STANDARD)
    assert stored.duration_s == pytest.approx(2.0)
    assert 0.0 <= stored.low <= stored.predicted_wer <= stored.high
    assert {"transcription", "features"} <= set(stored.timings_s)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    stages = dict.fromkeys(text.partition(",")[0] for _, text in told)
    assert [stage for stage in stages if stage in ("decoding", "transcribing", "estimating")] == [
        "decoding",
        "transcribing",
        "estimating",
    ]


def test_the_same_recogniser_does_not_write_the_same_clip_twice(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    first = assess_clip(runtime, clip_id)
    second = assess_clip(runtime, clip_id)
    assert typist.num_calls == 1
    assert second.hypothesis_id == first.hypothesis_id
    assert second.id != first.id
    assert second.predicted_wer == pytest.approx(first.predicted_wer)


def test_another_version_of_the_recogniser_writes_a_new_hypothesis(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    first = assess_clip(runtime, clip_id)
    typist.version = "2"
    second = assess_clip(runtime, clip_id)
    assert second.hypothesis_id != first.hypothesis_id


def test_estimating_again_needs_neither_recogniser_nor_sound(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    first = assess_clip(runtime, clip_id)
    runtime.media.path(clip_id).unlink()
    again = reassess(runtime, clip_id)
    assert typist.num_calls == 1
    assert again.hypothesis_id == first.hypothesis_id
    assert again.predicted_wer == pytest.approx(first.predicted_wer)


def test_features_of_another_schema_are_computed_again(runtime: Runtime, clip_id: str) -> None:
    with runtime.database.session() as session:
        add_assessment(session, add_hypothesis(session, clip_id), features={"old_feature": 1.0})
    again = reassess(runtime, clip_id)
    assert "old_feature" not in again.features
    assert again.feature_schema == schema_of(STANDARD)
    assert not all(math.isnan(value) for value in again.features.values())


def test_a_clip_without_a_transcript_cannot_be_estimated_again(
    runtime: Runtime, clip_id: str
) -> None:
    with pytest.raises(NotFoundError, match="has no transcript yet"):
        reassess(runtime, clip_id)


def test_a_file_damaged_on_disk_stores_nothing(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    runtime.media.path(clip_id).write_bytes(b"bit rot" * 1000)
    with pytest.raises(AudioError):
        assess_clip(runtime, clip_id)
    assert _num_rows(runtime, clip_id) == (False, False)


def test_a_failing_estimate_stores_no_hypothesis_either(
    runtime: Runtime, typist: _Typist, clip_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(assessments, "add", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        assess_clip(runtime, clip_id)
    assert _num_rows(runtime, clip_id) == (False, False)


def test_the_worker_assesses_what_was_taken_in(
    runtime: Runtime, typist: _Typist, clip_id: str
) -> None:
    assert runtime.worker.run_next()
    (status,) = worker.progress(runtime, [clip_id])
    assert (status.state, status.progress, status.error) == ("done", 1.0, None)
    assert _num_rows(runtime, clip_id) == (True, True)


@pytest.mark.slow
def test_a_sample_gets_its_transcript_from_the_real_recogniser(
    runtime: Runtime, rng: np.random.Generator
) -> None:
    path, entry = next(intake.sample_manifest())
    clip_id = intake.submit(runtime, path, file_name=path.name).clip_id
    stages: list[str] = []
    runtime.worker.start()
    _wait(lambda: _note(stages, runtime, clip_id) in ("done", "failed"))

    row = library.search(runtime).rows[0]
    assert (row.state, row.error) == ("done", None)
    assert row.engine == "pocketsphinx"
    assert row.predicted_wer is not None
    said = set(entry["text"].lower().replace(".", "").split())
    written = set((row.text or "").lower().split())
    assert len(said & written) >= len(said) / 4
    assert set(stages) & {"decoding", "transcribing", "loading PocketSphinx"}


def _note(stages: list[str], runtime: Runtime, clip_id: str) -> str:
    (status,) = worker.progress(runtime, [clip_id])
    stages.append(status.stage)
    return status.state


def _wait(condition: Callable[[], bool], *, timeout_s: float = 120.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
