"""Synthetic speakers: flite and espeak-ng, called as libraries, which also tell when each word is.

Only the training of a recogniser needs them (Debian: ``apt install flite espeak-ng``).
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import signal

from qe_core.errors import TrainingError
from qe_core.types import SAMPLE_RATE_HZ, FloatArray, SpeechSpan

__all__ = ["ESPEAK_VOICES", "FLITE_VOICES", "PHONES", "Phone", "Spoken", "phones_of", "speak"]

FLITE_VOICES = ("flite-slt", "flite-rms", "flite-awb", "flite-kal16")
_ESPEAK_ACCENTS = (
    "gmw/en-US",
    "gmw/en",
    "gmw/en-GB-scotland",
    "gmw/en-GB-x-rp",
    "gmw/en-GB-x-gbclan",
    "gmw/en-029",
)
_ESPEAK_VARIANTS = (
    "m1",
    "m3",
    "m4",
    "m7",
    "f1",
    "f2",
    "f3",
    "f5",
    "Alicia",
    "Lee",
    "Mike",
    "klatt4",
)
ESPEAK_VOICES = tuple(
    f"espeak-{accent}+{variant}" for accent in _ESPEAK_ACCENTS for variant in _ESPEAK_VARIANTS
)

_PHONES = (
    "pau aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh "
    "uw v w y z zh"
)
PHONES = tuple(_PHONES.split())
"""The phone names of flite's US English, silence first."""

_HOW_TO_INSTALL = "Install the speech synthesisers (Debian: apt install flite espeak-ng)."


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone; ``end_s`` is where it ends and the next begins."""

    name: str
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """Synthesised speech.

    Args:
        samples: 16 kHz mono, shape ``(num_samples,)``
        words: a span per whitespace-separated word of the text; empty where the synthesiser did
            not report as many words as the text has
        phones: with their times where the synthesiser tells, else empty
    """

    samples: FloatArray
    words: tuple[SpeechSpan, ...]
    phones: tuple[Phone, ...]


def speak(text: str, voice: str, *, rate: float = 1.0, pitch: float = 0.5) -> Spoken:
    """Say a sentence.

    Args:
        text: English; numbers written as words
        voice: one of ``FLITE_VOICES``, or ``espeak-<voice file>+<variant>``
        rate: speed, 1 is normal; for espeak voices only
        pitch: 0 low to 1 high; for espeak voices only

    Returns:
        the speech with word times

    Raises:
        TrainingError: the synthesiser or the voice is not on this machine
    """
    engine, _, name = voice.partition("-")
    if engine == "flite":
        return _flite().speak(text, name)
    if engine == "espeak":
        return _espeak().speak(text, name, rate, pitch)
    raise TrainingError(
        f"Voice {voice!r}: there is no such voice.",
        suggestion="Use a name that begins with flite- or espeak-.",
    )


def phones_of(text: str) -> tuple[str, ...]:
    """The phones of an English text by flite's lexicon and letter-to-sound rules, no silences.

    Raises:
        TrainingError: flite is not on this machine
    """
    spoken = _flite().speak(text, "kal16")
    return tuple(phone.name for phone in spoken.phones if phone.name != "pau")


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _Flite:
    """The functions of libflite that are needed (flite 2, ``flite.h``, ``cst_item.h``)."""

    _WORD_START = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
    _WORD_END = b"R:SylStructure.daughtern.daughtern.R:Segment.end"

    def __init__(self) -> None:
        for name in ("libflite.so.1", "libflite_usenglish.so.1", "libflite_cmulex.so.1"):
            _load_library(name)
        self._lib = _load_library("libflite.so.1")
        pointer, text, real = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float
        for function, result, arguments in (
            ("flite_synth_text", pointer, [text, pointer]),
            ("utt_relation", pointer, [pointer, text]),
            ("relation_head", pointer, [pointer]),
            ("item_next", pointer, [pointer]),
            ("item_feat_string", text, [pointer, text]),
            ("item_feat_float", real, [pointer, text]),
            ("ffeature_float", real, [pointer, text]),
            ("utt_wave", pointer, [pointer]),
            ("delete_utterance", None, [pointer]),
        ):
            getattr(self._lib, function).restype = result
            getattr(self._lib, function).argtypes = arguments
        self._lib.flite_init()
        self._voices: dict[str, int] = {}

    def speak(self, text: str, voice: str) -> Spoken:
        utterance = self._lib.flite_synth_text(text.encode("ascii", "ignore"), self._voice(voice))
        try:
            wave = ctypes.cast(self._lib.utt_wave(utterance), ctypes.POINTER(_Wave)).contents
            pcm = np.ctypeslib.as_array(wave.samples, (wave.num_samples,))
            samples = _to_float(pcm, wave.sample_rate)
            words = tuple(
                SpeechSpan(
                    max(0.0, self._lib.ffeature_float(item, self._WORD_START)),
                    self._lib.ffeature_float(item, self._WORD_END),
                )
                for item in self._items(utterance, b"Word")
            )
            phones = tuple(
                Phone(
                    self._lib.item_feat_string(item, b"name").decode(),
                    self._lib.item_feat_float(item, b"end"),
                )
                for item in self._items(utterance, b"Segment")
            )
        finally:
            self._lib.delete_utterance(utterance)
        return Spoken(samples, words if len(words) == len(text.split()) else (), phones)

    def _items(self, utterance: int, relation: bytes) -> Iterator[int]:
        item = self._lib.relation_head(self._lib.utt_relation(utterance, relation))
        while item:
            yield item
            item = self._lib.item_next(item)

    def _voice(self, name: str) -> int:
        if name not in self._voices:
            register = getattr(
                _load_library(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}"
            )
            register.restype = ctypes.c_void_p
            self._voices[name] = register(None)
        return self._voices[name]


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Espeak:
    """The functions of libespeak-ng that are needed (``speak_lib.h``)."""

    _SYNCHRONOUS, _UTF8, _CHARACTERS, _WORD_EVENT = 2, 1, 1, 1
    _RATE, _PITCH = 1, 3

    def __init__(self) -> None:
        self._lib = _load_library("libespeak-ng.so.1")
        self._sample_rate_hz = self._lib.espeak_Initialize(self._SYNCHRONOUS, 0, None, 0)
        if self._sample_rate_hz <= 0:
            raise TrainingError("espeak-ng finds no voice data.", suggestion=_HOW_TO_INSTALL)
        self._pcm: list[FloatArray] = []
        self._starts: list[tuple[int, float]] = []
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        # The library keeps the pointer: the callback has to live as long as this object.
        self._callback = prototype(self._receive)
        self._lib.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, rate: float, pitch: float) -> Spoken:
        self._pcm, self._starts = [], []
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            raise TrainingError(
                f"espeak-ng has no voice {voice!r}.", suggestion="See espeak-ng --voices=en."
            )
        self._lib.espeak_SetParameter(self._RATE, round(170 * rate), 0)
        self._lib.espeak_SetParameter(self._PITCH, round(100 * pitch), 0)
        data = text.encode()
        self._lib.espeak_Synth(data, len(data) + 1, 0, self._CHARACTERS, 0, self._UTF8, None, None)
        samples = _to_float(np.concatenate(self._pcm), self._sample_rate_hz)
        return Spoken(samples, _spread(text, self._starts, len(samples) / SAMPLE_RATE_HZ), ())

    def _receive(self, pcm: Any, num_samples: int, events: Any) -> int:
        if pcm and num_samples:
            self._pcm.append(np.ctypeslib.as_array(pcm, (num_samples,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == self._WORD_EVENT:
                event = events[index]
                self._starts.append((event.text_position - 1, event.audio_position_ms / 1000))
            index += 1
        return 0


@lru_cache(maxsize=1)
def _flite() -> _Flite:
    return _Flite()


@lru_cache(maxsize=1)
def _espeak() -> _Espeak:
    return _Espeak()


def _load_library(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise TrainingError(f"{name} is not there.", suggestion=_HOW_TO_INSTALL) from error


def _to_float(pcm: FloatArray, sample_rate_hz: int) -> FloatArray:
    samples = pcm.astype(np.float32) / 32768
    if sample_rate_hz != SAMPLE_RATE_HZ:
        samples = signal.resample_poly(samples, SAMPLE_RATE_HZ, sample_rate_hz)
    return np.asarray(np.clip(samples, -1, 1), np.float32)


def _spread(
    text: str, starts: Sequence[tuple[int, float]], duration_s: float
) -> tuple[SpeechSpan, ...]:
    """Word spans from (position in the text, time) pairs.

    espeak-ng reports some words as one, such as "of the"; they share its time by their letters.
    """
    positions = [match.start() for match in re.finditer(r"\S+", text)]
    known = {position: start_s for position, start_s in starts if position in positions}
    if positions[0] not in known:
        return ()
    anchors = [*sorted(known.items()), (len(text), duration_s)]
    places = [place for place, _ in anchors]
    times_s = np.interp([*positions, len(text)], places, [time_s for _, time_s in anchors])
    return tuple(SpeechSpan(float(start_s), float(end_s)) for start_s, end_s in pairwise(times_s))
