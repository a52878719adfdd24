import pytest

from qe_core.errors import TrainingError
from qe_core.recogniser.voices import ESPEAK_VOICES, phones_of, speak

TEXT = "We spoke of the weather in the morning."
needs_synthesisers = pytest.mark.usefixtures("synthesisers")


@needs_synthesisers
@pytest.mark.slow
@pytest.mark.parametrize("voice", ["flite-slt", "flite-kal16", ESPEAK_VOICES[0], ESPEAK_VOICES[-1]])
def test_every_word_has_its_time(voice: str) -> None:
    spoken = speak(TEXT, voice)
    duration_s = len(spoken.samples) / 16_000
    assert 1.0 < duration_s < 5.0
    assert len(spoken.words) == len(TEXT.split())
    assert all(word.start_s <= word.end_s <= duration_s + 0.05 for word in spoken.words)
    starts = [word.start_s for word in spoken.words]
    assert starts == sorted(starts)
    assert abs(spoken.samples).max() <= 1.0


@needs_synthesisers
@pytest.mark.slow
def test_speed_and_pitch_change_the_sound() -> None:
    slow = speak(TEXT, ESPEAK_VOICES[0], rate=0.8)
    fast = speak(TEXT, ESPEAK_VOICES[0], rate=1.2)
    assert len(slow.samples) > 1.2 * len(fast.samples)


@needs_synthesisers
@pytest.mark.slow
def test_only_flite_tells_its_phones() -> None:
    phones = speak("Cat.", "flite-slt").phones
    assert [phone.name for phone in phones] == ["pau", "k", "ae", "t", "pau"]
    assert [phone.end_s for phone in phones] == sorted(phone.end_s for phone in phones)
    assert speak("Cat.", ESPEAK_VOICES[0]).phones == ()
    assert phones_of("Cat.") == ("k", "ae", "t")


@needs_synthesisers
def test_a_voice_that_espeak_does_not_have_is_named() -> None:
    with pytest.raises(TrainingError, match="no voice"):
        speak(TEXT, "espeak-gmw/xx")


def test_an_unknown_family_of_voices_is_refused() -> None:
    with pytest.raises(TrainingError, match="no such voice"):
        speak(TEXT, "dectalk-paul")


def test_a_library_that_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from qe_core.recogniser import voices

    def missing(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(voices.ctypes, "CDLL", missing)
    voices._flite.cache_clear()
    with pytest.raises(TrainingError, match="not there") as caught:
        speak(TEXT, "flite-slt")
    voices._flite.cache_clear()
    assert "apt install" in caught.value.suggestion
