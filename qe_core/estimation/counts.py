"""Expected errors and expected words of a clip, in two stages: any error at all, and how many.

A WER has a mass at 0 and no upper end, so counts are predicted and the rate is their quotient. Both
counts are Poisson models around what is known anyway: the words that were written (or, without a
transcript, the seconds of speech) and, for errors, the expected words.

Where clips by a relative of the recogniser teach, too, one more input says whose a clip is: what
the two have in common is learnt from both, and what differs is not taken over.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from qe_core.estimation.boosting import (
    Folds,
    Task,
    TreeSettings,
    cross_fit,
    fit,
    predict,
)
from qe_core.estimation.leaves import Leaves
from qe_core.types import FloatArray

__all__ = [
    "DIRECTIONS",
    "WORDS_PER_SPEECH_S",
    "CountModel",
    "CountTargets",
    "Counts",
    "combine",
    "fit_counts",
    "words_offset",
]

# Reading and dictation in English; only a starting point, the model corrects it.
WORDS_PER_SPEECH_S = 2.5
_MIN_WORDS = 0.1
_MAX_RATE = 2.0

DIRECTIONS: Mapping[str, int] = {
    "confidence_mean": -1,
    "confidence_min": -1,
    "confidence_p5": -1,
    "confidence_p10": -1,
    "confidence_p25": -1,
    "last_confidence": -1,
    "low_confidence_share": 1,
    "low_confidence_run": 1,
    "avg_logprob": -1,
    "avg_logprob_min": -1,
    "nbest_disagreement": 1,
    "confident_speech_share": -1,
    "confidence_by_duration": -1,
    "uncovered_speech_share": 1,
    "words_outside_speech_share": 1,
    "snr_db": -1,
    "wada_snr_db": -1,
    "wada_snr_p10_db": -1,
    "second_disagreement": 1,
    "second_letter_disagreement": 1,
    "second_agreed_share": -1,
    "second_similarity": -1,
    "second_agreed_confidence": -1,
    "second_confident_disagreement": 1,
    "second_votes": -1,
    "doubt_mean": 1,
    "doubt_max": 1,
    "doubt_min": 1,
    "doubt_any": 1,
}
"""Where common sense knows the sign: trees that keep to it carry over to other sources."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Predictions for many clips, each of shape ``(num_clips,)``."""

    errors: FloatArray
    words: FloatArray
    any_error: FloatArray

    @property
    def wer(self) -> FloatArray:
        """Expected errors per expected word."""
        return np.asarray(self.errors / self.words, np.float32)


@dataclass(frozen=True, slots=True)
class CountTargets:
    """What the count model learns from; every array has one entry per clip.

    Args:
        features: shape ``(num_clips, num_features)``
        offset: words to expect before any feature is looked at, see :func:`words_offset`
        errors: S + D + I
        words: words of the reference
        weight: relative weight
        folds: fold number
        is_relative: by a relative of the recogniser
        directions: per feature, see :class:`qe_core.estimation.boosting.Task`
    """

    features: FloatArray
    offset: FloatArray
    errors: FloatArray
    words: FloatArray
    weight: FloatArray
    folds: Folds
    is_relative: npt.NDArray[np.bool_]
    directions: tuple[int, ...] = ()


@dataclass(frozen=True)
class CountModel:
    """Boosters and constants that turn features into expected counts.

    Args:
        boosters: ``words``, ``any_error``, ``errors`` and ``rate``
        pooled_rate: errors per word over clips with an error
        rate_share: weight of the direct rate model in the blend with the two-stage one
    """

    boosters: Mapping[str, xgb.Booster]
    pooled_rate: float
    rate_share: float

    @property
    def constants(self) -> Mapping[str, float]:
        """The numbers that belong to the trees, by the name of their field."""
        return {"pooled_rate": self.pooled_rate, "rate_share": self.rate_share}

    def predict(self, features: FloatArray, offset: FloatArray) -> Counts:
        """Expected counts.

        Args:
            features: shape ``(num_clips, num_features)``
            offset: shape ``(num_clips,)``, see :func:`words_offset`
        """
        features = self._whose(features)
        words = predict(self.boosters["words"], features, np.log(offset))
        error_margin = np.log(words) + np.float32(np.log(self.pooled_rate))
        stages = {
            "words": words,
            "any_error": predict(self.boosters["any_error"], features),
            "errors": predict(self.boosters["errors"], features, error_margin),
            "rate": predict(self.boosters["rate"], features),
        }
        return combine(stages, rate_share=self.rate_share)

    def explain(self, features: FloatArray, offset: FloatArray) -> tuple[Counts, FloatArray]:
        """Expected counts of a single clip, and how much every feature adds to its predicted WER.

        The counts are those of :meth:`predict` but for the last bits.

        Args:
            features: shape ``(1, num_features)``
            offset: shape ``(1,)``, see :func:`words_offset`

        Returns:
            counts, and to first order what every feature adds, ``(num_features,)``, units of WER
        """
        clip = xgb.DMatrix(self._whose(features), nthread=1)
        words, _ = self._leaves["words"].look(clip, float(np.log(offset[0])))
        any_error, from_any = self._leaves["any_error"].look(clip)
        margin = words + float(np.log(self.pooled_rate))
        errors, from_errors = self._leaves["errors"].look(clip, margin)
        rate, from_rate = self._leaves["rate"].look(clip)
        p_error = 1 / (1 + np.exp(-any_error))
        stages = {
            "words": np.exp(words),
            "any_error": p_error,
            "errors": np.exp(errors),
            "rate": rate,
        }
        counts = combine(
            {name: np.full(1, value, np.float32) for name, value in stages.items()},
            rate_share=self.rate_share,
        )
        # Derivatives of p·e along the links: logit for p, log for e.
        two_stage = counts.wer * ((1 - p_error) * from_any + from_errors)
        added = (1 - self.rate_share) * two_stage + self.rate_share * from_rate
        return counts, np.asarray(added[: features.shape[1]], np.float32)

    @cached_property
    def _leaves(self) -> Mapping[str, Leaves]:
        """Laid out when the first clip asks: whole tables are predicted without."""
        return {name: Leaves.of(booster) for name, booster in self.boosters.items()}

    def _whose(self, features: FloatArray) -> FloatArray:
        """What is estimated is never a relative's."""
        if self.boosters["words"].num_features() == features.shape[1]:
            return features
        return _with_whose(features, np.zeros(len(features), np.bool_))


def words_offset(hypothesis_words: FloatArray | None, speech_s: FloatArray) -> FloatArray:
    """Words to expect before any feature is looked at.

    Args:
        hypothesis_words: per clip; ``None`` when there is no transcript
        speech_s: seconds of speech per clip

    Returns:
        the words that were written where there are any, otherwise the speech at reading speed
    """
    spoken = np.maximum(speech_s * WORDS_PER_SPEECH_S, 0.5)
    if hypothesis_words is None:
        return np.asarray(spoken, np.float32)
    return np.asarray(np.where(hypothesis_words > 0, hypothesis_words, spoken), np.float32)


def fit_counts(
    targets: CountTargets,
    *,
    settings: TreeSettings,
    rate_share: float,
    seed: int,
    on_step: Callable[[str], None] | None = None,
) -> tuple[CountModel, Counts]:
    """Fit all stages and predict every clip by stages that never saw its fold.

    Args:
        targets: what to learn from
        settings: how trees are grown
        rate_share: weight of the direct rate model
        seed: of all draws
        on_step: told about every stage

    Returns:
        the model on all clips, and the out-of-fold predictions
    """
    # Nothing but the result needs the boosters on all clips: they are grown beside the next stages.
    with ThreadPoolExecutor(1) as beside:
        boosters, held_out, pooled = _fit_stages(targets, settings, seed, beside, on_step)
        model = CountModel(
            {name: booster.result() for name, booster in boosters.items()}, pooled, rate_share
        )
    return model, combine(held_out, rate_share=rate_share)


def _fit_stages(
    targets: CountTargets,
    settings: TreeSettings,
    seed: int,
    beside: Executor,
    on_step: Callable[[str], None] | None,
) -> tuple[dict[str, Future[xgb.Booster]], dict[str, FloatArray], float]:
    """Boosters on all clips, out-of-fold predictions, and the share of words that are wrong."""
    tell = on_step or (lambda _: None)
    boosters: dict[str, Future[xgb.Booster]] = {}
    held_out: dict[str, FloatArray] = {}

    def learn(name: str, task: Task) -> None:
        tell(name)
        held_out[name], num_rounds = cross_fit(task, targets.folds, settings=settings, seed=seed)
        boosters[name] = beside.submit(
            fit, task, num_rounds=num_rounds, settings=settings, seed=seed
        )

    features, directions = targets.features, targets.directions
    if targets.is_relative.any():
        features = _with_whose(features, targets.is_relative)
        directions = (*directions, 0) if directions else ()
    base = Task(
        features=features,
        target=targets.words,
        weight=targets.weight,
        margin=np.log(targets.offset),
        objective="count:poisson",
        is_taught=np.ones(len(targets.words), np.bool_),
        is_judge=~targets.is_relative,
    )
    learn("words", base)

    has_error = targets.errors > 0
    target = has_error.astype(np.float32)
    guided = replace(base, margin=None, directions=directions)
    learn("any_error", replace(guided, target=target, objective="binary:logistic"))

    expected_words = held_out["words"]
    weight = np.where(has_error, targets.weight, 0)
    pooled = float(np.sum(targets.errors * weight) / np.sum(expected_words * weight))
    margin = np.log(expected_words) + np.float32(np.log(pooled))
    learn("errors", replace(base, target=targets.errors, margin=margin, is_taught=has_error))

    rate = np.minimum(targets.errors / np.maximum(targets.words, 1), _MAX_RATE)
    learn("rate", replace(guided, target=rate, objective="reg:squarederror"))

    return boosters, held_out, pooled


def combine(stages: Mapping[str, FloatArray], *, rate_share: float) -> Counts:
    """Put the predictions of all stages together.

    Args:
        stages: predictions by stage, each of shape ``(num_clips,)``
        rate_share: weight of the direct rate model
    """
    words = np.maximum(stages["words"], np.float32(_MIN_WORDS))
    # Where there is an error, there is at least one.
    two_stage = stages["any_error"] * np.maximum(stages["errors"], 1)
    direct = np.maximum(stages["rate"], 0) * words
    errors = (1 - rate_share) * two_stage + rate_share * direct
    return Counts(np.asarray(errors, np.float32), words, stages["any_error"])


def _with_whose(features: FloatArray, is_relative: npt.NDArray[np.bool_]) -> FloatArray:
    return np.concatenate([features, is_relative[:, None].astype(np.float32)], axis=1)
