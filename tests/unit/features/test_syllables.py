import numpy as np
import pytest

from qe_core.features.syllables import SyllableFeatures, count_written
from tests.unit.features.sounds import at_snr, context, noise, said, syllables, tone

WHOLE = (0.0, 6.0)


def extract(samples, *edges_s, text=None):
    transcript = None if text is None else said(text)
    return SyllableFeatures().extract(context(samples, *edges_s, transcript=transcript))


@pytest.mark.parametrize("rate_hz", [2.0, 4.0, 6.0])
def test_swells_are_counted(rate_hz):
    sound = syllables(np.random.default_rng(1), 6.0, rate_hz)
    values = extract(sound, WHOLE)
    assert values["syllables"] == pytest.approx(6 * rate_hz, abs=2)
    assert values["syllables_per_speech_s"] == pytest.approx(rate_hz, rel=0.1)


def test_level_and_some_noise_change_hardly_anything():
    rng = np.random.default_rng(2)
    clean = syllables(rng, 6.0)
    assert extract(0.01 * clean, WHOLE)["syllables"] == extract(clean, WHOLE)["syllables"]
    assert extract(at_snr(rng, clean, 15), WHOLE)["syllables"] == pytest.approx(24, abs=3)


def test_only_swells_in_speech_count_and_all_speech_is_spoken_for():
    sound = syllables(np.random.default_rng(3), 6.0)
    values = extract(sound, (1.0, 3.0))
    assert values["syllables"] == pytest.approx(8, abs=2)
    assert values["syllables_per_speech_s"] == pytest.approx(values["syllables"] / 2.0)


def test_a_long_clip_is_judged_by_its_stretches():
    sound = np.tile(syllables(np.random.default_rng(4), 10.0), 70)
    assert extract(sound, (0.0, 700.0))["syllables"] == pytest.approx(2800, rel=0.05)


def test_what_is_written_is_held_against_what_is_heard():
    sound = syllables(np.random.default_rng(5), 6.0)
    heard = extract(sound, WHOLE)["syllables"]
    ratio = extract(sound, WHOLE, text="banana potato")["written_per_heard_syllable"]
    assert ratio == pytest.approx(6 / heard)
    assert extract(sound, WHOLE, text="")["written_per_heard_syllable"] == 0


@pytest.mark.parametrize(
    ("samples", "edges_s"),
    [
        (np.zeros(32_000), [(0.0, 2.0)]),
        (noise(np.random.default_rng(6), 2.0), []),
        (noise(np.random.default_rng(6), 2.0), [(0.5, 0.51)]),
    ],
    ids=["silence", "no speech", "hardly any speech"],
)
def test_without_speech_nothing_is_known(samples, edges_s):
    assert np.isnan(list(extract(samples, *edges_s, text="hello").values())).all()


def test_sound_that_only_rises_has_no_syllable_to_hold_words_against():
    rising = np.linspace(0.1, 1, 32_000) * tone(1000, 2.0)
    values = extract(rising, (0.2, 1.6), text="hello")
    assert values["syllables"] == 0
    assert np.isnan(values["written_per_heard_syllable"])


@pytest.mark.parametrize(
    ("text", "num_syllables"),
    [
        ("", 0),
        ("— …", 0),
        ("Yes, banana.", 4),
        ("mph 42", 3),
        ("naïve Übergröße", 6),
        ("молоко Αθήνα", 6),
        ("今日は", 3),
        ("한국어", 3),
        ("שלום לכולם", 4),
    ],
)
def test_syllables_are_counted_in_any_script(text, num_syllables):
    assert count_written(text) == num_syllables
