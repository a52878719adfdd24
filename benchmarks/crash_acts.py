"""What is killed: one process that uploads, transcribes, saves or retrains until it dies.

Every line on its standard output acknowledges something, as the app would to a person: what is
printed has to be there after the crash.
"""

import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
import soundfile as sf

from qe_core.audio import decode
from qe_core.config import Settings, load_settings
from qe_core.features import STANDARD
from qe_core.features.base import schema_of
from qe_core.types import (
    SAMPLE_RATE_HZ,
    Estimate,
    FloatArray,
    Segment,
    SpeechSpan,
    Transcript,
    Word,
)
from storage.database import Session
from storage.repositories import assessments, entries, hypotheses, jobs, models, reviews
from workbench import intake, retrain, review, worker
from workbench.runtime import Runtime

__all__ = ["ACTS", "settings_for", "start"]

REVIEWER = "ann"
_NUM_REVIEWED = 40
_NUM_SEEDED = 25
_NUM_SAMPLES = 6


def settings_for(data_dir: str) -> Settings:
    """PocketSphinx, and a gate that lets every challenger through: promotions get killed, too."""
    return load_settings(
        data_dir=data_dir,
        engine={"name": "pocketsphinx"},
        retrain={
            "min_new_reviews": 1,
            "min_test_clips": 1,
            "min_spearman": 0.0,
            "min_word_auc": 0.0,
            "max_sure_changed": 1.0,
            "min_doubtful_changed": 0.0,
            "min_length_agreement": -1.0,
            "min_gain": -1.0,
            "max_recall_loss": 1.0,
            "max_mae_increase": 1.0,
            "max_coverage_gap": 1.0,
            "max_slice_loss": 1.0,
        },
    )


def start(act: str, data_dir: str) -> None:
    """Do one act for ever, acknowledging on standard output."""
    runtime = Runtime(settings_for(data_dir))
    rng = np.random.default_rng(time.time_ns())
    ACTS[act](runtime, rng)


def _upload(runtime: Runtime, rng: np.random.Generator) -> None:
    _say("ready")
    while True:
        content = _wav(_noise(rng, float(rng.uniform(0.6, 20.0))))
        submission = intake.submit(runtime, BytesIO(content), file_name="noise.wav")
        _say("clip", submission.clip_id)


def _transcribe(runtime: Runtime, rng: np.random.Generator) -> None:
    runtime.engine()
    runtime.worker.start()
    while True:
        clip_ids = []
        for path, _ in list(intake.sample_manifest())[:_NUM_SAMPLES]:
            audio = decode(path, name=path.name, limits=runtime.settings.audio)
            unique = audio.samples + rng.normal(0, 1e-3, audio.samples.shape).astype(np.float32)
            clip_id = intake.submit(runtime, _wav(unique), file_name=path.name).clip_id
            _say("clip", clip_id)
            clip_ids.append(clip_id)
            _say("ready")
        waiting = set(clip_ids)
        while waiting:
            for status in worker.progress(runtime, waiting):
                if status.state == jobs.DONE and status.clip_id is not None:
                    waiting.discard(status.clip_id)
                    _say("assessed", status.clip_id)
            time.sleep(0.01)


def _save(runtime: Runtime, rng: np.random.Generator) -> None:
    with runtime.database.session() as session:
        num_open = entries.num_in_stage(session, "open")
    _seed(runtime, rng, max(0, _NUM_SEEDED - num_open))
    _say("ready")
    while True:
        task = review.next_clip(runtime, REVIEWER)
        if task is None:
            _seed(runtime, rng, _NUM_SEEDED)
            continue
        text = f"{task.transcript.text} corrected {rng.integers(1_000_000)}"
        for length in (len(text) // 2, len(text)):
            review.save_draft(runtime, task.clip.id, REVIEWER, text[:length])
            _say("draft", task.clip.id, text[:length])
        _submit(runtime, task, text)
        _say("review", task.clip.id, text)


def _retrain(runtime: Runtime, rng: np.random.Generator) -> None:
    with runtime.database.session() as session:
        num_missing = _NUM_REVIEWED - len(_reviewed(session))
    if num_missing > 0:
        _seed(runtime, rng, num_missing)
        for _ in range(num_missing):
            task = review.next_clip(runtime, REVIEWER)
            if task is not None:
                words = task.transcript.text.split()
                _submit(runtime, task, " ".join(["so", *words[: rng.integers(1, len(words))]]))
    runtime.worker.start()
    _say("ready")
    known: set[str] = set()
    while True:
        with runtime.database.session() as session:
            is_busy = jobs.has_active(session, retrain.RETRAIN)
            versions = {version.id for version in models.list_versions(session)}
        for version_id in sorted(versions - known):
            _say("version", version_id)
        known |= versions
        if not is_busy:
            retrain.start(runtime, REVIEWER)
        for status in worker.progress(runtime):
            if status.kind == retrain.RETRAIN and status.stage == "saving":
                _say("saving")
        time.sleep(0.02)


def _reviewed(session: Session) -> set[str]:
    """Clips with a review."""
    return {found.clip_id for found in reviews.list_latest(session)}


def _submit(runtime: Runtime, task: review.ReviewTask, text: str) -> None:
    review.submit(
        runtime,
        task.clip.id,
        reviewer=REVIEWER,
        claim_token=task.claim_token,
        verdict="correct",
        text=text,
        lead_time_s=1.0,
        listened_share=1.0,
    )


def _seed(runtime: Runtime, rng: np.random.Generator, num_clips: int) -> None:
    """Clips with a transcript and an estimate that no recogniser had to make."""
    for _ in range(num_clips):
        clip_id = intake.submit(runtime, _wav(_noise(rng, 0.6)), file_name="noise.wav").clip_id
        _assess_by_hand(runtime, rng, clip_id)


def _assess_by_hand(runtime: Runtime, rng: np.random.Generator, clip_id: str) -> None:
    engine = runtime.engine().engine
    words = [f"word{number}" for number in rng.integers(0, 999, size=rng.integers(3, 12))]
    timed = tuple(
        Word(word, index * 0.05, index * 0.05 + 0.04, float(rng.uniform(0.2, 1.0)))
        for index, word in enumerate(words)
    )
    segment = Segment(0.0, 0.6, " ".join(words), timed)
    written = Transcript((segment,), "en", engine.name, engine.model, engine.version)
    names = [info.name for group in STANDARD for info in group.features]
    features = dict(zip(names, rng.normal(size=len(names)).tolist(), strict=True))
    wer = float(rng.uniform(0.0, 1.0))

    def work(session: Session) -> None:
        assessments.add(
            session,
            hypotheses.add(session, clip_id, written, (SpeechSpan(0.0, 0.6),)),
            estimate=Estimate(wer * len(words), len(words), wer, 0.0, 1.0, 0.9, "seeded"),
            features=features,
            feature_schema=schema_of(STANDARD),
            must_review=False,
            duration_s=0.6,
            timings_s={},
        )
        job = jobs.take_next(session, ("assess",))
        if job is not None:
            jobs.finish(session, job)

    runtime.database.write(work)


def _noise(rng: np.random.Generator, duration_s: float) -> FloatArray:
    return rng.normal(0, 0.1, round(duration_s * SAMPLE_RATE_HZ)).astype(np.float32)


def _wav(samples: FloatArray) -> bytes:
    file = BytesIO()
    sf.write(file, np.clip(samples, -1, 1), SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def _say(*words: str) -> None:
    print("\t".join(words), flush=True)


ACTS: dict[str, Callable[[Runtime, np.random.Generator], None]] = {
    "upload": _upload,
    "transcription": _transcribe,
    "save": _save,
    "retrain": _retrain,
}
