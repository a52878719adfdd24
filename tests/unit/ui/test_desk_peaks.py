"""The waveform shows where somebody speaks, however quiet the clip."""

import base64

import numpy as np
import pytest

from ui.desk.component import _peaks_data


def _shown(amplitude: float) -> int:
    peaks = np.array([[-amplitude / 2, amplitude], [0.0, 0.0]], np.float32)
    return int(np.frombuffer(base64.b64decode(_peaks_data(peaks)), np.int8).max())


@pytest.mark.parametrize("amplitude", [1.0, 0.1, 0.01])
def test_the_loudest_part_fills_the_height(amplitude: float) -> None:
    assert _shown(amplitude) in (126, 127)


def test_noise_at_the_last_bit_stays_flat() -> None:
    assert _shown(1 / 32768) == 0


def test_a_clip_without_peaks_has_no_waveform() -> None:
    assert _peaks_data(None) == ""
    assert _peaks_data(np.zeros((0, 2), np.float32)) == ""
