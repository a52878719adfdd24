"""What a fine-tuning begins with: the serving Whisper, its checkpoint, and the clips."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qe_core.asr.whisper import find_model
from qe_core.config import EngineSettings, FinetuneSettings
from qe_core.errors import ConfigError, TrainingError
from qe_core.recogniser.dataset import DataSet, SpokenClip, sort_out
from qe_core.recogniser.finetune_checkpoint import find_checkpoint, require_packages
from storage.records import ReviewedClip
from storage.repositories import recognisers
from workbench import preferences

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["NOTHING", "Base", "find_base", "gather", "model_of", "read_replay", "reviewed"]

NOTHING = DataSet((), (), (), {})

_WHISPER = "whisper"
_AUTO = "auto"
# More replayed clips than these per corrected one would never be drawn.
_REPLAY_PER_CLIP = 4
_MAX_REPLAY_JUDGES = 100


@dataclass(frozen=True, slots=True)
class Base:
    """The recogniser that a fine-tuning begins with.

    Args:
        model: what its transcripts carry as their model
        version: its engine version
        folder: its CTranslate2 folder
        checkpoint: its checkpoint: a folder, or a name on the model hub
    """

    model: str
    version: str
    folder: Path
    checkpoint: Path | str


def model_of(settings: EngineSettings) -> str | None:
    """The Whisper that the settings ask for, as a name or a folder; ``None`` for another engine."""
    name, _, model = settings.name.partition(":")
    return (model or settings.whisper_model) if name in (_WHISPER, _AUTO) else None


def find_base(runtime: "Runtime") -> Base:
    """The serving Whisper; loads it when it is not loaded yet, and fetches nothing else.

    Raises:
        TrainingError: another engine serves, packages are missing, or there is no checkpoint
        EngineError: the recogniser cannot be loaded
    """
    require_packages()
    settings = preferences.get(runtime)
    engine = runtime.engine().engine
    model = model_of(settings.engine)
    if engine.name != _WHISPER or model is None:
        raise TrainingError(
            f"The recogniser in use is {engine.name}; only a Whisper can be fine-tuned.",
            suggestion="Choose a Whisper model under Engine on the settings page.",
            code="not_whisper",
        )
    folder = find_model(model, settings.engine)
    return Base(
        model=engine.model,
        version=engine.version,
        folder=folder,
        checkpoint=find_checkpoint(settings.finetune.checkpoint, folder, model),
    )


def gather(runtime: "Runtime") -> DataSet:
    """Corrected and accepted clips, sorted out and split."""
    clips = [_spoken(runtime, clip) for clip in reviewed(runtime)]
    return sort_out(clips, preferences.get(runtime).finetune)


def reviewed(runtime: "Runtime", *, since: datetime | None = None) -> list[ReviewedClip]:
    """Clips with the review that counts, or those reviewed after a time."""
    with runtime.database.session() as session:
        found = recognisers.list_reviewed(session)
    return [clip for clip in found if since is None or clip.reviewed_at > since]


def read_replay(settings: FinetuneSettings, num_clips: int) -> DataSet:
    """Speech that must not be forgotten, split as everything else.

    Args:
        settings: name the manifest; without one there is nothing
        num_clips: corrected clips that are learnt from; bounds what is read

    Raises:
        ConfigError: the manifest cannot be read
    """
    path = settings.replay_manifest
    if path is None:
        return NOTHING
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
        clips = [_replayed(json.loads(line), path.expanduser().parent) for line in lines if line]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"finetune.replay_manifest = {str(path)!r}: not a readable manifest ({error}).",
            suggestion="Give JSON Lines with audio_filepath, duration, text and speaker.",
        ) from error
    data = sort_out(clips, settings)
    return DataSet(
        train=data.train[: _REPLAY_PER_CLIP * num_clips],
        validation=data.validation[:_MAX_REPLAY_JUDGES],
        test=data.test[:_MAX_REPLAY_JUDGES],
        left_out=data.left_out,
    )


def _spoken(runtime: "Runtime", clip: ReviewedClip) -> SpokenClip:
    return SpokenClip(
        id=clip.clip_id,
        audio=runtime.media.place(clip.clip_id).absolute(),
        text=clip.text,
        speaker=clip.speaker,
        language=clip.language,
        duration_s=clip.duration_s,
        snr_db=math.nan if clip.snr_db is None else clip.snr_db,
        is_rejected=clip.verdict == "reject",
    )


def _replayed(record: dict[str, Any], folder: Path) -> SpokenClip:
    return SpokenClip(
        id=str(record["audio_filepath"]),
        audio=(folder / record["audio_filepath"]).absolute(),
        text=str(record["text"]),
        speaker=record.get("speaker"),
        language=str(record.get("language", "en")),
        duration_s=float(record["duration"]),
        # Chosen by whoever wrote the manifest: it is not measured again.
        snr_db=math.inf,
    )
