"""A recogniser in its own process gives the same answers, and takes nothing down with it."""

import io
import json
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from qe_core.asr.base import _FACTORIES
from qe_core.asr.isolated import IsolatedEngine, isolate, serve
from qe_core.asr.sphinx import SphinxEngine
from qe_core.config import EngineSettings
from qe_core.errors import EngineError
from qe_core.types import Audio, SourceFormat, SpeechSpan
from tests import echo_engine
from tests.echo_engine import EchoEngine

AUDIO = Audio(np.full(16_000, 0.25, np.float32), SourceFormat("wav", "pcm_s16le", 16_000, 1))
SPEECH = (SpeechSpan(0.1, 0.4), SpeechSpan(0.5, 0.9))


@pytest.fixture
def engine() -> Iterator[IsolatedEngine]:
    """The echo engine in a process of its own."""
    isolated = IsolatedEngine(EchoEngine(), EngineSettings())
    yield isolated
    isolated.close()


@pytest.fixture(autouse=True)
def _forget_the_echo_engine() -> Iterator[None]:
    """Other tests list the registered engines."""
    yield
    _FACTORIES.pop("echo", None)


@pytest.mark.slow
def test_it_hears_and_answers_what_the_engine_would(engine: IsolatedEngine) -> None:
    told: list[tuple[float, str]] = []
    transcript = engine.transcribe(
        AUDIO, SPEECH, on_progress=lambda share, text: told.append((share, text))
    )
    assert transcript.text == "16000 samples, 2 spans, level 0.25"
    assert (0.5, "transcribing, part 1 of 2") in told
    assert (engine.name, engine.model, engine.version) == ("echo", "test", "1")


@pytest.mark.slow
def test_an_error_comes_back_with_its_suggestion_and_the_next_clip_goes_on(
    engine: IsolatedEngine,
) -> None:
    with pytest.raises(EngineError, match="No such language") as caught:
        engine.transcribe(AUDIO, SPEECH, language="refuses")
    assert caught.value.suggestion == "Choose another."
    assert engine.transcribe(AUDIO, ()).text == "16000 samples, 0 spans, level 0.25"


@pytest.mark.slow
def test_a_recogniser_that_crashes_is_an_error_and_is_started_again(
    engine: IsolatedEngine,
) -> None:
    with pytest.raises(EngineError, match="stopped in the middle") as caught:
        engine.transcribe(AUDIO, SPEECH, language="dies")
    assert caught.value.code == "engine_stopped"
    assert engine.transcribe(AUDIO, SPEECH).text


@pytest.mark.slow
def test_the_callback_can_stop_a_recogniser_that_does_not_listen(engine: IsolatedEngine) -> None:
    class StopNowError(Exception):
        pass

    calls: list[float] = []

    def stop_at_the_third(_share: float, _text: str) -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            raise StopNowError

    with pytest.raises(StopNowError):
        engine.transcribe(AUDIO, SPEECH, language="hangs", on_progress=stop_at_the_third)
    assert engine.transcribe(AUDIO, SPEECH).text


@pytest.mark.slow
def test_clips_of_several_threads_take_turns(engine: IsolatedEngine) -> None:
    texts: list[str] = []

    def work(num_spans: int) -> None:
        texts.append(engine.transcribe(AUDIO, SPEECH[:num_spans]).text)

    threads = [threading.Thread(target=work, args=(number % 3,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [f"16000 samples, {number} spans, level 0.25" for number in (0, 0, 1, 1, 2, 2)]
    assert sorted(texts) == expected


@pytest.mark.slow
def test_other_threads_go_on_while_pocketsphinx_decodes(rng: np.random.Generator) -> None:
    audio = Audio(rng.normal(0, 0.1, 24_000).astype(np.float32), AUDIO.source)
    isolated = isolate(SphinxEngine(), EngineSettings())
    assert isinstance(isolated, IsolatedEngine)
    thread = threading.Thread(target=isolated.transcribe, args=(audio, (SpeechSpan(0.0, 1.5),)))
    thread.start()
    num_wakes = 0
    while thread.is_alive():
        time.sleep(0.01)
        num_wakes += 1
    isolated.close()
    assert num_wakes > 20


def test_an_engine_that_lets_other_threads_run_stays_in_the_process() -> None:
    engine = EchoEngine()
    assert isolate(engine, EngineSettings()) is engine


def test_the_child_answers_every_request_in_lines() -> None:
    _FACTORIES["echo"] = echo_engine._make
    raw = np.full(100, 0.5, "<f4").tobytes()
    requests = EngineSettings().model_dump_json().encode() + b"\n"
    for language in (None, "refuses"):
        header = {"num_samples": 100, "speech": [], "language": language}
        requests += json.dumps(header).encode() + b"\n" + raw
    answers = io.BytesIO()

    serve("tests.echo_engine", "echo", "1", io.BytesIO(requests), answers)

    kinds = [sorted(json.loads(line)) for line in answers.getvalue().splitlines()]
    assert kinds == [
        ["share", "text"],
        ["transcript"],
        ["share", "text"],
        ["error", "suggestion"],
    ]
