"""The interface of a feature extractor and the set of features an estimator is trained on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from qe_core.features.frames import Frames, analyse
from qe_core.types import Audio, SpeechSpan, Transcript

__all__ = [
    "FeatureContext",
    "FeatureExtractor",
    "FeatureInfo",
    "covers",
    "extract",
    "schema_of",
    "undefined",
]


@dataclass(frozen=True)
class FeatureContext:
    """What an extractor may look at.

    Args:
        audio: the clip
        speech: where somebody speaks
        transcript: the hypothesis; ``None`` for extractors that judge sound alone
        second: what another recogniser made of the same clip; ``None`` when none was asked or none
            could hear it
    """

    audio: Audio
    speech: tuple[SpeechSpan, ...]
    transcript: Transcript | None = None
    second: Transcript | None = None

    @cached_property
    def frames(self) -> Frames:
        """The short-time analysis that groups share; made once."""
        return analyse(self.audio.samples, self.speech)


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """What a feature is, for people.

    Args:
        name: stable identifier, unit at the end where it has one
        label: two or three words for tables and axes
        unit: unit of the value, empty for shares and counts
        high: plain sentence for a reviewer when the value pushes the estimate up from above
        low: plain sentence for a reviewer when the value pushes the estimate up from below; either
            is empty where it would tell a reviewer nothing, and such a reason is not shown
    """

    name: str
    label: str
    unit: str = ""
    high: str = ""
    low: str = ""


class FeatureExtractor(Protocol):
    """A group of features that are computed together."""

    @property
    def name(self) -> str:
        """Name of the group, e.g. ``"coverage"``."""
        ...

    @property
    def version(self) -> int:
        """Counts up whenever the same input would give other numbers."""
        ...

    @property
    def needs_transcript(self) -> bool:
        """Whether the group looks at the hypothesis."""
        ...

    @property
    def needs_second(self) -> bool:
        """Whether the group looks at the second opinion."""
        ...

    @property
    def features(self) -> tuple[FeatureInfo, ...]:
        """The features, in a fixed order."""
        ...

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """Compute the group.

        Args:
            context: the clip

        Returns:
            one finite value or NaN (undefined for this clip) for each of ``features``
        """
        ...


def undefined(features: Sequence[FeatureInfo]) -> dict[str, float]:
    """NaN for each of them, to begin with."""
    return dict.fromkeys((info.name for info in features), math.nan)


def extract(extractors: Sequence[FeatureExtractor], context: FeatureContext) -> Mapping[str, float]:
    """Compute all features of all groups, in order."""
    values: dict[str, float] = {}
    for extractor in extractors:
        values.update(extractor.extract(context))
    return values


def schema_of(extractors: Sequence[FeatureExtractor]) -> str:
    """Name of a feature schema: changes with every group, its version and its features."""
    return ";".join(
        f"{extractor.name}@{extractor.version}:{len(extractor.features)}"
        for extractor in extractors
    )


def covers(schema: str, wanted: str) -> bool:
    """Whether features of one schema hold all features of another, from the same versions.

    Args:
        schema: of the features that are there, see :func:`schema_of`
        wanted: of the features that are needed

    Examples:
        >>> covers("acoustic@4:26;decoder@1:26", "decoder@1:26")
        True
    """
    return set(wanted.split(";")) <= set(schema.split(";"))
