"""Which corrected clips a recogniser learns from, and which of them only judge it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qe_core.config import FinetuneSettings
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.text import normalise

__all__ = ["REASONS", "DataSet", "Part", "SpokenClip", "part_of", "require_all_parts", "sort_out"]

Part = Literal["train", "validation", "test"]

PARTS: tuple[Part, ...] = ("train", "validation", "test")

REASONS: Mapping[str, str] = {
    "rejected": "rejected at review",
    "empty": "without words",
    "too_short": "too short",
    "too_long": "too long",
    "unknown_snr": "without a measured signal-to-noise ratio",
    "noisy": "too noisy",
}
"""Why a reviewed clip is left out, in the order in which it is looked at, and in plain words."""


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """A reviewed clip.

    Args:
        id: of the clip
        audio: the file
        text: what a person says is said; empty for a rejected clip
        speaker: who speaks; ``None`` when nobody knows
        language: ISO 639-1 code
        duration_s: length of the file
        snr_db: signal-to-noise ratio; NaN when it is not known
        is_rejected: a person found it unusable
    """

    id: str
    audio: Path
    text: str
    speaker: str | None = None
    language: str = "en"
    duration_s: float = math.nan
    snr_db: float = math.nan
    is_rejected: bool = False

    @property
    def group(self) -> str:
        """Whose clips stay together: the speaker's, or the clip alone."""
        return self.speaker or self.id


@dataclass(frozen=True, slots=True)
class DataSet:
    """Clips to learn from, to stop by, and to judge by.

    Args:
        train: these teach
        validation: these say when to stop and how much of the old weights to keep
        test: these judge, and teach nothing
        left_out: how many clips are not used, by name in :data:`REASONS`
    """

    train: tuple[SpokenClip, ...]
    validation: tuple[SpokenClip, ...]
    test: tuple[SpokenClip, ...]
    left_out: Mapping[str, int]

    @property
    def num_clips(self) -> int:
        """Clips in all parts."""
        return len(self.train) + len(self.validation) + len(self.test)

    @property
    def duration_s(self) -> float:
        """Seconds of audio in all parts."""
        return sum(clip.duration_s for part in PARTS for clip in self.part(part))

    @property
    def num_speakers(self) -> int:
        """Known speakers in all parts."""
        speakers = {clip.speaker for part in PARTS for clip in self.part(part)}
        return len(speakers - {None})

    def part(self, name: Part) -> tuple[SpokenClip, ...]:
        """The clips of a part."""
        parts: dict[Part, tuple[SpokenClip, ...]] = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return parts[name]


def sort_out(clips: Sequence[SpokenClip], settings: FinetuneSettings) -> DataSet:
    """Leave out what cannot teach, count it by reason, and split the rest.

    Args:
        clips: reviewed clips
        settings: bounds and shares

    Returns:
        the data set; any part of it may be empty
    """
    parts: dict[Part, list[SpokenClip]] = {name: [] for name in PARTS}
    left_out = dict.fromkeys(REASONS, 0)
    for clip in clips:
        reason = _reason_against(clip, settings)
        if reason is not None:
            left_out[reason] += 1
            continue
        name = clip.group if settings.split_by == "speaker" else clip.id
        parts[part_of(name, settings)].append(clip)
    return DataSet(
        train=tuple(parts["train"]),
        validation=tuple(parts["validation"]),
        test=tuple(parts["test"]),
        left_out=left_out,
    )


def part_of(name: str, settings: FinetuneSettings) -> Part:
    """The part of a speaker, by name alone, so that nobody ever changes sides.

    Whoever tests is held out of all other training as well: the shares are cut from the same end of
    the same hash as in :func:`qe_core.corpus.split.is_held_out`.

    Examples:
        >>> settings = FinetuneSettings(validation_share=0.2, test_share=0.2)
        >>> [part_of(f"speaker-{number}", settings) for number in range(2, 6)]
        ['validation', 'train', 'validation', 'test']
    """
    if is_held_out(name, share=settings.test_share):
        return "test"
    if is_held_out(name, share=settings.test_share + settings.validation_share):
        return "validation"
    return "train"


def require_all_parts(data: DataSet) -> None:
    """Refuse a data set that cannot teach, stop or judge.

    Raises:
        TrainingError: a part has no clips, with what is missing
    """
    if data.num_clips == 0:
        raise TrainingError(
            f"There is no corrected clip to learn from; {_left_out(data)}.",
            suggestion="Review clips at the desk, or loosen the bounds in finetune.* of the "
            "settings.",
            code="no_clips",
        )
    missing = [name for name in PARTS if not data.part(name)]
    if missing:
        raise TrainingError(
            f"The split leaves no clip for {' and '.join(missing)}: there are {data.num_clips} "
            f"usable clips of {_speakers(data)}, and all clips of a speaker stay together.",
            suggestion="Review clips of more speakers, raise finetune.validation_share and "
            "finetune.test_share, or set finetune.split_by to clip; then the figures hold for "
            "known speakers only.",
            code="empty_part",
        )


def _reason_against(clip: SpokenClip, settings: FinetuneSettings) -> str | None:
    checks = {
        "rejected": clip.is_rejected,
        "empty": not normalise(clip.text),
        "too_short": clip.duration_s < settings.min_duration_s,
        "too_long": clip.duration_s > settings.max_duration_s,
        "unknown_snr": math.isnan(clip.snr_db),
        "noisy": clip.snr_db < settings.min_snr_db,
    }
    return next((name for name in REASONS if checks[name]), None)


def _speakers(data: DataSet) -> str:
    if data.num_speakers == 0:
        return "unknown speakers"
    return "one speaker" if data.num_speakers == 1 else f"{data.num_speakers} speakers"


def _left_out(data: DataSet) -> str:
    counts = [f"{count} {REASONS[name]}" for name, count in data.left_out.items() if count]
    return f"left out: {', '.join(counts)}" if counts else "nothing has been reviewed yet"
