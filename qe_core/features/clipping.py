"""Clipping, found in the histogram of the samples."""

import math

import numpy as np
import numpy.typing as npt

from qe_core.features.frames import stretches
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = ["clipped_share"]

_LENGTH = SAMPLE_RATE_HZ * 30 // 1000
_NUM_BINS = 200
_MIN_POWER = 10 ** (-50 / 10)
_MIN_COEFFICIENT = 0.9
# What is never topped over nine tenths of the histogram stands in its first tenth.
_EDGE_BINS = _NUM_BINS // 2 - math.ceil(_MIN_COEFFICIENT * (_NUM_BINS - 1) / 2)
_MIN_PEAK = 4 * _LENGTH / _NUM_BINS


def clipped_share(samples: FloatArray) -> float:
    """Share of the frames in which the loudest samples pile up at a ceiling.

    Finds clipping below full scale too, for instance when it was turned down afterwards.

    Args:
        samples: the clip, shape ``(num_samples,)``

    Returns:
        share in [0, 1] of the frames of 30 ms above -50 dBFS; NaN when no frame is that loud. Of
        long clips as in :mod:`qe_core.features.frames`

    References:
        C. Laguna and A. Lerch (2016), An efficient algorithm for clipping detection and declipping
        audio, AES 141, section 2 (the histogram coefficient).
    """
    num_loud = num_clipped = 0
    for _, stretch in stretches(samples):
        frames = stretch[: len(stretch) // _LENGTH * _LENGTH].reshape(-1, _LENGTH)
        frames = frames[frames.var(axis=1) > _MIN_POWER]
        frames = frames[np.ptp(frames, axis=1) > 0]
        num_loud += len(frames)
        num_clipped += int(_is_clipped(frames).sum())
    return num_clipped / num_loud if num_loud else np.nan


def _is_clipped(frames: FloatArray) -> npt.NDArray[np.bool_]:
    counts = _histograms(frames)
    half = _NUM_BINS // 2
    return _piles_up(counts[:, :half]) | _piles_up(counts[:, : half - 1 : -1])


def _histograms(frames: FloatArray) -> npt.NDArray[np.int64]:
    """Counts per frame in bins from its minimum to its maximum."""
    low = frames.min(axis=1, keepdims=True)
    scale = (_NUM_BINS - 1e-3) / np.ptp(frames, axis=1, keepdims=True)
    bins = ((frames - low) * scale).astype(np.intp).clip(0, _NUM_BINS - 1)
    bins += np.arange(len(frames))[:, None] * _NUM_BINS
    counts = np.bincount(bins.ravel(), minlength=len(frames) * _NUM_BINS)
    return counts.reshape(len(frames), _NUM_BINS)


def _piles_up(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Walk from the edge (first column) inward: is the edge never topped again, and high?"""
    is_pile: npt.NDArray[np.bool_] = counts[:, :_EDGE_BINS].max(axis=1) > _MIN_PEAK
    # Few frames have a high edge, and the walk takes longer than the histogram.
    is_pile[is_pile] = _is_never_topped(counts[is_pile])
    return is_pile


def _is_never_topped(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    highest = np.maximum.accumulate(counts, axis=1)
    is_new_peak = np.zeros(counts.shape, dtype=bool)
    is_new_peak[:, 1:] = counts[:, 1:] > highest[:, :-1]
    index = np.arange(counts.shape[1])
    last_peak = np.maximum.accumulate(np.where(is_new_peak, index, 0), axis=1)
    run = index - last_peak
    longest = run.argmax(axis=1)
    rows = np.arange(len(counts))
    coefficient = 2 * run[rows, longest] / (_NUM_BINS - 1)
    peak = highest[rows, longest]
    found: npt.NDArray[np.bool_] = (coefficient >= _MIN_COEFFICIENT) & (peak > _MIN_PEAK)
    return found
