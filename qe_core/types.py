"""The values that flow through Werkbench, from decoded audio to an assessment.

All are frozen. Times are seconds from the start of the clip, probabilities lie in [0, 1], and a
`None` always means "this engine does not report it".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "SAMPLE_RATE_HZ",
    "Assessment",
    "Audio",
    "Estimate",
    "FloatArray",
    "Reason",
    "Segment",
    "SourceFormat",
    "SpeechSpan",
    "Transcript",
    "Word",
]

FloatArray = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """What a file was before it was decoded.

    Args:
        container: short name of the container by content, e.g. ``"wav"``, ``"matroska,webm"``
        codec: short name of the audio codec, e.g. ``"pcm_s16le"``, ``"opus"``
        sample_rate_hz: sample rate in the file
        num_channels: channels in the file
        bandwidth_hz: highest frequency that carries speech-level energy, measured before
            resampling; ``None`` when nothing was loud enough to tell
    """

    container: str
    codec: str
    sample_rate_hz: int
    num_channels: int
    bandwidth_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Decoded sound: mono, 16 kHz, float32 in [-1, 1], shape ``(num_samples,)``."""

    samples: FloatArray
    source: SourceFormat

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """A stretch of the clip in which somebody speaks, by voice activity detection."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Word:
    """A timed token of the hypothesis with the engine's own confidence."""

    word: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the hypothesis with the decoder's scores for it.

    Args:
        start_s: start of the segment
        end_s: end of the segment
        text: what the engine wrote for it
        words: its words in time order
        avg_logprob: mean log probability per token (Whisper) or per frame (PocketSphinx)
        no_speech_prob: the decoder's own probability that nobody speaks
        compression_ratio: zlib ratio of the text; high when it repeats itself
        temperature: sampling temperature that produced the text
        alternatives: other readings of the same stretch, best first, without the hypothesis
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one engine wrote for one clip; immutable once it exists.

    Args:
        segments: in time order, possibly none
        language: ISO 639-1 code that the engine assumed or detected
        engine: registered name of the engine, e.g. ``"pocketsphinx"``
        model: model within the engine, e.g. ``"en-us"``, ``"base"``
        version: version of engine and model; an estimate belongs to exactly one
        language_probability: the engine's probability for ``language``
        parameters: decoding parameters that shape the text
    """

    segments: tuple[Segment, ...]
    language: str
    engine: str
    model: str
    version: str
    language_probability: float | None = None
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole hypothesis, segments joined by one space."""
        return " ".join(segment.text.strip() for segment in self.segments if segment.text.strip())

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in time order."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a clip was flagged, in plain words.

    Args:
        code: stable name, e.g. the feature behind it or ``"no_words"``
        text: a sentence for the reviewer
        contribution: how much it adds to the predicted WER; 0 for rules
    """

    code: str
    text: str
    contribution: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Our prediction for one transcript, made without a reference.

    Args:
        expected_errors: expected substitutions + deletions + insertions
        expected_words: expected number of words in the (unknown) reference
        predicted_wer: ``expected_errors / expected_words``, may exceed 1
        low: lower end of the prediction interval of the WER
        high: upper end of the prediction interval of the WER
        interval_level: nominal coverage of the interval, e.g. 0.9
        estimator: id of the estimator that made it
        reasons: what drives the prediction, strongest first
        word_error_probabilities: one per word of the transcript, in order
        segment_expected_errors: one per segment; they sum to ``expected_errors``
    """

    expected_errors: float
    expected_words: float
    predicted_wer: float
    low: float
    high: float
    interval_level: float
    estimator: str
    reasons: tuple[Reason, ...] = ()
    word_error_probabilities: tuple[float, ...] = ()
    segment_expected_errors: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything the pipeline found out about one clip.

    Args:
        transcript: the hypothesis
        speech: where somebody speaks
        features: every computed feature by name; NaN where it is undefined
        estimate: predicted errors and WER
        must_review: a rule flags the clip whatever the predicted WER (no words, no speech)
        timings_s: seconds spent per stage, by stage name
        feature_schema: of ``features``, see :func:`qe_core.features.base.schema_of`
        second: what another recogniser made of the clip
    """

    transcript: Transcript
    speech: tuple[SpeechSpan, ...]
    features: Mapping[str, float]
    estimate: Estimate
    must_review: bool
    timings_s: Mapping[str, float]
    feature_schema: str = ""
    second: Transcript | None = None

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.estimate.predicted_wer >= threshold


Verdict = Literal["accept", "correct", "reject"]
