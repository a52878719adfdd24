"""What the estimator learns from: transcribed clips with their references."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qe_core.serialise import transcript_from_json, transcript_to_json
from qe_core.types import Transcript

__all__ = ["Recognised", "TrainingExample", "read_recognised", "write_recognised"]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A clip of the corpus after recognition; features come later and can be recomputed.

    Args:
        audio_filepath: the audio that was recognised (degraded already, at its own sample rate)
        duration: length in seconds
        reference: human truth
        transcript: what the engine wrote
        speaker: who speaks; splits never part a speaker
        recording: the longer thing the clip comes from
        source: name of the data set
        language: ISO 639-1 code of what is spoken
        condition: how the clip was degraded, e.g. ``"clean"``, ``"noise:babble:5dB"``
    """

    audio_filepath: str
    duration: float
    reference: str
    transcript: Transcript
    speaker: str
    recording: str
    source: str
    language: str
    condition: str


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One row of the estimator's training table.

    Args:
        features: by name; NaN where undefined
        reference: human truth
        transcript: what the engine wrote
        duration_s: length of the clip
        group: speaker and recording; splits never part a group
        source: data set or intake channel, for slices
        condition: how the clip was degraded, for slices
        weight: relative weight in training
        is_uniform_draw: drawn at random whatever its estimate; only these may judge a model
        origin: ``"builtin"`` or ``"review"``
        id: what it can be traced back to (a corpus row or a review)
        second: what another recogniser made of the same clip
    """

    features: Mapping[str, float]
    reference: str
    transcript: Transcript
    duration_s: float
    group: str
    source: str
    condition: str = "clean"
    weight: float = 1.0
    is_uniform_draw: bool = True
    origin: str = "builtin"
    id: str = field(default="")
    second: Transcript | None = None


def write_recognised(rows: Iterable[Recognised], path: Path) -> None:
    """Append rows to a JSON Lines file; a line that a crash cut off is dropped first."""
    _drop_partial_line(path)
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            record: dict[str, Any] = {
                "audio_filepath": row.audio_filepath,
                "duration": row.duration,
                "text": row.reference,
                "speaker": row.speaker,
                "recording": row.recording,
                "source": row.source,
                "language": row.language,
                "condition": row.condition,
                "transcript": json.loads(transcript_to_json(row.transcript)),
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_recognised(path: Path) -> Iterator[Recognised]:
    """Read what :func:`write_recognised` wrote; a line cut off by a crash is skipped at the end."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            record = json.loads(line)
            yield Recognised(
                audio_filepath=record["audio_filepath"],
                duration=record["duration"],
                reference=record["text"],
                transcript=transcript_from_json(json.dumps(record["transcript"])),
                speaker=record["speaker"],
                recording=record["recording"],
                source=record["source"],
                language=record["language"],
                condition=record["condition"],
            )


def _drop_partial_line(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb+") as file:
        size = file.seek(0, 2)
        if size == 0:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
