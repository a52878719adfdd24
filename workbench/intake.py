"""Taking a file in: refuse it with a reason, or keep it and queue its assessment."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from qe_core.audio import decode, inspect, safe_file_name, waveform_peaks
from qe_core.config import bundled_path
from qe_core.types import Audio
from storage.database import Session
from storage.media import Incoming
from storage.repositories import assessments, clips, jobs
from workbench import metrics
from workbench.assess import ASSESS
from workbench.logs import about_clip

if TYPE_CHECKING:
    from qe_core.asr.base import Progress
    from workbench.runtime import Runtime

__all__ = ["Submission", "sample_manifest", "submit", "submit_samples"]

_log = logging.getLogger(__name__)
_MB = 1024 * 1024
# A long file takes a lot of memory while it is checked: one at a time.
_checking = threading.Lock()


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a file.

    Args:
        clip_id: its clip
        file_name: its name, safe to display; the clip keeps the name it first came with
        is_duplicate: the same bytes were there already
        job_id: the job that assesses it; ``None`` when it has been assessed
    """

    clip_id: str
    file_name: str
    is_duplicate: bool
    job_id: str | None


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a file comes from: channel, person who brings it, who speaks, the longer recording."""

    source: str
    actor: str | None
    speaker: str | None
    recording: str | None


def submit(  # noqa: PLR0913 - one argument per thing that is known about a file
    runtime: "Runtime",
    content: Path | BinaryIO | bytes,
    *,
    file_name: str,
    source: str = "upload",
    actor: str | None = None,
    speaker: str | None = None,
    recording: str | None = None,
    on_progress: "Progress | None" = None,
) -> Submission:
    """Take a file in, so that it is safe when this returns.

    The whole file is decoded before anything is kept: what is refused leaves nothing behind.

    Args:
        runtime: the runtime
        content: path, bytes, or a binary stream, read from its present position
        file_name: as its owner calls it; anything unsafe to display is taken out
        source: ``upload``, ``microphone``, ``api``, ``folder``, ``sample``
        actor: who brings it
        speaker: who speaks, where that is known
        recording: name of the longer thing that several clips come from (a call, a file cut up):
            statistics count its clips as dependent; the clip alone by default
        on_progress: told how far the check is

    Returns:
        the clip, and whether it was there already

    Raises:
        AudioError: it is refused, and why
        StorageError: the disk is full or the database failed
    """
    name = safe_file_name(file_name)
    limits = runtime.settings.audio
    max_bytes = limits.max_upload_mb * _MB
    with (
        runtime.media.receive(content, name=name, max_bytes=max_bytes) as incoming,
        about_clip(incoming.sha256),
    ):
        known = _submit_again(runtime, incoming, name, actor)
        if known is not None:
            return known
        inspect(incoming.path, name=name, limits=limits)
        with _checking:
            audio = decode(incoming.path, name=name, limits=limits, on_progress=on_progress)
        runtime.media.keep(incoming)
        runtime.media.keep_peaks(incoming.sha256, waveform_peaks(audio))
        submission = _store(
            runtime,
            incoming,
            audio,
            name,
            origin=_Origin(source, actor, speaker, (recording or "").strip() or None),
        )
        if not submission.is_duplicate:
            metrics.count_sound(audio, "clip")
        _log.info("Took in %s (%.1f s).", name, audio.duration_s)
    runtime.worker.wake()
    return submission


def submit_samples(runtime: "Runtime") -> list[Submission]:
    """Take in the sample clips that travel with Werkbench.

    Raises:
        AudioError: a sample is damaged or missing
    """
    return [
        submit(runtime, path, file_name=path.name, source="sample", speaker=entry.get("speaker"))
        for path, entry in sample_manifest()
    ]


def sample_manifest() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Path and manifest entry (NeMo keys) of every sample clip."""
    manifest = bundled_path("sample_audio", "manifest.jsonl")
    for line in manifest.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        yield manifest.parent / entry["audio_filepath"], entry


def _submit_again(
    runtime: "Runtime", incoming: Incoming, name: str, actor: str | None
) -> Submission | None:
    """The same bytes were checked when they came first; a clip that failed gets another try."""
    clip_id = incoming.sha256

    def work(session: Session) -> Submission | None:
        if clips.find(session, clip_id) is None:
            return None
        job = jobs.find_latest(session, kind=ASSESS, clip_id=clip_id)
        is_waiting = job is not None and job.state in (jobs.QUEUED, jobs.RUNNING)
        if not is_waiting:
            is_assessed = assessments.find_latest(session, clip_id) is not None
            job = None if is_assessed else jobs.add(session, ASSESS, clip_id=clip_id, actor=actor)
        return Submission(clip_id, name, True, None if job is None else job.id)

    known = runtime.database.write(work)
    if known is not None:
        if not runtime.media.place(clip_id).is_file():
            runtime.media.keep(incoming)
        runtime.worker.wake()
    return known


def _store(
    runtime: "Runtime", incoming: Incoming, audio: Audio, name: str, *, origin: _Origin
) -> Submission:
    """Clip and job in one transaction; whoever comes second with the same bytes is told so."""
    clip_id = incoming.sha256

    def work(session: Session) -> Submission:
        is_duplicate = clips.find(session, clip_id) is not None
        if is_duplicate:
            job = jobs.find_latest(session, kind=ASSESS, clip_id=clip_id)
            return Submission(clip_id, name, True, None if job is None else job.id)
        clips.add(
            session,
            clip_id,
            file_name=name,
            source=origin.source,
            size_bytes=incoming.size_bytes,
            duration_s=audio.duration_s,
            source_format=audio.source,
            actor=origin.actor,
            speaker=origin.speaker,
            recording=origin.recording,
        )
        job = jobs.add(session, ASSESS, clip_id=clip_id, actor=origin.actor)
        return Submission(clip_id, name, False, job.id)

    return runtime.database.write(work)
