"""What a recogniser hears of a clip, and what it should write, exactly as when it serves."""

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.errors import AudioError
from qe_core.recogniser.dataset import SpokenClip
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray
from qe_core.vad import find_speech

__all__ = ["IGNORED", "Scribe", "Window", "cut_windows"]

IGNORED = -100
"""Stands where nothing is to be learnt: what the decoder is given anyway, and padding."""

_TIMESTAMP_STEP_S = 0.02
# faster-whisper lets no decoding begin with a later timestamp.
_LATEST_START_S = 1.0
# From this vocabulary size on, Whisper models know languages and tasks.
_MULTILINGUAL_SIZE = 51865
_FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Window:
    """One clip as the recogniser hears and writes it.

    Args:
        features: file with log-mel frames, shape ``(num_mels, num_frames)``, not padded yet
        plain: token ids without timestamps, from the first prompt token to the end token
        timed: the same with timestamps
        num_prompt: how many tokens of ``plain`` and of ``timed`` are given and not learnt
    """

    features: Path
    plain: tuple[int, ...]
    timed: tuple[int, ...]
    num_prompt: tuple[int, int]

    def tokens(self, *, is_timed: bool) -> tuple[int, ...]:
        """The tokens of a mode."""
        return self.timed if is_timed else self.plain

    def labels(self, *, is_timed: bool) -> tuple[int, ...]:
        """For each token but the last, the one to write next, or :data:`IGNORED`."""
        tokens = self.tokens(is_timed=is_timed)
        num_given = self.num_prompt[is_timed]
        return (IGNORED,) * (num_given - 1) + tokens[num_given:]


class Scribe:
    """Writes texts as tokens, in the way in which faster-whisper prompts and reads a model.

    Args:
        model_dir: holds ``tokenizer.json`` and ``preprocessor_config.json``
        vocabulary_size: of the model; small ones have no language and task tokens
    """

    def __init__(self, model_dir: Path, vocabulary_size: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self._is_multilingual = vocabulary_size >= _MULTILINGUAL_SIZE
        self._extractor = _feature_extractor(model_dir)

    @property
    def window_s(self) -> float:
        """Longest stretch of sound that is heard at once."""
        return float(self._extractor.chunk_length)

    def features(self, samples: FloatArray) -> npt.NDArray[np.float32]:
        """Log-mel frames as faster-whisper computes them, shape ``(num_mels, num_frames)``."""
        frames: npt.NDArray[np.float32] = self._extractor(samples)[:, :-1]
        return frames[:, : self._extractor.nb_max_frames]

    def write(
        self, text: str, start_s: float, end_s: float, *, language: str
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, int]]:
        """Tokens of a text in both modes.

        Args:
            text: what is said
            start_s: when it begins within the window
            end_s: when it ends
            language: ISO 639-1 code; one that Whisper does not know counts as English

        Returns:
            tokens without timestamps, tokens with them, and the length of either prompt
        """
        tokens = self._speaking(language)
        prompt = tuple(tokens.sot_sequence)
        words = tuple(tokens.encode(f" {' '.join(text.split())}"))
        start = tokens.timestamp_begin + round(min(start_s, _LATEST_START_S) / _TIMESTAMP_STEP_S)
        end = tokens.timestamp_begin + round(end_s / _TIMESTAMP_STEP_S)
        plain = (*prompt, tokens.no_timestamps, *words, tokens.eot)
        timed = (*prompt, start, *words, end, tokens.eot)
        return plain, timed, (len(prompt) + 1, len(prompt))

    def _speaking(self, language: str) -> Any:
        from faster_whisper.tokenizer import _LANGUAGE_CODES, Tokenizer

        if not self._is_multilingual:
            return Tokenizer(self._tokenizer, multilingual=False)
        known = language if language in _LANGUAGE_CODES else _FALLBACK_LANGUAGE
        return Tokenizer(self._tokenizer, multilingual=True, task="transcribe", language=known)


def cut_windows(
    clips: Sequence[SpokenClip], scribe: Scribe, folder: Path, *, max_tokens: int
) -> tuple[list[Window], int]:
    """Turn clips into windows; the sound is what voice activity detection leaves of it.

    Serving, faster-whisper drops what is no speech before the recogniser hears anything; so does
    this, with the same options.

    Args:
        clips: what to learn from
        scribe: writes the tokens
        folder: gets a file of features per clip
        max_tokens: longest sequence that the decoder can write

    Returns:
        the windows, and how many clips do not fit: damaged, without audible speech, longer than a
        window, or with more words than the decoder can write at once
    """
    folder.mkdir(parents=True, exist_ok=True)
    windows = [
        window
        for number, clip in enumerate(clips)
        if (window := _cut(clip, scribe, folder / f"{number:06}.npy", max_tokens)) is not None
    ]
    return windows, len(clips) - len(windows)


def _cut(clip: SpokenClip, scribe: Scribe, place: Path, max_tokens: int) -> Window | None:
    try:
        audio = decode(clip.audio, name=clip.id, limits=AudioSettings())
    except AudioError:
        return None
    heard = _as_served(audio)
    spans = find_speech(heard)
    if not spans or heard.duration_s > scribe.window_s:
        return None
    plain, timed, num_prompt = scribe.write(
        clip.text, spans[0].start_s, spans[-1].end_s, language=clip.language
    )
    if max(len(plain), len(timed)) > max_tokens:
        return None
    np.save(place, scribe.features(heard.samples).astype(np.float16), allow_pickle=False)
    return Window(place, plain, timed, num_prompt)


def _as_served(audio: Audio) -> Audio:
    from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

    chunks, _ = collect_chunks(audio.samples, get_speech_timestamps(audio.samples, VadOptions()))
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    if len(samples) == 0:
        samples = np.zeros(SAMPLE_RATE_HZ // 10, np.float32)
    return Audio(samples.astype(np.float32), audio.source)


def _feature_extractor(model_dir: Path) -> Any:
    from faster_whisper.feature_extractor import FeatureExtractor

    known = set(inspect.signature(FeatureExtractor.__init__).parameters)
    path = model_dir / "preprocessor_config.json"
    asked: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return FeatureExtractor(**{name: value for name, value in asked.items() if name in known})
