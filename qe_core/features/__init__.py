"""Numbers that say how likely a transcript is wrong."""

from collections.abc import Mapping
from types import MappingProxyType

from qe_core.features.acoustic import AcousticFeatures
from qe_core.features.base import FeatureExtractor, FeatureInfo
from qe_core.features.coverage import CoverageFeatures
from qe_core.features.decoder import DecoderFeatures

__all__ = ["AUDIO_ONLY", "INFO", "STANDARD"]

AUDIO_ONLY: tuple[FeatureExtractor, ...] = (AcousticFeatures(),)
"""Groups that judge sound alone."""

STANDARD: tuple[FeatureExtractor, ...] = (
    *AUDIO_ONLY,
    DecoderFeatures(),
    CoverageFeatures(),
)
"""Groups for a clip with a transcript."""

INFO: Mapping[str, FeatureInfo] = MappingProxyType(
    {info.name: info for extractor in STANDARD for info in extractor.features}
)
"""Every feature by name: labels, units and sentences for people."""
