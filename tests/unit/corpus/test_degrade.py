"""Degradations do what their names and figures say."""

import numpy as np
import pytest

from qe_core.corpus.degrade import (
    Sound,
    add_noise,
    change_speed,
    clip,
    degrade,
    drop_packets,
    make_quiet,
    reverberate,
    telephone,
)
from qe_core.corpus.split import is_held_out
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

# What seeds 0 to 7 drew before there were versions: corpora of that time have to stay the same.
FIRST_VERSION = [
    "room:hum+noise:hiss:6dB",
    "room:hum",
    "noise:hiss:23dB",
    "noise:hiss:23dB",
    "packets:14%",
    "clip:25dB",
    "room:hum",
    "room:hum+noise:hum:21dB",
]


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def speech(generator: np.random.Generator) -> FloatArray:
    """Two seconds of noise bursts: loud and silent like words, broadband like speech."""
    samples = 0.05 * generator.standard_normal(2 * SAMPLE_RATE_HZ)
    samples[::SAMPLE_RATE_HZ] = 0
    return samples.astype(np.float32)


def _power_db(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_is_added_at_the_stated_ratio(
    speech: FloatArray, generator: np.random.Generator, snr_db: float
) -> None:
    noise = (0.01 * generator.standard_normal(5000)).astype(np.float32)
    mixture = add_noise(speech, noise, snr_db, generator)
    assert _power_db(speech) - _power_db(mixture - speech) == pytest.approx(snr_db, abs=0.2)


def test_a_mixture_beyond_full_scale_is_scaled_as_a_whole(generator: np.random.Generator) -> None:
    loud = np.full(1000, 0.9, np.float32)
    mixture = add_noise(loud, np.full(10, 0.5, np.float32), 0.0, generator)
    assert np.abs(mixture).max() == pytest.approx(1.0)
    assert np.ptp(mixture) == pytest.approx(0.0, abs=1e-6)


def test_a_room_keeps_length_level_and_the_time_of_the_direct_sound() -> None:
    click = np.zeros(SAMPLE_RATE_HZ, np.float32)
    click[4000] = 0.5
    room = np.zeros(8000, np.float32)
    room[300] = 1.0  # the direct sound arrives late in the recording of the room
    room[1500] = 0.4
    wet = reverberate(click, room)
    assert len(wet) == len(click)
    assert int(np.argmax(np.abs(wet))) == 4000
    assert _power_db(wet) == pytest.approx(_power_db(click), abs=0.1)
    assert wet[4000 + 1200] > 0.1


def test_a_telephone_passes_voices_and_stops_bass(generator: np.random.Generator) -> None:
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    levels = {}
    for frequency_hz in (60, 1000):
        tone = (0.3 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)
        sent = telephone(tone)
        assert len(sent) == len(tone) // 2
        levels[frequency_hz] = _power_db(sent[1000:-1000]) - _power_db(tone)
    assert levels[1000] == pytest.approx(0, abs=1)
    assert levels[60] < -20


def test_clipping_drives_the_loudest_sample_beyond_full_scale() -> None:
    sine = np.sin(np.linspace(0, 60, 5000)).astype(np.float32) * np.float32(0.1)
    overloaded = clip(sine, 20.0)
    assert np.abs(overloaded).max() == 1.0
    assert np.mean(np.abs(overloaded) == 1.0) == pytest.approx(0.936, abs=0.02)


def test_a_quiet_clip_has_the_stated_level_and_16_bit_steps(speech: FloatArray) -> None:
    quiet = make_quiet(speech, -50.0)
    assert _power_db(quiet) == pytest.approx(-50, abs=0.2)
    assert np.allclose(quiet * 32767, np.round(quiet * 32767), atol=1e-3)


def test_lost_packets_silence_about_the_stated_share(
    speech: FloatArray, generator: np.random.Generator
) -> None:
    lossy = drop_packets(speech + np.float32(0.01), 0.2, generator)
    assert np.mean(lossy == 0) == pytest.approx(0.22, abs=0.06)


def test_faster_speech_is_shorter(speech: FloatArray) -> None:
    assert len(change_speed(speech, 1.25)) == pytest.approx(len(speech) / 1.25, rel=0.01)


def test_the_same_seed_degrades_the_same_way(speech: FloatArray) -> None:
    sounds = [Sound("hiss", speech[::-1].copy()), Sound("hum", speech[5000:])]
    first, second, other = (
        [
            degrade(speech, noises=sounds, rooms=sounds, rng=np.random.default_rng(seed + draw))
            for draw in range(20)
        ]
        for seed in (0, 0, 100)
    )
    assert [item.condition for item in first] == [item.condition for item in second]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(first, second, strict=True))
    assert [item.condition for item in first] != [item.condition for item in other]


def test_every_kind_of_degradation_is_drawn_and_stays_within_full_scale(
    speech: FloatArray, generator: np.random.Generator
) -> None:
    sounds = [Sound("hiss", speech[::-1].copy())]
    drawn = [degrade(speech[:8000], noises=sounds, rooms=sounds, rng=generator) for _ in range(120)]
    kinds = {item.condition.split(":")[0].split("+")[0] for item in drawn}
    assert kinds == {"noise", "room", "telephone", "clip", "quiet", "packets", "speed", "codec"}
    assert all(np.abs(item.samples).max() <= 1.0 for item in drawn)
    assert {item.sample_rate_hz for item in drawn} == {8000, 16000}


def test_the_first_version_of_the_degradations_draws_as_ever(speech: FloatArray) -> None:
    sounds = [Sound("hiss", speech[::-1].copy()), Sound("hum", speech[5000:])]
    drawn = [
        degrade(
            speech[:8000], noises=sounds, rooms=sounds, rng=np.random.default_rng(seed), version=1
        ).condition
        for seed in range(8)
    ]
    assert drawn == FIRST_VERSION


def test_a_quarter_of_all_names_is_held_out_for_ever() -> None:
    held_out = [is_held_out(f"voice {index}") for index in range(2000)]
    assert np.mean(held_out) == pytest.approx(0.25, abs=0.03)
    assert is_held_out("sea waves")
    assert not is_held_out("dog bark")
