"""Making clean speech worse in known ways: noise, rooms, telephones, codecs, overload, losses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

from qe_core.corpus.codec import CODECS, transcode
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = [
    "NEWEST",
    "Degraded",
    "Sound",
    "add_noise",
    "change_speed",
    "clip",
    "degrade",
    "drop_packets",
    "make_quiet",
    "reverberate",
    "telephone",
]

NEWEST = 2
"""Version of the degradations: 2 knows codecs. Every version draws the same for ever."""

_TELEPHONE_RATE_HZ = 8_000
_PACKET_S = 0.02


@dataclass(frozen=True, slots=True)
class Sound:
    """A noise or a room impulse response: 16 kHz mono samples with a label."""

    label: str
    samples: FloatArray


@dataclass(frozen=True, slots=True)
class Degraded:
    """Degraded speech.

    Args:
        samples: float32 in [-1, 1], shape ``(num_samples,)``
        sample_rate_hz: 16,000, or 8,000 after a telephone or a mobile phone's codec
        condition: what was done, e.g. ``"noise:sea waves:5dB"``
    """

    samples: FloatArray
    sample_rate_hz: int
    condition: str


def add_noise(
    samples: FloatArray, noise: FloatArray, snr_db: float, rng: np.random.Generator
) -> FloatArray:
    """Mix in noise at a signal-to-noise ratio, starting anywhere in the noise and looping it.

    Args:
        samples: speech, shape ``(num_samples,)``
        noise: noise of any length
        snr_db: ratio of the mean powers
        rng: draws the place in the noise

    Returns:
        the mixture, scaled down as a whole where it would exceed full scale
    """
    start = int(rng.integers(len(noise)))
    repeats = -(-(len(samples) + start) // len(noise))
    piece = np.tile(noise, repeats)[start : start + len(samples)]
    gain = _rms(samples) / max(_rms(piece), 1e-9) * 10 ** (-snr_db / 20)
    return _fit(samples + gain * piece)


def reverberate(samples: FloatArray, impulse_response: FloatArray) -> FloatArray:
    """Put speech into a room, keeping its timing and its level.

    Args:
        samples: speech, shape ``(num_samples,)``
        impulse_response: of the room, 16 kHz

    Returns:
        as many samples as went in
    """
    # The direct sound is moved to time zero; otherwise every word time would shift.
    onset = int(np.argmax(np.abs(impulse_response)))
    wet = signal.fftconvolve(samples, impulse_response[onset:])[: len(samples)]
    return _fit(wet * (_rms(samples) / max(_rms(wet), 1e-9)))


def telephone(samples: FloatArray) -> FloatArray:
    """Send speech through a telephone: 300–3,400 Hz, 8 kHz, G.711 mu-law.

    Args:
        samples: speech at 16 kHz

    Returns:
        half as many samples, at 8 kHz
    """
    narrow = signal.resample_poly(samples, 1, SAMPLE_RATE_HZ // _TELEPHONE_RATE_HZ)
    band = signal.butter(4, (300, 3400), btype="bandpass", fs=_TELEPHONE_RATE_HZ, output="sos")
    narrow = np.clip(signal.sosfilt(band, narrow), -1, 1)
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coded = np.round(compressed * 127) / 127
    return np.asarray(np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255, np.float32)


def clip(samples: FloatArray, drive_db: float) -> FloatArray:
    """Overload the input: amplify beyond full scale and cut off.

    Args:
        samples: speech
        drive_db: by how much the loudest sample exceeds full scale
    """
    peak = max(float(np.max(np.abs(samples))), 1e-9)
    return np.asarray(np.clip(samples / peak * 10 ** (drive_db / 20), -1, 1), np.float32)


def make_quiet(samples: FloatArray, level_dbfs: float) -> FloatArray:
    """Lower the RMS level to ``level_dbfs`` and keep 16 bits, so that resolution is lost."""
    quiet = samples * (10 ** (level_dbfs / 20) / max(_rms(samples), 1e-9))
    return np.asarray(np.round(np.clip(quiet, -1, 1) * 32767) / 32767, np.float32)


def drop_packets(samples: FloatArray, share: float, rng: np.random.Generator) -> FloatArray:
    """Silence a share of 20 ms packets, in bursts as networks do."""
    size = int(_PACKET_S * SAMPLE_RATE_HZ)
    num_packets = -(-len(samples) // size)
    lost = np.zeros(num_packets, dtype=bool)
    while lost.mean() < share:
        start = int(rng.integers(num_packets))
        lost[start : start + int(rng.integers(1, 6))] = True
    return np.where(np.repeat(lost, size)[: len(samples)], np.float32(0), samples)


def change_speed(samples: FloatArray, factor: float) -> FloatArray:
    """Play faster (``factor`` > 1) or slower; the pitch moves along."""
    up, down = 20, round(20 * factor)
    return _fit(signal.resample_poly(samples, up, down))


_Step = Callable[
    [FloatArray, Sequence[Sound], Sequence[Sound], np.random.Generator], tuple[FloatArray, str]
]


def degrade(
    samples: FloatArray,
    *,
    noises: Sequence[Sound],
    rooms: Sequence[Sound],
    rng: np.random.Generator,
    version: int = NEWEST,
) -> Degraded:
    """Degrade speech in one randomly drawn way.

    Args:
        samples: clean speech at 16 kHz
        noises: to draw from
        rooms: to draw from
        rng: makes every draw
        version: an older one draws as it did when it was the newest

    Returns:
        the degraded speech and what was done to it
    """
    steps: tuple[tuple[float, _Step], ...] = (
        (0.40, _noise),
        (0.15, _room),
        (0.13, _noise_in_room),
        (0.12, _telephone),
        (0.06, _clip),
        (0.05, _quiet),
        (0.05, _packets),
        (0.04, _speed),
    )
    if version > 1:
        steps = (*steps, (0.12, _codec))
    weights = np.array([weight for weight, _ in steps])
    step = steps[int(rng.choice(len(steps), p=weights / weights.sum()))][1]
    degraded, condition = step(samples, noises, rooms, rng)
    is_narrow = condition.startswith(("telephone", "codec:amr"))
    rate = _TELEPHONE_RATE_HZ if is_narrow else SAMPLE_RATE_HZ
    return Degraded(np.asarray(degraded, np.float32), rate, condition)


def _noise(
    samples: FloatArray, noises: Sequence[Sound], _: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    noise, snr_db = _pick(noises, rng), round(float(rng.uniform(-5, 30)))
    return add_noise(samples, noise.samples, snr_db, rng), f"noise:{noise.label}:{snr_db}dB"


def _room(
    samples: FloatArray, _: Sequence[Sound], rooms: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    room = _pick(rooms, rng)
    return reverberate(samples, room.samples), f"room:{room.label}"


def _noise_in_room(
    samples: FloatArray, noises: Sequence[Sound], rooms: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    wet, room = _room(samples, noises, rooms, rng)
    noise, snr_db = _pick(noises, rng), round(float(rng.uniform(5, 25)))
    return add_noise(wet, noise.samples, snr_db, rng), f"{room}+noise:{noise.label}:{snr_db}dB"


def _telephone(
    samples: FloatArray, noises: Sequence[Sound], _: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    noise, snr_db = _pick(noises, rng), round(float(rng.uniform(5, 35)))
    noisy = add_noise(samples, noise.samples, snr_db, rng)
    return telephone(noisy), f"telephone+noise:{noise.label}:{snr_db}dB"


def _clip(
    samples: FloatArray, _: Sequence[Sound], __: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    drive_db = round(float(rng.uniform(6, 30)))
    return clip(samples, drive_db), f"clip:{drive_db}dB"


def _quiet(
    samples: FloatArray, _: Sequence[Sound], __: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    level_dbfs = round(float(rng.uniform(-65, -40)))
    return make_quiet(samples, level_dbfs), f"quiet:{level_dbfs}dBFS"


def _packets(
    samples: FloatArray, _: Sequence[Sound], __: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    share = round(float(rng.uniform(0.02, 0.25)), 2)
    return drop_packets(samples, share, rng), f"packets:{share:.0%}"


def _speed(
    samples: FloatArray, _: Sequence[Sound], __: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    factor = float(rng.choice([0.75, 0.85, 1.15, 1.3]))
    return change_speed(samples, factor), f"speed:{factor}"


def _codec(
    samples: FloatArray, _: Sequence[Sound], __: Sequence[Sound], rng: np.random.Generator
) -> tuple[FloatArray, str]:
    name = str(rng.choice(sorted(CODECS)))
    codec = CODECS[name]
    bit_rate = int(rng.choice(codec.bit_rates))
    return transcode(samples, codec, bit_rate), f"codec:{name}:{bit_rate / 1000:g}kbps"


def _pick(sounds: Sequence[Sound], rng: np.random.Generator) -> Sound:
    return sounds[int(rng.integers(len(sounds)))]


def _rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _fit(samples: FloatArray) -> FloatArray:
    """Scale down, never up, so that nothing exceeds full scale."""
    peak = float(np.max(np.abs(samples)))
    return np.asarray(samples / max(peak, 1.0), np.float32)
