"""Peaks for drawing keep every extreme of the clip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.audio import waveform_peaks
from qe_core.types import Audio, SourceFormat
from tests.audio_files import tone

SOURCE = SourceFormat("wav", "pcm_s16le", 16_000, 1)


@given(st.integers(1, 5000), st.integers(1, 300))
def test_every_extreme_survives(num_samples: int, num_bins: int) -> None:
    rng = np.random.default_rng(num_samples)
    samples = rng.uniform(-1, 1, num_samples).astype(np.float32)
    peaks = waveform_peaks(Audio(samples, SOURCE), num_bins)
    assert peaks.shape == (num_bins, 2)
    assert peaks.dtype == np.float32
    assert (peaks[:, 0] <= peaks[:, 1]).all()
    assert set(peaks.ravel()) <= set(samples)
    if num_bins <= num_samples:
        assert peaks[:, 0].min() == samples.min()
        assert peaks[:, 1].max() == samples.max()


def test_a_steady_tone_has_a_steady_outline() -> None:
    peaks = waveform_peaks(Audio(tone(2.0), SOURCE))
    assert peaks.shape == (2000, 2)
    np.testing.assert_allclose(peaks[:, 1], 0.5, atol=1e-3)
    np.testing.assert_allclose(peaks[:, 0], -0.5, atol=1e-3)


@pytest.mark.parametrize("num_samples", [0, 1, 3])
def test_a_clip_with_fewer_samples_than_bins_is_drawn(num_samples: int) -> None:
    peaks = waveform_peaks(Audio(np.full(num_samples, 0.5, dtype=np.float32), SOURCE), 10)
    assert peaks.shape == (10, 2)
    assert (peaks == (0.5 if num_samples else 0.0)).all()
