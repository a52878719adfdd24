"""Two hundred malformed files: each becomes a clip or a refusal with words, nothing else."""

import time
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.errors import AudioError
from tests.audio_files import (
    ENCODINGS,
    Encoding,
    encode,
    float_wav,
    silent_video,
    tone,
    video_with_sound,
)

LIMITS = AudioSettings()
NUM_FILES = 200
MAX_SECONDS = 2.0

Mutation = Callable[[bytes, np.random.Generator], bytes]


@cache
def good_files() -> dict[str, bytes]:
    rng = np.random.default_rng(20)
    files = {}
    for name, encoding in ENCODINGS.items():
        samples = tone(1.5, encoding.rate_hz)
        noise = rng.normal(0, 0.05, len(samples)).astype(np.float32)
        files[name] = encode(samples + noise, encoding)
    surround = Encoding("mp4", "aac", "fltp", 48_000, "7.1")
    files["7.1 m4a"] = encode(tone(1.0, 48_000), surround)
    files["float wav"] = float_wav(tone(1.0))
    files["video"] = video_with_sound(tone(1.0))
    files["silent video"] = silent_video(1.0)
    return files


def flip_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for position in rng.integers(0, len(data), rng.integers(1, 50)):
        changed[position] = rng.integers(0, 256)
    return bytes(changed)


def damage_header(data: bytes, rng: np.random.Generator) -> bytes:
    return flip_bytes(data[:300], rng) + data[300:]


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, len(data))]


def drop_a_stretch(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = np.sort(rng.integers(0, len(data), 2))
    return data[:start] + data[end:]


def overwrite_a_stretch(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(data)))
    noise = rng.bytes(int(rng.integers(1, 2000)))
    return (data[:start] + noise + data[start + len(noise) :])[: len(data)]


def splice(data: bytes, rng: np.random.Generator) -> bytes:
    other = list(good_files().values())[rng.integers(0, len(good_files()))]
    return data[: rng.integers(0, len(data))] + other[rng.integers(0, len(other)) :]


def garbage(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, 16)] + rng.bytes(len(data))


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes,
    damage_header,
    truncate,
    drop_a_stretch,
    overwrite_a_stretch,
    splice,
    garbage,
)


def outcome(data: bytes, name: str) -> str:
    """Decode and check what comes out; any exception but AudioError fails the test."""
    refusal = None
    try:
        audio = decode(data, name=name, limits=LIMITS)
    except AudioError as error:
        refusal = error
    if refusal is not None:
        assert refusal.message.startswith(name)
        assert refusal.suggestion
        return refusal.code
    assert audio.samples.dtype == np.float32
    assert audio.duration_s > LIMITS.min_duration_s
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() <= 1.0
    return "clip"


@pytest.mark.slow
def test_malformed_files_become_clips_or_refusals(capfd: pytest.CaptureFixture[str]) -> None:
    outcomes: dict[str, int] = {}
    files = list(good_files().items())
    for seed in range(NUM_FILES):
        rng = np.random.default_rng(seed)
        name, good = files[seed % len(files)]
        mutation = MUTATIONS[seed % len(MUTATIONS)]
        started_s = time.monotonic()
        kind = outcome(mutation(good, rng), f"{name}, {mutation.__name__}, seed {seed}")
        assert time.monotonic() - started_s < MAX_SECONDS, f"seed {seed} took too long"
        outcomes[kind] = outcomes.get(kind, 0) + 1
    # The mutations are neither all harmless nor all refused for one reason.
    assert outcomes["clip"] > NUM_FILES // 5
    assert outcomes["damaged"] > NUM_FILES // 20
    assert len(outcomes) >= 5
    assert capfd.readouterr() == ("", "")
