"""What the comparison of two windows says, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from qe_core.monitoring.domain import DomainAuc
from qe_core.monitoring.drift import ColumnDrift, TooFewClips
from workbench.drift_evidence import COVERAGE, OUTCOME, RESIDUAL, Evidence
from workbench.drift_windows import Series

__all__ = [
    "INPUTS",
    "OUTCOMES",
    "Alarm",
    "DriftReport",
    "FeatureDrift",
    "Period",
    "Reset",
]

INPUTS = (
    "duration_s",
    "speech_share",
    "level_dbfs",
    "noise_floor_dbfs",
    "wada_snr_db",
    "bandwidth_hz",
    "clipped_share",
    "decay_s",
    "confidence_p10",
    "low_confidence_share",
    "uncovered_speech_share",
    "words_per_speech_s",
)
"""The features that are watched; more of them buy false alarms (DESIGN §5.8)."""

OUTCOMES = (RESIDUAL, OUTCOME, COVERAGE)
"""What matters: errors beyond the estimate, the estimate, truth inside its interval."""

_MIN_WINDOWS = 2


@dataclass(frozen=True, slots=True)
class Period:
    """A window of time and what it holds.

    Args:
        start: first moment, UTC; ``None`` for an empty window
        end: last moment, UTC
        num_clips: clips in it
    """

    start: datetime | None
    end: datetime | None
    num_clips: int


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One row of the drift table.

    Args:
        name: stable name of the feature
        label: for people
        unit: of ``before`` and ``now``; empty for shares, rates and counts
        drift: medians, shift, statistic, threshold, p-value, alert of the newest window
        before: the baseline window: median of a feature, mean of an outcome
        now: the newest window
        num_moved: windows, the newest included, in which it differs from the baseline window
        num_windows: windows that were compared, at most three
        evidence: since when, where and in which clips; ``None`` when it did not move
    """

    name: str
    label: str
    unit: str
    drift: ColumnDrift
    before: float | None = None
    now: float | None = None
    num_moved: int = 0
    num_windows: int = 1
    evidence: Evidence | None = None

    @property
    def is_outcome(self) -> bool:
        """Whether it is about the quality of transcripts, not about what comes in."""
        return self.name in OUTCOMES

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """The clips of its evidence."""
        return () if self.evidence is None else tuple(clip.clip_id for clip in self.evidence.clips)

    def named(self, names: Mapping[str, str]) -> "FeatureDrift":
        """The same with file names in its evidence."""
        return self if self.evidence is None else replace(self, evidence=self.evidence.named(names))

    @property
    def is_alarm(self) -> bool:
        """Moved in two of the last three windows; a single window may be chance."""
        return self.num_moved >= _MIN_WINDOWS


@dataclass(frozen=True, slots=True)
class Reset:
    """The baseline began anew: what was before compares with nothing since.

    Args:
        at: when, UTC
        what: what is new, for people
        num_left_out: clips from before
    """

    at: datetime
    what: str
    num_left_out: int


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How the newest window differs from the baseline window.

    Args:
        baseline: what it is compared with
        current: what is looked at
        outcomes: what matters, :data:`OUTCOMES` in order; empty when there are too few clips
        inputs: the watched features, moved ones first; they explain, and alone are no reason to
            page anybody
        domain: whether all features together tell the windows apart
        too_few: what is missing when there are too few clips to tell
        series: predicted WER first, then the features
        resets: newest first
        is_rolling: the windows follow the stream; otherwise a person chose them
        max_clips: at most about so many clips of each window were looked at
    """

    baseline: Period
    current: Period
    outcomes: tuple[FeatureDrift, ...]
    inputs: tuple[FeatureDrift, ...]
    domain: DomainAuc | None
    too_few: TooFewClips | None
    series: tuple[Series, ...]
    resets: tuple[Reset, ...]
    is_rolling: bool
    max_clips: int

    @property
    def outcome(self) -> FeatureDrift | None:
        """The predicted WER; ``None`` when there are too few clips."""
        return next((row for row in self.outcomes if row.name == OUTCOME), None)

    @property
    def num_left_out(self) -> int:
        """Clips of another engine version or feature schema; they compare with nothing."""
        return sum(reset.num_left_out for reset in self.resets)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that moved in two of the last three windows.

    Args:
        name: stable name of the outcome or feature
        label: for people
        unit: of ``before`` and ``now``
        before: the baseline window
        now: the newest window
        is_outcome: quality itself moved; page somebody. Otherwise only what comes in did
        since: when it probably began, UTC
    """

    name: str
    label: str
    unit: str
    before: float | None
    now: float | None
    is_outcome: bool
    since: datetime | None
