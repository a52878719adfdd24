"""From sound to an assessment: voice activity, transcript, features, estimate. Saves nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

from qe_core.asr.base import Engine, Progress
from qe_core.asr.second import ask_second
from qe_core.config import Settings
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import extractors_for
from qe_core.features import AUDIO_ONLY, DEPTHS, Depth
from qe_core.features.base import FeatureContext, extract, schema_of
from qe_core.types import Assessment, Audio, Estimate, Reason, SpeechSpan, Transcript
from qe_core.vad import find_speech

__all__ = ["assess", "depth_of", "judge", "must_review_reason", "triage"]

# Where the stages begin in the progress of the whole; transcription takes nearly all the time.
_TRANSCRIBING, _ESTIMATING = 0.02, 0.95
# A hasty recogniser needs about a third of the time of a careful one.
_ASKING = 0.72


def assess(
    audio: Audio,
    engine: Engine,
    estimator: Estimator,
    *,
    settings: Settings,
    depth: Depth | None = None,
    second: Engine | None = None,
    on_progress: Progress | None = None,
) -> Assessment:
    """Transcribe a clip and predict how wrong the transcript is.

    Args:
        audio: the clip
        engine: writes the hypothesis
        estimator: of kind ``"transcript"`` for this engine, or of kind ``"audio"`` when there is
            none for it yet
        settings: language, interval and number of reasons
        depth: which features are computed, at least those of the estimator; these by default
        second: gives a second opinion where the depth is ``"thorough"``
        on_progress: told the share done and ``"transcribing"``, ``"asking a second recogniser"`` or
            ``"estimating"``

    Returns:
        everything that was found out, with the seconds that every stage took

    Raises:
        EngineError: the recogniser failed
        EstimatorError: the estimator belongs to another engine or to other features
    """
    tell = on_progress or (lambda _share, _text: None)
    timings: dict[str, float] = {}
    depth = depth or depth_of(estimator)
    second = second if depth == "thorough" else None
    first_end = _ESTIMATING if second is None else _ASKING
    tell(0.0, "transcribing")
    with _timed(timings, "speech"):
        speech = find_speech(audio)
    with _timed(timings, "transcription"):
        transcript = engine.transcribe(
            audio,
            speech,
            language=settings.engine.language,
            on_progress=lambda share, text: tell(
                _TRANSCRIBING + share * (first_end - _TRANSCRIBING), text
            ),
        )
    opinion = None
    if second is not None:
        with _timed(timings, "second_opinion"):
            opinion = ask_second(
                second,
                audio,
                speech,
                transcript,
                on_progress=lambda share, _text: tell(
                    _ASKING + share * (_ESTIMATING - _ASKING), "asking a second recogniser"
                ),
            )
    tell(_ESTIMATING, "estimating")
    with _timed(timings, "features"):
        features = extract(DEPTHS[depth], FeatureContext(audio, speech, transcript, opinion))
    with _timed(timings, "estimate"):
        estimate, must_review = judge(
            features,
            transcript,
            speech,
            duration_s=audio.duration_s,
            estimator=estimator,
            settings=settings,
            second=opinion,
        )
    tell(1.0, "ready")
    return Assessment(
        transcript=transcript,
        speech=speech,
        features=features,
        estimate=estimate,
        must_review=must_review,
        timings_s=timings,
        feature_schema=schema_of(DEPTHS[depth]),
        second=opinion,
    )


def depth_of(estimator: Estimator) -> Depth:
    """What has to be computed for an estimator; the usual where it judges sound alone."""
    return estimator.manifest.depth if estimator.manifest.kind == "transcript" else "standard"


def judge(
    features: Mapping[str, float],
    transcript: Transcript,
    speech: tuple[SpeechSpan, ...],
    *,
    duration_s: float,
    estimator: Estimator,
    settings: Settings,
    second: Transcript | None = None,
) -> tuple[Estimate, bool]:
    """Predict how wrong a transcript is, from features that were computed before.

    Args:
        features: at least those that the estimator looks at
        transcript: what an engine wrote
        speech: where somebody speaks
        duration_s: length of the clip
        estimator: as for :func:`assess`
        settings: language, interval and number of reasons
        second: what another recogniser made of the clip

    Returns:
        the estimate, and whether a rule sends the clip to review whatever it says

    Raises:
        EstimatorError: the estimator belongs to another engine or to other features
    """
    estimate = estimator.estimate(
        {name: features[name] for name in estimator.manifest.feature_names if name in features},
        transcript=transcript,
        second=second,
        speech=speech,
        duration_s=duration_s,
        schema=_schema_for(estimator),
        level=settings.quality.interval_level,
        num_reasons=settings.quality.num_reasons,
    )
    rule = must_review_reason(transcript, speech, language=settings.engine.language)
    if rule is not None:
        estimate = replace(estimate, reasons=(rule, *estimate.reasons))
    return estimate, rule is not None


def triage(audio: Audio, estimator: Estimator, *, level: float | None = None) -> Estimate:
    """Predict the WER of a clip from its sound alone, without transcribing it.

    Args:
        audio: the clip
        estimator: of kind ``"audio"``
        level: coverage of the interval; that of the estimator by default

    Returns:
        a rough estimate; see the model card for how rough

    Raises:
        EstimatorError: the estimator needs a transcript or other features
    """
    speech = find_speech(audio)
    return estimator.estimate(
        extract(AUDIO_ONLY, FeatureContext(audio, speech)),
        transcript=None,
        speech=speech,
        duration_s=audio.duration_s,
        schema=_schema_for(estimator),
        level=level,
    )


def must_review_reason(
    transcript: Transcript, speech: tuple[SpeechSpan, ...], *, language: str | None
) -> Reason | None:
    """The rule that sends a clip to review whatever its predicted WER, if one applies.

    Args:
        transcript: the hypothesis
        speech: where somebody speaks
        language: ISO 639-1 code that was asked for, ``None`` when any will do
    """
    if not transcript.words and not transcript.text:
        if speech:
            return Reason("no_words", "Somebody speaks, but the recogniser wrote nothing.")
        return Reason("no_speech", "No speech was found: listen whether there really is none.")
    if not speech:
        return Reason("no_speech", "The recogniser wrote words where no speech was found.")
    if language is not None and transcript.language != language:
        return Reason(
            "language",
            f"The transcript is in language “{transcript.language}”, not in “{language}”.",
        )
    return None


def _schema_for(estimator: Estimator) -> str:
    return schema_of(extractors_for(estimator.manifest.kind, estimator.manifest.depth))


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    try:
        yield
    finally:
        timings[stage] = perf_counter() - start
