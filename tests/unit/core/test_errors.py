"""Every error can be acted on, by a person and by a program."""

import copy

import pytest

from qe_core import errors, refusals
from qe_core.config import AudioSettings
from qe_core.errors import AudioError, NotFoundError, WerkbenchError

TREE = [getattr(errors, name) for name in errors.__all__ if name != "WerkbenchError"]
LIMITS = AudioSettings()


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_each_error_carries_message_suggestion_and_code(kind: type[WerkbenchError]) -> None:
    error = kind("a.wav: wrong.", suggestion="Mend it.")
    assert isinstance(error, WerkbenchError)
    assert str(error) == error.message == "a.wav: wrong."
    assert error.suggestion == "Mend it."
    assert error.code == kind.default_code


def test_each_error_has_its_own_default_code() -> None:
    codes = [kind.default_code for kind in TREE]
    assert len(set(codes)) == len(codes)
    assert WerkbenchError.default_code not in codes


def test_a_code_can_say_more_than_the_class() -> None:
    assert AudioError("m", suggestion="s", code="silent").code == "silent"


def test_an_error_comes_back_from_another_process_as_it_was() -> None:
    sent = AudioError("m", suggestion="s", code="silent")
    back = copy.copy(sent)  # takes the way that pickle takes, too
    assert type(back) is AudioError
    assert (back.message, back.suggestion, back.code) == ("m", "s", "silent")


def test_errors_are_also_the_builtin_ones() -> None:
    assert issubclass(AudioError, ValueError)
    assert issubclass(NotFoundError, LookupError)


@pytest.mark.parametrize(
    "error",
    [
        refusals.missing("a.wav", "not a file"),
        refusals.empty("a.wav"),
        refusals.too_small("a.wav", 7, LIMITS),
        refusals.not_audio("a.wav"),
        refusals.no_audio_stream("a.wav", has_video=True),
        refusals.no_audio_stream("a.wav", has_video=False),
        refusals.unsupported("a.wav", "its audio codec"),
        refusals.damaged("a.wav", "only 0.10 s of sound can be decoded"),
        refusals.too_short("a.wav", 0.1, LIMITS),
        refusals.too_long("a.wav", 10_800.4, LIMITS),
        refusals.too_long("a.wav", None, LIMITS),
        refusals.not_finite("a.wav"),
        refusals.silent("a.wav"),
    ],
    ids=lambda error: error.code,
)
def test_each_refusal_names_the_file_and_says_what_to_do(error: AudioError) -> None:
    assert error.message.startswith("a.wav: ")
    assert error.message.endswith(".")
    assert error.suggestion.endswith(".")
    assert error.suggestion[0].isupper()


def test_every_refusal_has_its_own_code() -> None:
    assert len(set(refusals.__all__)) == len(refusals.__all__)
    assert refusals.too_long("a", None, LIMITS).code == "too_long"
    assert "longer than 2:00:00" in refusals.too_long("a", None, LIMITS).message
    assert "3:00:01 long; at most 2:00:00" in refusals.too_long("a", 10_801, LIMITS).message
