"""What was predicted against what reviewers found, clip by clip and slice by slice."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qe_core.estimation.evaluation import CalibrationBin, Scores, Truth, calibration_bins, evaluate
from qe_core.monitoring.slices import SliceResidual, residuals, worst
from storage.repositories import statistics
from storage.repositories.statistics import Columns
from workbench.remembered import remembered

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["SLICES", "ClipPair", "Comparison", "SliceTable", "comparison"]

_MIN_FOR_CORRELATION = 10
_MIN_FOR_BINS = 10
_MAX_PAIRS = 500
_MAX_SLICES = 24
# Between the usual pitch of men and of women; a voice is all that is known of most speakers.
_HIGH_VOICE_HZ = 165.0
_SNR_EDGES_DB = (5.0, 10.0, 20.0)
_LENGTH_EDGES_S = (5.0, 15.0, 60.0)

SLICES = (
    "source",
    "language",
    "speaker",
    "voice",
    "engine",
    "hour",
    "signal-to-noise ratio",
    "length",
    "sample rate",
)
"""By what the stream is cut into parts."""


@dataclass(frozen=True, slots=True)
class ClipPair:
    """What was predicted for a clip before its review, and what turned out.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        num_words: words of the reference
        predicted_wer: predicted WER
        low: lower end of its interval
        high: upper end of its interval
        actual_wer: true WER
        policy: how the clip was drawn
    """

    clip_id: str
    file_name: str
    duration_s: float
    num_words: int
    predicted_wer: float
    low: float
    high: float
    actual_wer: float
    policy: str


@dataclass(frozen=True, slots=True)
class SliceTable:
    """Errors beyond the prediction by slice.

    Args:
        rows: largest residual first, small slices last
        worst: where errors are underestimated beyond chance; ``None`` when no slice stands out
        num_left_out: slices beyond the two dozen with most clips
    """

    rows: tuple[SliceResidual, ...]
    worst: SliceResidual | None
    num_left_out: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predicted against actual.

    Args:
        columns: of :func:`storage.repositories.statistics.judged_clips`, clips that can be compared
        bins: calibration, lowest prediction first; empty for fewer than ten clips
        mae: mean absolute error of the predicted WER; ``None`` without clips
        spearman: rank correlation; ``None`` for fewer than ten clips
        coverage: share of true WERs inside their interval; ``None`` without clips
    """

    columns: Columns
    bins: tuple[CalibrationBin, ...]
    mae: float | None
    spearman: float | None
    coverage: float | None

    @property
    def num_clips(self) -> int:
        """How many clips could be compared."""
        return len(self.columns["clip_id"])

    def pairs(self) -> tuple[ClipPair, ...]:
        """The newest five hundred clips, oldest review first."""
        names = ("clip_id", "file_name", "duration_s", "words", "predicted_wer", "low", "high")
        rows = zip(*(self.columns[name][-_MAX_PAIRS:] for name in names), strict=True)
        wers = self.columns["errors"][-_MAX_PAIRS:] / self.columns["words"][-_MAX_PAIRS:]
        return tuple(
            ClipPair(
                str(clip_id),
                str(name),
                float(duration_s),
                int(words),
                float(predicted),
                float(low),
                float(high),
                float(actual),
                str(policy),
            )
            for (clip_id, name, duration_s, words, predicted, low, high), actual, policy in zip(
                rows, wers, self.columns["policy"][-_MAX_PAIRS:], strict=True
            )
        )

    def by_slice(self, kind: str, *, only_audits: bool) -> SliceTable:
        """Errors beyond the prediction in parts of the stream.

        Args:
            kind: one of :data:`SLICES`
            only_audits: clips drawn at random; others were picked because errors were expected,
                and of what is picked for a high estimate some is always overestimated
        """
        keep = self.columns["policy"] == "audit" if only_audits else np.ones(self.num_clips, bool)
        columns = {name: values[keep] for name, values in self.columns.items()}
        labels = _labels(kind, columns)
        names, sizes = np.unique(labels, return_counts=True)
        largest = names[np.argsort(-sizes, kind="stable")][:_MAX_SLICES]
        inside = np.isin(labels, largest)
        rows = residuals(
            labels[inside],
            columns["recording"][inside].astype(np.str_),
            columns["errors"][inside],
            columns["expected_errors"][inside],
            columns["words"][inside],
        )
        return SliceTable(rows, worst(rows), len(names) - len(largest))


def comparison(runtime: "Runtime") -> Comparison:
    """Compare what was predicted with what reviewers found.

    Predictions are those that stood before the review. A clip in which nothing was said, or for
    which nothing was predicted, cannot be compared.
    """
    return remembered(runtime, "comparison", lambda: _compare(runtime))


def _compare(runtime: "Runtime") -> Comparison:
    with runtime.database.session() as session:
        found = statistics.judged_clips(session)
    keep = (found["words"] > 0) & np.isfinite(found["predicted_wer"])
    columns = {name: values[keep] for name, values in found.items()}
    truth = Truth(
        errors=columns["errors"], words=columns["words"], duration_s=columns["duration_s"]
    )
    scores = Scores(
        wer=columns["predicted_wer"].astype(np.float32),
        errors=columns["expected_errors"].astype(np.float32),
        low=columns["low"].astype(np.float32),
        high=columns["high"].astype(np.float32),
    )
    num_clips = int(keep.sum())
    metrics = evaluate(truth, scores) if num_clips else None
    has_enough = num_clips >= _MIN_FOR_CORRELATION
    return Comparison(
        columns=columns,
        bins=calibration_bins(truth, scores) if num_clips >= _MIN_FOR_BINS else (),
        mae=None if metrics is None else metrics.mae,
        spearman=metrics.spearman if metrics is not None and has_enough else None,
        coverage=None if metrics is None else metrics.coverage,
    )


def _labels(kind: str, columns: Columns) -> npt.NDArray[np.str_]:
    if kind == "voice":
        return _ranges(columns["pitch_hz"], (_HIGH_VOICE_HZ,), "Hz")
    if kind == "signal-to-noise ratio":
        return _ranges(columns["wada_snr_db"], _SNR_EDGES_DB, "dB")
    if kind == "length":
        return _ranges(columns["duration_s"], _LENGTH_EDGES_S, "s")
    if kind == "hour":
        return np.array([f"{hour:02d}:00 UTC" for hour in columns["hour"]], np.str_)
    if kind == "sample rate":
        return np.array([f"{rate / 1000:g} kHz" for rate in columns["sample_rate_hz"]], np.str_)
    return np.array([value or "unknown" for value in columns[kind]], np.str_)


def _ranges(values: Any, edges: tuple[float, ...], unit: str) -> npt.NDArray[np.str_]:
    names = [f"below {edges[0]:g} {unit}"]
    names += [f"{low:g}–{high:g} {unit}" for low, high in pairwise(edges)]
    names += [f"{edges[-1]:g} {unit} and more", "unknown"]
    index = np.where(np.isfinite(values), np.digitize(values, edges), len(names) - 1)
    return np.array(names, np.str_)[index]
