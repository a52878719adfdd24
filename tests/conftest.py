"""Fixtures that many tests share."""

import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from qe_core.config import Settings, load_settings
from qe_core.types import SAMPLE_RATE_HZ, FloatArray
from storage.database import Database
from tests.builders import speech_like, wav_bytes
from workbench.runtime import Runtime

Tone = Callable[..., FloatArray]

# The same examples in every run, and no time limit that a busy machine would break.
hypothesis.settings.register_profile("werkbench", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("werkbench")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's environment must not change what the tests see."""
    for name in [name for name in os.environ if name.upper().startswith("WERKBENCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded random numbers."""
    return np.random.default_rng(20260101)


@pytest.fixture
def tone() -> Tone:
    """Makes a sine: ``tone(duration_s=1.0, frequency_hz=440.0, level=0.5, rate_hz=16000)``."""

    def make(
        duration_s: float = 1.0,
        *,
        frequency_hz: float = 440.0,
        level: float = 0.5,
        rate_hz: int = SAMPLE_RATE_HZ,
    ) -> FloatArray:
        times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
        return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)

    return make


@pytest.fixture
def speech_wav(rng: np.random.Generator) -> bytes:
    """Two seconds of speech-like sound as a WAV file; no recogniser understands it."""
    return wav_bytes(speech_like(rng))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The development settings with a data folder of their own and PocketSphinx as the engine."""
    return load_settings(data_dir=tmp_path / "data", engine={"name": "pocketsphinx"})


@pytest.fixture
def database() -> Iterator[Database]:
    """A migrated database in memory."""
    with Database(None) as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """An open runtime; its worker is not started."""
    opened = Runtime(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def synthesisers() -> None:
    """Skips where the speech synthesisers are not installed."""
    for name in ("libflite.so.1", "libespeak-ng.so.1"):
        try:
            ctypes.CDLL(name)
        except OSError:
            pytest.skip(f"{name} is not there (Debian: apt install flite espeak-ng)")
