"""Syllables heard against syllables written: how much was said, without knowing what.

A syllable is a swell of the sound between 300 and 3400 Hz, whoever speaks and whatever the
language. How many there are says how many words to expect before any is recognised; a recogniser
that wrote far fewer has left something out, one that wrote far more has made something up.

References:
    de Jong & Wempe (2009), Praat script to detect syllable nuclei and measure speech rate
    automatically, Behavior Research Methods 41(2); Wang & Narayanan (2007), Robust speech rate
    estimation for spontaneous speech, IEEE TASLP 15(8).
"""

import re
import unicodedata

import numpy as np
from scipy.signal import find_peaks

from qe_core.features.base import FeatureContext, FeatureInfo, undefined
from qe_core.features.frames import FRAMES_PER_SECOND, SPEECH_BANDS, Frames

__all__ = ["SyllableFeatures", "count_heard", "count_written"]

# Loudness grows with about the cube root of the power (Stevens).
_LOUDNESS = 1 / 3
_SMOOTH = np.hanning(13)[1:-1] / np.hanning(13).sum()
_MIN_PROMINENCE = 0.08
_MIN_DISTANCE = round(0.08 * FRAMES_PER_SECOND)
# Less speech than is smoothed over has no shape.
_MIN_SPEECH_FRAMES = len(_SMOOTH)

_VOWELS = re.compile("[aeiouyæœøαεηιουωаеёиоуыэюяіїє]+")
_WHOLE_SYLLABLES = re.compile("[0-9\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTERS_PER_SYLLABLE = 2.5

_INFO = (
    FeatureInfo(
        "syllables",
        "syllables heard",
        high="There is a lot of speech in the clip.",
        low="There is hardly any speech in the clip.",
    ),
    FeatureInfo(
        "syllables_per_speech_s",
        "syllables per second of speech",
        "1/s",
        high="The speech is unusually fast, or something rattles along with it.",
        low="The speech is unusually slow, or noise blurs its syllables.",
    ),
    FeatureInfo(
        "written_per_heard_syllable",
        "syllables written per syllable heard",
        high="More syllables are written than can be heard: words were probably made up.",
        low="Fewer syllables are written than can be heard: words are probably missing.",
    ),
)


class SyllableFeatures:
    """Syllables in the sound, and in the transcript against them.

    NaN without speech; the ratio also where no syllable is heard.
    """

    name = "syllables"
    version = 1
    needs_transcript = True
    needs_second = False
    features = _INFO

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """See :class:`qe_core.features.base.FeatureExtractor`."""
        values = undefined(_INFO)
        speech_s = float(sum(span.duration_s for span in context.speech))
        rate = count_heard(context.frames)
        if not speech_s or rate is None:
            return values
        heard = rate * speech_s
        values |= {"syllables": heard, "syllables_per_speech_s": rate}
        if heard and context.transcript is not None:
            values["written_per_heard_syllable"] = count_written(context.transcript.text) / heard
        return values


def count_heard(frames: Frames) -> float | None:
    """Syllables per second of speech.

    Args:
        frames: of the clip

    Returns:
        swells of loudness that rise at least 8 % of the loudest speech above what lies between,
        80 ms apart or more, per second of speech; ``None`` with hardly any speech
    """
    is_speech = frames.is_speech
    if np.count_nonzero(is_speech) < _MIN_SPEECH_FRAMES:
        return None
    power = frames.bands[:, SPEECH_BANDS].sum(axis=1, dtype=np.float64)
    loudness = np.convolve(power, _SMOOTH, mode="same") ** _LOUDNESS
    loudest = float(np.percentile(loudness[is_speech], 95))
    if loudest <= 0:
        return None
    peaks, _ = find_peaks(loudness / loudest, prominence=_MIN_PROMINENCE, distance=_MIN_DISTANCE)
    num_peaks = np.count_nonzero(is_speech[peaks])
    return float(num_peaks) * FRAMES_PER_SECOND / float(np.count_nonzero(is_speech))


def count_written(text: str) -> int:
    """Syllables of a text, roughly, in any script.

    Args:
        text: as the recogniser wrote it

    Returns:
        groups of vowels where a word has any, a digit or a character that is a syllable by itself
        as one, otherwise one for every two or three letters; at least one per word

    Examples:
        >>> count_written("The banana costs 12 крон")
        8
    """
    # Composed again once accents are gone: a Korean character is one syllable, not its parts.
    parts = unicodedata.normalize("NFD", text.lower())
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    words = unicodedata.normalize("NFC", plain).split()
    return sum(_of_word(word) for word in words if any(map(str.isalnum, word)))


def _of_word(word: str) -> int:
    found = len(_VOWELS.findall(word)) + len(_WHOLE_SYLLABLES.findall(word))
    if found:
        return found
    letters = sum(map(str.isalpha, word))
    # Consonants alone are an abbreviation where vowels are written, and a word where they are not.
    is_latin = any("LATIN" in unicodedata.name(char, "") for char in word)
    return 1 if is_latin else max(1, round(letters / _LETTERS_PER_SYLLABLE))
