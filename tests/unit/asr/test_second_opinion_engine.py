"""The recogniser that gives second opinions: whom it answers, and that estimates can do without."""

from dataclasses import replace

import numpy as np
import pytest

from qe_core.asr.second import SECOND, ask_second, load_second
from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import Audio, Transcript
from tests.builders import WAV, transcript

AUDIO = Audio(np.zeros(16_000, np.float32), WAV)


class _Other:
    name, model, version = (*SECOND, "1")

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def transcribe(self, *_: object, **__: object) -> Transcript:
        if self.fails:
            raise EngineError("It fell over.", suggestion="Try again.")
        return transcript("one too", model=self.model)


def test_another_recogniser_is_asked_for_what_is_in_english() -> None:
    first = transcript("one two")
    found = ask_second(_Other(), AUDIO, (), first)
    assert found is not None
    assert found.text == "one too"
    assert ask_second(_Other(), AUDIO, (), replace(first, language="de")) is None


def test_nobody_is_a_second_opinion_on_himself() -> None:
    assert ask_second(_Other(), AUDIO, (), transcript("one two", model=SECOND[1])) is None


def test_a_second_recogniser_that_fails_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    assert ask_second(_Other(fails=True), AUDIO, (), transcript("one two")) is None
    assert "It fell over." in caplog.text


@pytest.mark.slow
def test_the_second_recogniser_works_in_a_process_of_its_own() -> None:
    second = load_second(EngineSettings())
    try:
        assert (second.name, second.model) == SECOND
        found = ask_second(second, AUDIO, (), transcript("one two"))
        assert found is not None
        assert (found.engine, found.model) == SECOND
    finally:
        second.close()  # type: ignore[attr-defined]  # it is isolated
