"""Numbers that say how likely a transcript is wrong."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from qe_core.features.acoustic import AcousticFeatures
from qe_core.features.base import FeatureExtractor, FeatureInfo
from qe_core.features.coverage import CoverageFeatures
from qe_core.features.decoder import DecoderFeatures
from qe_core.features.second import SecondOpinionFeatures
from qe_core.features.syllables import SyllableFeatures

__all__ = [
    "AUDIO_ONLY",
    "DEPTHS",
    "FAST",
    "INFO",
    "STANDARD",
    "THOROUGH",
    "Depth",
    "deeper",
    "depths_from",
]

Depth = Literal["fast", "standard", "thorough"]
"""How much is computed before an estimate; every depth holds the features of the one before."""

AUDIO_ONLY: tuple[FeatureExtractor, ...] = (AcousticFeatures(),)
"""Groups that judge sound alone."""

FAST: tuple[FeatureExtractor, ...] = (DecoderFeatures(), CoverageFeatures())
"""Groups that look at the transcript and never at the sound."""

STANDARD: tuple[FeatureExtractor, ...] = (*AUDIO_ONLY, *FAST, SyllableFeatures())
"""Groups for a clip with a transcript."""

THOROUGH: tuple[FeatureExtractor, ...] = (*STANDARD, SecondOpinionFeatures())
"""Groups for a clip that another recogniser has heard, too."""

DEPTHS: Mapping[Depth, tuple[FeatureExtractor, ...]] = MappingProxyType(
    {"fast": FAST, "standard": STANDARD, "thorough": THOROUGH}
)
"""Groups by depth, the cheapest first."""

INFO: Mapping[str, FeatureInfo] = MappingProxyType(
    {info.name: info for extractor in THOROUGH for info in extractor.features}
)
"""Every feature by name: labels, units and sentences for people."""


def depths_from(depth: Depth) -> tuple[Depth, ...]:
    """A depth and those below it, deepest first.

    Examples:
        >>> depths_from("standard")
        ('standard', 'fast')
    """
    names = tuple(DEPTHS)
    return names[names.index(depth) :: -1]


def deeper(one: Depth, other: Depth) -> Depth:
    """The one of two depths that holds the features of both.

    Examples:
        >>> deeper("thorough", "standard")
        'thorough'
    """
    return one if other in depths_from(one) else other
