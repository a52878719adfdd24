"""Training windows: one to three sentences with silence, noise and changes of voice, as tokens.

References:
    Park et al. (2019), SpecAugment. Ko et al. (2015), Audio augmentation for speech recognition.
    Jaitly & Hinton (2013), Vocal tract length perturbation improves speech recognition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import lfilter

from qe_core.recogniser.speech import FRAMES_PER_S, Speech
from qe_core.recogniser.tokens import Tokens
from qe_core.types import FloatArray

__all__ = ["MAX_WINDOW_S", "Batch", "Window", "WindowMaker", "collate", "normalise"]

MAX_WINDOW_S = 9.8
IGNORED = -100
_POSITIONS_PER_S = 50
_MAX_LEAD_S = 0.9
_PADDING_FRAMES = 8
_POOL = 96
# How often each thing happens to a window; see the module's references for their origin.
_SHARE_NOBODY = 0.03
_SHARE_TIMESTAMPS = 0.65
_SHARE_SPEED = 0.6
_SHARE_WARP = 0.5
_SHARE_ROOM = 0.15
_SHARE_TELEPHONE = 0.08
_SHARE_NOISE = 0.35
_SHARE_MASK = 0.25
_SHARE_STATIONARY = 0.3
_SHARE_PREVIOUS_TEXT = 0.12
# Until this share of the training there are no several sentences and no text that came before.
_EASY_UNTIL = 0.3
_MAX_SHARE_SEVERAL = 0.45
_TELEPHONE_BANDS = 60
_LOWEST = -10.0


@dataclass(frozen=True, slots=True)
class Window:
    """One training example.

    Args:
        mel: normalised as faster-whisper does, shape ``(num_frames, 80)``
        inputs: tokens that the decoder has read
        targets: the token after each, ``IGNORED`` where none is to be learned
        spans: (index into ``targets``, first, last position) where a token's sound is
        phones: numbers into ``PHONES``
        frame_phones: phone per position, ``IGNORED`` where unknown; shape ``(num_frames // 2,)``
    """

    mel: FloatArray
    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]
    phones: tuple[int, ...]
    frame_phones: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of similar length, padded to the same shape; see :class:`Window`."""

    mel: FloatArray
    inputs: np.ndarray
    targets: np.ndarray
    frame_phones: np.ndarray
    spans: tuple[tuple[tuple[int, int, int], ...], ...]
    phones: tuple[tuple[int, ...], ...]


def normalise(mel: FloatArray) -> FloatArray:
    """Limit the range to 80 dB and shift it, as Whisper does.

    Args:
        mel: log10 power, shape ``(num_frames, 80)``
    """
    return np.asarray((np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0, np.float32)


class WindowMaker:
    """Draws windows from speech and noises.

    Args:
        speech: synthetic and recorded
        noises: log10 mel power, shape ``(num_frames, 80)`` each
        tokens: turns text into numbers
        seed: the same seed draws the same windows
        share_recorded: of all windows, if there is recorded speech
    """

    def __init__(
        self,
        speech: Sequence[Speech],
        noises: Sequence[FloatArray],
        tokens: Tokens,
        *,
        seed: int,
        share_recorded: float = 0.12,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self._noises = noises
        self._tokens = tokens
        self._by_speaker: dict[str, list[Speech]] = {}
        for item in speech:
            self._by_speaker.setdefault(item.speaker, []).append(item)
        self._synthetic = [item for item in speech if item.words]
        self._people = sorted({item.speaker for item in speech if not item.words})
        self._share_recorded = share_recorded if self._people else 0.0
        # Cached per maker: encoding the same sentence again would cost as much as the augmentation.
        self._encode = lru_cache(maxsize=None)(tokens.encode_words)

    def batches(self, *, progress: float, max_frames: int = 4000) -> list[Batch]:
        """Draw a pool of windows and cut it into batches of similar length.

        Args:
            progress: share of the training that is done, in [0, 1]; later windows are harder
            max_frames: frames in a batch, padding included
        """
        windows = sorted(
            (self.window(progress) for _ in range(_POOL)), key=lambda window: len(window.mel)
        )
        groups: list[list[Window]] = [[]]
        for window in windows:
            if (len(groups[-1]) + 1) * len(window.mel) > max_frames and groups[-1]:
                groups.append([])
            groups[-1].append(window)
        order = self.rng.permutation(len(groups))
        return [collate(groups[int(index)], self._tokens.end) for index in order]

    def window(self, progress: float) -> Window:
        """Draw one window; see :meth:`batches`."""
        if self._happens(_SHARE_NOBODY):
            return self._nobody()
        hard = max(0.0, progress - _EASY_UNTIL)
        parts = self._parts(share_several=min(_MAX_SHARE_SEVERAL, 0.9 * hard))
        speed = self.rng.uniform(0.85, 1.18) if self._happens(_SHARE_SPEED) else 1.0
        mel, offsets = self._join(parts, speed)
        mel = self._disturb(mel)
        inputs, targets, spans = self._sequence(parts, offsets, speed)
        previous: list[int] = []
        if hard and self._happens(_SHARE_PREVIOUS_TEXT):
            previous = self._previous()
        return Window(
            mel=normalise(mel),
            inputs=(*previous, *inputs),
            targets=(*([IGNORED] * len(previous)), *targets),
            spans=tuple((len(previous) + place, first, last) for place, first, last in spans),
            phones=tuple(phone for part in parts for phone in part.phones),
            frame_phones=_frame_phones(parts, offsets, speed, len(mel) // 2),
        )

    def _happens(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _parts(self, *, share_several: float) -> list[Speech]:
        rng = self.rng
        if self._happens(self._share_recorded):
            items = self._by_speaker[self._people[int(rng.integers(len(self._people)))]]
            parts = [items[int(rng.integers(len(items)))]]
        else:
            parts = [self._synthetic[int(rng.integers(len(self._synthetic)))]]
            items = self._by_speaker[parts[0].speaker]
        if self._happens(share_several):
            for _ in range(int(rng.integers(1, 3))):
                another = items[int(rng.integers(len(items)))]
                length_s = sum(len(part.mel) / FRAMES_PER_S + 0.8 for part in (*parts, another))
                if length_s / 0.85 + 2 * _MAX_LEAD_S > MAX_WINDOW_S:
                    break
                parts.append(another)
        return parts

    def _join(
        self, parts: Sequence[Speech], speed: float
    ) -> tuple[FloatArray, list[tuple[float, float]]]:
        """Sound of the window, and per part (time of its first frame, what was cut off before)."""
        rng = self.rng
        pieces: list[FloatArray] = []
        offsets: list[tuple[float, float]] = []
        quiet = np.percentile(np.asarray(parts[0].mel, np.float32), 5, axis=0)
        time_s = 0.0
        for index, part in enumerate(parts):
            gap_s = rng.uniform(0, 0.5) if index == 0 else rng.uniform(0.15, 0.9)
            pieces.append(self._silence(quiet, gap_s))
            time_s += len(pieces[-1]) / FRAMES_PER_S
            cut_s = max(0.0, part.start_s - rng.uniform(0.05, 0.35))
            last_s = part.end_s + rng.uniform(0.05, 0.3)
            piece = np.asarray(
                part.mel[round(cut_s * FRAMES_PER_S) : round(last_s * FRAMES_PER_S)], np.float32
            )
            piece = _stretch(piece, speed)
            offsets.append((time_s, cut_s))
            pieces.append(piece)
            time_s += len(piece) / FRAMES_PER_S
        pieces.append(self._silence(quiet, rng.uniform(0, 0.6)))
        mel = np.concatenate(pieces)[: int(MAX_WINDOW_S * FRAMES_PER_S)]
        return mel, offsets

    def _silence(self, quiet: FloatArray, duration_s: float) -> FloatArray:
        num_frames = round(duration_s * FRAMES_PER_S)
        noise = self.rng.normal(0, 0.2, (num_frames, quiet.shape[-1]))
        return np.asarray(quiet + noise, np.float32)

    def _disturb(self, mel: FloatArray) -> FloatArray:
        rng = self.rng
        if self._happens(_SHARE_WARP):
            mel = _warp(mel, rng.uniform(0.93, 1.07))
        if self._happens(_SHARE_ROOM):
            mel = _reverberate(mel, rng.uniform(0.2, 0.9), rng.uniform(0.05, 0.4))
        if self._happens(_SHARE_NOISE):
            mel = self._add_noise(mel, rng.uniform(-2, 30))
        if self._happens(_SHARE_TELEPHONE):
            mel = mel.copy()
            mel[:, _TELEPHONE_BANDS:] = mel.min()  # above 3.4 kHz
        mel = np.maximum(mel + rng.uniform(-2.0, 0.5), _LOWEST)
        return self._mask(mel) if self._happens(_SHARE_MASK) else mel

    def _add_noise(self, mel: FloatArray, snr_db: float) -> FloatArray:
        noise = self._some_noise(len(mel))
        speech_power, noise_power = np.mean(10.0**mel), np.mean(10.0**noise)
        gain = np.log10(speech_power / noise_power) - snr_db / 10
        return np.asarray(np.logaddexp2(mel * _LOG2_10, (noise + gain) * _LOG2_10) / _LOG2_10)

    def _some_noise(self, num_frames: int) -> FloatArray:
        rng = self.rng
        if not self._noises or self._happens(_SHARE_STATIONARY):
            # Stationary noise with a random slope: white at 0, pink and brown below.
            slope = rng.uniform(-3, 0.5) * np.linspace(0, 1, 80)
            return np.asarray(slope + rng.normal(0, 0.25, (num_frames, 80)), np.float32)
        noise = self._noises[int(rng.integers(len(self._noises)))]
        start = int(rng.integers(len(noise)))
        return np.take(noise, range(start, start + num_frames), axis=0, mode="wrap")

    def _mask(self, mel: FloatArray) -> FloatArray:
        """SpecAugment: hide a few bands and a few moments."""
        mel, rng, mean = mel.copy(), self.rng, mel.mean()
        for _ in range(2):
            first, width = int(rng.integers(80)), int(rng.integers(1, 12))
            mel[:, first : first + width] = mean
            start, length = int(rng.integers(len(mel))), int(rng.integers(1, 12))
            mel[start : start + length] = mean
        return mel

    def _sequence(
        self, parts: Sequence[Speech], offsets: Sequence[tuple[float, float]], speed: float
    ) -> tuple[list[int], list[int], list[tuple[int, int, int]]]:
        tokens = self._tokens
        has_times = self._happens(_SHARE_TIMESTAMPS)
        sequence = [tokens.start] if has_times else [tokens.start, tokens.no_timestamps]
        num_given = len(sequence)
        spans: list[tuple[int, int, int]] = []
        for part, (time_s, cut_s) in zip(parts, offsets, strict=True):
            shift = _Shift(time_s, cut_s, speed)
            if has_times:
                sequence.append(tokens.timestamp(shift(part.start_s)))
            for index, word in enumerate(self._encode(part.text)):
                if part.words:
                    start_s, end_s = map(shift, part.words[index])
                    step_s = (end_s - start_s) / len(word)
                    for place in range(len(word)):
                        # The attention that decides on a token is that of the token before it.
                        spans.append(
                            (
                                len(sequence) + place - 1,
                                int((start_s + place * step_s) * _POSITIONS_PER_S),
                                int((start_s + (place + 1) * step_s) * _POSITIONS_PER_S),
                            )
                        )
                sequence += word
            if has_times:
                sequence.append(tokens.timestamp(shift(part.end_s)))
        sequence.append(tokens.end)
        targets = [*([IGNORED] * (num_given - 1)), *sequence[num_given:]]
        return sequence[:-1], targets, spans

    def _previous(self) -> list[int]:
        text = self._synthetic[int(self.rng.integers(len(self._synthetic)))].text
        return [self._tokens.previous, *(token for word in self._encode(text) for token in word)]

    def _nobody(self) -> Window:
        """Noise or silence: no speech, and if words are asked for all the same, none."""
        rng, tokens = self.rng, self._tokens
        num_frames = int(rng.uniform(0.5, 8.0) * FRAMES_PER_S)
        mel = self._some_noise(num_frames) + rng.uniform(-8, 1)
        has_times = self._happens(_SHARE_TIMESTAMPS)
        second = tokens.timestamp(0.0) if has_times else tokens.no_timestamps
        return Window(
            mel=normalise(np.maximum(mel, _LOWEST)),
            inputs=(tokens.start, second),
            targets=(tokens.no_speech, tokens.end),
            spans=(),
            phones=(),
            frame_phones=np.zeros(num_frames // 2, np.int64),
        )


_LOG2_10 = float(np.log2(10))


@dataclass(frozen=True, slots=True)
class _Shift:
    """From a time in a part to the time in the window."""

    time_s: float
    cut_s: float
    speed: float

    def __call__(self, source_s: float) -> float:
        return max(0.0, self.time_s + (source_s - self.cut_s) / self.speed)


def collate(windows: Sequence[Window], end: int) -> Batch:
    """Pad windows to one shape; the last eight frames of each are padding."""
    num_frames = max(len(window.mel) for window in windows) + _PADDING_FRAMES
    num_frames += num_frames % 2
    num_tokens = max(len(window.inputs) for window in windows)
    size = len(windows)
    batch = Batch(
        mel=np.zeros((size, num_frames, 80), np.float32),
        inputs=np.full((size, num_tokens), end, np.int64),
        targets=np.full((size, num_tokens), IGNORED, np.int64),
        frame_phones=np.full((size, num_frames // 2), IGNORED, np.int64),
        spans=tuple(window.spans for window in windows),
        phones=tuple(window.phones for window in windows),
    )
    for index, window in enumerate(windows):
        batch.mel[index, : len(window.mel)] = window.mel
        batch.inputs[index, : len(window.inputs)] = window.inputs
        batch.targets[index, : len(window.targets)] = window.targets
        batch.frame_phones[index, : len(window.frame_phones)] = window.frame_phones
    return batch


def _frame_phones(
    parts: Sequence[Speech], offsets: Sequence[tuple[float, float]], speed: float, size: int
) -> np.ndarray:
    if not all(part.frame_phones for part in parts):
        return np.full(size, IGNORED, np.int64)
    phones = np.zeros(size, np.int64)
    for part, (time_s, cut_s) in zip(parts, offsets, strict=True):
        places = np.arange(int(time_s * _POSITIONS_PER_S), size)
        source = ((places / _POSITIONS_PER_S - time_s) * speed + cut_s) * _POSITIONS_PER_S
        inside = (source >= 0) & (source < len(part.frame_phones))
        phones[places[inside]] = np.asarray(part.frame_phones)[source[inside].astype(int)]
    return phones


def _stretch(mel: FloatArray, speed: float) -> FloatArray:
    if speed == 1.0:
        return mel
    return _resample(mel, np.arange(int(len(mel) / speed)) * speed)


def _warp(mel: FloatArray, factor: float) -> FloatArray:
    """Another vocal tract length: stretch the frequency axis."""
    return _resample(mel.T, np.minimum(np.arange(80) * factor, 79)).T


def _resample(values: FloatArray, places: FloatArray) -> FloatArray:
    """Linear interpolation along the first axis."""
    low = np.minimum(places.astype(int), len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    share = (places - low)[:, None].astype(np.float32)
    return np.asarray(values[low] * (1 - share) + values[high] * share, np.float32)


def _reverberate(mel: FloatArray, decay_s: float, wet: float) -> FloatArray:
    """A room in the power domain: each frame rings on, 60 dB lower after ``decay_s``."""
    keep = 10 ** (-6 / (decay_s * FRAMES_PER_S))
    power = 10.0**mel
    ringing = lfilter([wet * (1 - keep) * 4], [1, -keep], power, axis=0)
    return np.asarray(np.log10(np.maximum(power + ringing, 1e-10)), np.float32)
