"""Codecs keep timing, length and level of a voice, and lose what their bit rate cannot hold."""

import numpy as np
import pytest
from scipy import signal

from qe_core.corpus.codec import CODECS, transcode
from qe_core.types import SAMPLE_RATE_HZ, FloatArray


@pytest.fixture
def voice() -> FloatArray:
    """A second of a hummed 140 Hz that begins after 0.3 s and comes in syllables."""
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 140 * order * time_s) / order for order in range(1, 22))
    syllables = np.where(time_s < 0.3, 0, 0.6 + 0.4 * np.cos(2 * np.pi * 4 * (time_s - 0.3)))
    return (0.2 * hum * syllables).astype(np.float32)


def band_db(samples: FloatArray, rate_hz: int, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
    return float(10 * np.log10(power[inside].sum() + 1e-12))


def unlikeness_db(heard: FloatArray, sent: FloatArray) -> float:
    """How far the levels of 32 ms and 31 to 62 Hz lie apart where the sent sound is loud."""
    levels = [20 * np.log10(np.abs(signal.stft(x, nperseg=256)[2]) + 1e-4) for x in (heard, sent)]
    loud = levels[1] > -50
    return float(np.mean(np.abs(levels[0] - levels[1])[loud]))


@pytest.mark.parametrize("name", sorted(CODECS))
def test_timing_length_and_level_stay(voice: FloatArray, name: str) -> None:
    codec = CODECS[name]
    sent = signal.resample_poly(voice, codec.sample_rate_hz, SAMPLE_RATE_HZ)

    heard = transcode(voice, codec, codec.bit_rates[-1])

    assert len(heard) == len(sent)
    onset_s = np.argmax(np.abs(heard) > 0.1) / codec.sample_rate_hz
    assert onset_s == pytest.approx(0.3, abs=0.02)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(np.sqrt(np.mean(sent**2)), rel=0.2)
    assert unlikeness_db(heard, sent) < 6


@pytest.mark.parametrize("name", sorted(CODECS))
def test_the_lowest_bit_rate_loses_most(voice: FloatArray, name: str) -> None:
    codec = CODECS[name]
    sent = signal.resample_poly(voice, codec.sample_rate_hz, SAMPLE_RATE_HZ)
    lowest, highest = (
        unlikeness_db(transcode(voice, codec, bit_rate), sent)
        for bit_rate in (codec.bit_rates[0], codec.bit_rates[-1])
    )
    assert lowest > highest


def test_mp3_at_8_kbps_cuts_off_what_is_high(rng: np.random.Generator) -> None:
    hiss = (0.1 * rng.standard_normal(SAMPLE_RATE_HZ)).astype(np.float32)

    heard = transcode(hiss, CODECS["mp3"], 8_000)

    lost_db = band_db(hiss, SAMPLE_RATE_HZ, 6000, 8000) - band_db(heard, SAMPLE_RATE_HZ, 6000, 8000)
    kept_db = band_db(hiss, SAMPLE_RATE_HZ, 300, 1500) - band_db(heard, SAMPLE_RATE_HZ, 300, 1500)
    assert lost_db > 20
    assert abs(kept_db) < 6


def test_the_codec_of_mobile_phones_is_narrow(voice: FloatArray) -> None:
    assert len(transcode(voice, CODECS["amr"], 4_750)) == len(voice) // 2
