"""What the sound is like: level, noise, room, channel and voice. Needs no transcript.

On their own these features predict WER poorly (DESIGN §5.1); they explain an estimate, slice the
results and show drift.
"""

from math import ceil

import numpy as np
import numpy.typing as npt

from qe_core.features.base import FeatureContext, FeatureInfo
from qe_core.features.clipping import clipped_share
from qe_core.features.frames import (
    BAND_EDGES_HZ,
    FRAME_LENGTH,
    LOWEST_DBFS,
    SPEECH_BANDS,
    Frames,
    stretches,
)
from qe_core.features.pitch import measure_pitch
from qe_core.features.room import decay_s, modulation
from qe_core.features.snr import wada_snr_db
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = ["AcousticFeatures"]

_WADA_WINDOW = 3 * SAMPLE_RATE_HZ
_MIN_NOISE_FRAMES = 5
_MARGIN_FRAMES = 2
_SNR_LIMITS_DB = (-20.0, 80.0)
_LOWEST_POWER = 10 ** (LOWEST_DBFS / 10)
_BIN_HZ = SAMPLE_RATE_HZ / FRAME_LENGTH
_CLIFF_BINS = round(500 / _BIN_HZ)
_CLIFF_FROM = round(1500 / _BIN_HZ)

_INFO = (
    FeatureInfo(
        "duration_s",
        "duration",
        "s",
        low="The clip is very short: there is little context to go by.",
    ),
    FeatureInfo(
        "speech_s",
        "speech",
        "s",
        high="There is a lot of speech in the clip.",
        low="There is hardly any speech in the clip.",
    ),
    FeatureInfo(
        "speech_share",
        "share of speech",
        high="Somebody speaks almost without a pause.",
        low="Most of the clip is not speech.",
    ),
    FeatureInfo(
        "speech_spans_per_minute",
        "stretches of speech per minute",
        "1/min",
        high="The speech comes in many short bursts.",
        low="The speech comes in one long stretch without a pause.",
    ),
    FeatureInfo(
        "level_dbfs",
        "level",
        "dBFS",
        high="The recording is very loud.",
        low="The recording is very quiet.",
    ),
    FeatureInfo(
        "crest_db",
        "peak over mean level",
        "dB",
        high="There are loud clicks or bangs, or the level varies a lot.",
        low="The sound is compressed or the background is about as loud as the voice.",
    ),
    FeatureInfo(
        "noise_floor_dbfs",
        "noise floor",
        "dBFS",
        high="The background is loud even where nobody speaks.",
        low="The background is unusually silent; a noise gate may have cut into words.",
    ),
    FeatureInfo(
        "dynamic_range_db",
        "dynamic range",
        "dB",
        high="Loud and quiet parts differ a lot; quiet words may be lost.",
        low="The speech hardly rises above the background.",
    ),
    FeatureInfo(
        "snr_db",
        "speech to noise",
        "dB",
        high="Speech and pauses differ unusually much in level.",
        low="The speech hardly rises above the noise between it.",
    ),
    FeatureInfo(
        "wada_snr_db",
        "estimated SNR",
        "dB",
        high="The sound has long silent stretches or sharp peaks.",
        low="There is a lot of noise behind the voice.",
    ),
    FeatureInfo(
        "wada_snr_p10_db",
        "SNR of the worst parts",
        "dB",
        high="The sound has long silent stretches or sharp peaks.",
        low="At least one part of the clip is very noisy.",
    ),
    FeatureInfo(
        "bandwidth_hz",
        "bandwidth",
        "Hz",
        high="The recording has an unusually wide band.",
        low="High frequencies are missing, as on a telephone line.",
    ),
    FeatureInfo(
        "codec_cliff_db",
        "spectral cliff",
        "dB",
        high="The spectrum breaks off sharply: a telephone line or strong compression.",
        low="The spectrum is unusually smooth, as in steady noise.",
    ),
    FeatureInfo(
        "high_band_db",
        "treble to speech band",
        "dB",
        high="There is a lot of hiss, or the sound is shrill.",
        low="The sound is muffled.",
    ),
    FeatureInfo(
        "rumble_db",
        "rumble to speech band",
        "dB",
        high="There is a lot of hum, wind or rumble.",
        low="Low frequencies are missing, as on a telephone line.",
    ),
    FeatureInfo(
        "clipped_share",
        "clipped share",
        high="The recording was too loud for the microphone: it is clipped.",
    ),
    FeatureInfo(
        "spectral_centroid_hz",
        "spectral centre",
        "Hz",
        high="The sound is shrill or hissing.",
        low="The sound is muffled.",
    ),
    FeatureInfo(
        "spectral_rolloff_hz",
        "spectral roll-off",
        "Hz",
        high="The sound is shrill or hissing.",
        low="The sound is muffled.",
    ),
    FeatureInfo(
        "spectral_flatness",
        "spectral flatness",
        high="Speech sounds like noise: a noisy, whispered or badly compressed recording.",
        low="Speech sounds like tones: music or humming may be mixed in.",
    ),
    FeatureInfo(
        "zero_crossings_hz",
        "zero crossings",
        "Hz",
        high="There is a lot of hiss.",
        low="There is a lot of hum, or the sound is muffled.",
    ),
    FeatureInfo(
        "modulation_depth",
        "syllable swing",
        high="The level swings unusually strongly from syllable to syllable.",
        low="Noise or an echoing room blurs the syllables.",
    ),
    FeatureInfo(
        "modulation_tilt_db",
        "steadiness of syllables",
        "dB",
        high="The level swings slowly and smoothly.",
        low="The level flickers: an echoing room, drop-outs or clicks.",
    ),
    FeatureInfo(
        "decay_s",
        "decay time",
        "s",
        high="The room echoes.",
        low="The sound breaks off abruptly, as behind a noise gate.",
    ),
    FeatureInfo(
        "voiced_share",
        "voiced share",
        high="Hum, music or drawn-out vowels are behind or in the speech.",
        low="Little of the speech has a clear voice: noise, whispering or several voices at once.",
    ),
    FeatureInfo(
        "pitch_hz",
        "median pitch",
        "Hz",
        high="The voice is high, such as a child's.",
        low="The voice is very low.",
    ),
    FeatureInfo(
        "pitch_spread_semitones",
        "pitch spread",
        "semitones",
        high="The pitch varies a lot: lively speech, several speakers or noise.",
        low="The pitch hardly varies: a monotonous voice, a hum or a tone.",
    ),
)


class AcousticFeatures:
    """Sound alone: levels, noise, channel, room, voice.

    Levels are those of the clip as decoded. Clips of more than ten minutes are judged by evenly
    spread stretches, see :mod:`qe_core.features.frames`. NaN: no speech or no pause to measure
    (``snr_db``), silence (everything relative), nothing loud enough (``bandwidth_hz``,
    ``clipped_share``, pitch), too short (``modulation_*``, ``decay_s``).
    """

    name = "acoustic"
    version = 4
    needs_transcript = False
    needs_second = False
    features = _INFO

    def extract(self, context: FeatureContext) -> dict[str, float]:
        """See :class:`qe_core.features.base.FeatureExtractor`."""
        samples = context.audio.samples
        bandwidth_hz = context.audio.source.bandwidth_hz
        frames = context.frames
        pitch = measure_pitch(samples, context.speech)
        depth, tilt_db = modulation(frames)
        values = {
            **_speech(context),
            **_levels(samples, frames),
            **_wada(samples),
            "bandwidth_hz": np.nan if bandwidth_hz is None else float(bandwidth_hz),
            **_spectrum(frames),
            "clipped_share": clipped_share(samples),
            "modulation_depth": depth,
            "modulation_tilt_db": tilt_db,
            "decay_s": decay_s(frames),
            "voiced_share": pitch.voiced_share,
            "pitch_hz": pitch.median_hz,
            "pitch_spread_semitones": pitch.spread_semitones,
        }
        return {info.name: values[info.name] for info in _INFO}


def _speech(context: FeatureContext) -> dict[str, float]:
    duration_s = context.audio.duration_s
    speech_s = float(sum(span.duration_s for span in context.speech))
    num_spans = len(context.speech)
    return {
        "duration_s": duration_s,
        "speech_s": speech_s,
        "speech_share": min(1.0, speech_s / duration_s) if duration_s > 0 else np.nan,
        "speech_spans_per_minute": 60 * num_spans / duration_s if duration_s > 0 else np.nan,
    }


def _levels(samples: FloatArray, frames: Frames) -> dict[str, float]:
    parts = [part for _, part in stretches(samples)]
    num_samples = max(1, sum(len(part) for part in parts))
    offset = sum(float(part.sum(dtype=np.float64)) for part in parts) / num_samples
    energy = sum(float(np.square(part, dtype=np.float64).sum()) for part in parts)
    power = energy / num_samples - offset**2
    peak = max((float(np.abs(part - np.float32(offset)).max()) for part in parts), default=0.0)
    low, high = np.percentile(frames.level_dbfs, [10, 95])
    return {
        "level_dbfs": _db(power),
        "crest_db": _db(peak**2) - _db(power) if power > _LOWEST_POWER else np.nan,
        "noise_floor_dbfs": float(low),
        "dynamic_range_db": float(high - low),
        "snr_db": _snr_db(frames),
        "zero_crossings_hz": _zero_crossings_hz(parts, offset),
    }


def _snr_db(frames: Frames) -> float:
    """Power in speech, less the power between, over the power between."""
    # Frames overlap: one that lies beside speech still hears it.
    is_near = np.convolve(frames.is_speech, np.ones(2 * _MARGIN_FRAMES + 1), mode="same") > 0
    if np.count_nonzero(~is_near) < _MIN_NOISE_FRAMES or not frames.is_speech.any():
        return np.nan
    power = frames.bands.sum(axis=1, dtype=np.float64)
    noise = max(float(power[~is_near].mean()), _LOWEST_POWER)
    speech = float(power[frames.is_speech].mean()) - noise
    if speech <= 0:
        return _SNR_LIMITS_DB[0]
    return float(np.clip(10 * np.log10(speech / noise), *_SNR_LIMITS_DB))


def _zero_crossings_hz(parts: list[FloatArray], offset: float) -> float:
    num_samples = sum(len(part) for part in parts)
    if num_samples == 0:
        return np.nan
    signs = (part > offset for part in parts)
    crossings = sum(int(np.count_nonzero(part[1:] != part[:-1])) for part in signs)
    return crossings * SAMPLE_RATE_HZ / num_samples


def _wada(samples: FloatArray) -> dict[str, float]:
    parts = [part for _, part in stretches(samples)]
    whole = np.concatenate(parts) if len(parts) > 1 else samples
    num_windows = max(1, round(len(whole) / _WADA_WINDOW))
    windows = wada_snr_db(whole, len(whole) // num_windows)
    known = windows[~np.isnan(windows)]
    return {
        "wada_snr_db": float((wada_snr_db(whole) if num_windows > 1 else windows)[0]),
        "wada_snr_p10_db": float(np.percentile(known, 10)) if len(known) else np.nan,
    }


def _spectrum(frames: Frames) -> dict[str, float]:
    bands = frames.spectrum
    speech_band = _band_power(bands, BAND_EDGES_HZ[SPEECH_BANDS.start], BAND_EDGES_HZ[7])
    is_heard = frames.is_speech if frames.is_speech.any() else np.ones_like(frames.is_speech)
    is_heard &= frames.level_dbfs > LOWEST_DBFS
    return {
        "codec_cliff_db": _cliff_db(bands),
        "high_band_db": _ratio_db(_band_power(bands, 4000, 7500), speech_band),
        "rumble_db": _ratio_db(_band_power(bands, 62, 150), speech_band),
        "spectral_centroid_hz": _mean(frames.centroid_hz[is_heard]),
        "spectral_rolloff_hz": _mean(frames.rolloff_hz[is_heard]),
        "spectral_flatness": _mean(frames.flatness[is_heard]),
    }


def _cliff_db(spectrum: npt.NDArray[np.float64]) -> float:
    """Largest fall of the smoothed spectrum across 500 Hz, above 1.5 kHz."""
    smooth = np.convolve(spectrum, np.ones(3) / 3, mode="valid")[_CLIFF_FROM:]
    if smooth.max() <= 0:
        return np.nan
    level_db = 10 * np.log10(np.maximum(smooth, smooth.max() * 1e-10))
    return float((level_db[:-_CLIFF_BINS] - level_db[_CLIFF_BINS:]).max())


def _band_power(spectrum: npt.NDArray[np.float64], low_hz: float, high_hz: float) -> float:
    return float(spectrum[ceil(low_hz / _BIN_HZ) : ceil(high_hz / _BIN_HZ)].sum())


def _ratio_db(power: float, reference: float) -> float:
    if reference <= 0:
        return np.nan
    return float(np.clip(10 * np.log10(max(power / reference, 1e-10)), -80, 80))


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, _LOWEST_POWER)))
