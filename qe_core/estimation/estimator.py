"""The quality estimator: from features of a transcript to its expected errors, with reasons."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from qe_core.errors import EstimatorError
from qe_core.estimation.boosting import load, predict
from qe_core.estimation.counts import CountModel, Counts, words_offset
from qe_core.estimation.manifest import (
    ANY_ENGINE,
    Manifest,
    manifest_from_json,
    manifest_to_json,
)
from qe_core.estimation.profile import EngineProfile
from qe_core.estimation.reasons import find_reasons
from qe_core.estimation.words import (
    DOUBTS,
    doubts,
    spread_over_segments,
    word_columns,
    word_features,
)
from qe_core.features.base import covers
from qe_core.text import normalise
from qe_core.types import Estimate, FloatArray, SpeechSpan, Transcript

__all__ = ["SPEECH_FEATURE", "Estimator", "Prediction", "spread_inputs"]

SPEECH_FEATURE = "speech_s"
_COUNT_FILES = ("words", "any_error", "errors", "rate")
_RETRAIN = "Retrain the estimator for it, or choose the estimator that fits."


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predictions for many clips, each of shape ``(num_clips,)``."""

    errors: FloatArray
    words: FloatArray
    wer: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class Estimator:
    """A trained quality model; frozen, safe to share between threads.

    Args:
        manifest: what it is and what it fits
        counts: expected errors and words of a clip
        spread: about how far off the predicted WER may be
        word_errors: probability that a word is wrong; ``None`` for kind ``"audio"``
        word_doubts: the same before anything is known of the clip, for the models of the clip to
            look at; ``None`` for kind ``"audio"`` and for estimators from before there were any,
            whose ``word_errors`` look at the words themselves
        profile: of the engine whose transcripts it judges, for an estimator of any engine that is
            not adapted yet; what the manifest holds where this is ``None``
    """

    manifest: Manifest
    counts: CountModel
    spread: xgb.Booster
    word_errors: xgb.Booster | None
    word_doubts: xgb.Booster | None = None
    profile: EngineProfile | None = None

    @property
    def id(self) -> str:
        """Stored with every estimate: the manifest's, and how many clips its profile is taken from.

        Ranks from another profile are other estimates; so one can tell which are made again.
        """
        if self.profile is None:
            return self.manifest.id
        return f"{self.manifest.id}@{self.profile.num_clips}"

    @property
    def input_names(self) -> tuple[str, ...]:
        """What the models of the clip look at: the features, and what is said of the words."""
        names = self.manifest.feature_names
        return names if self.word_doubts is None else (*names, *DOUBTS)

    @classmethod
    def load(cls, folder: Path) -> "Estimator":
        """Read an estimator from its folder.

        Args:
            folder: what :meth:`save` wrote

        Raises:
            EstimatorError: a file is missing, damaged or of another format
        """
        try:
            text = (folder / "manifest.json").read_bytes()
        except OSError as error:
            raise EstimatorError(
                f"{folder.name}: there is no estimator here.",
                suggestion="Give a folder with a manifest.json, or train one: `werkbench train`.",
            ) from error
        manifest = manifest_from_json(text, name=folder.name)
        boosters = {
            Path(name).stem: load(folder / name, digest) for name, digest in manifest.files.items()
        }
        missing = [name for name in (*_COUNT_FILES, "spread") if name not in boosters]
        if missing:
            raise EstimatorError(
                f"{folder.name}: {missing[0]}.ubj is missing.",
                suggestion="Restore the model folder, or train again with `werkbench train`.",
            )
        return cls(
            manifest=manifest,
            counts=CountModel(
                boosters={name: boosters[name] for name in _COUNT_FILES}, **manifest.constants
            ),
            spread=boosters["spread"],
            word_errors=boosters.get("word_errors"),
            word_doubts=boosters.get("word_doubts"),
        )

    def save(self, folder: Path) -> None:
        """Write the estimator into a folder, the manifest last, so that it is never half there.

        Args:
            folder: is made when missing
        """
        folder.mkdir(parents=True, exist_ok=True)
        boosters = {**self.counts.boosters, "spread": self.spread}
        of_words = {"word_errors": self.word_errors, "word_doubts": self.word_doubts}
        boosters |= {name: booster for name, booster in of_words.items() if booster is not None}
        files: dict[str, str] = {}
        for name, booster in boosters.items():
            raw = bytes(booster.save_raw(raw_format="ubj"))
            (folder / f"{name}.ubj").write_bytes(raw)
            files[f"{name}.ubj"] = hashlib.sha256(raw).hexdigest()
        manifest = replace(self.manifest, files=files)
        (folder / "manifest.json").write_text(manifest_to_json(manifest), encoding="utf-8")

    def estimate(  # noqa: PLR0913 - everything that is known about a clip
        self,
        features: Mapping[str, float],
        *,
        transcript: Transcript | None,
        second: Transcript | None = None,
        speech: tuple[SpeechSpan, ...],
        duration_s: float,
        schema: str | None = None,
        level: float | None = None,
        num_reasons: int = 3,
    ) -> Estimate:
        """Predict the errors of one clip.

        Args:
            features: at least the features it was trained on, NaN where undefined
            transcript: the hypothesis; ``None`` is only good for kind ``"audio"``
            second: what another recogniser made of the clip
            speech: where somebody speaks
            duration_s: length of the clip
            schema: feature schema of ``features`` where the caller knows it
            level: coverage of the interval; that of the manifest by default
            num_reasons: reasons at most

        Returns:
            the estimate; its segments sum to the expected errors

        Raises:
            EstimatorError: other features or another engine than it was trained for
        """
        self._check(features, transcript, schema)
        raw = np.array([[features[name] for name in self.manifest.feature_names]], dtype=np.float32)
        words = self._words(transcript, second)
        row = self.inputs(raw, words, np.zeros(len(words), np.int32))
        speech_s = float(sum(span.duration_s for span in speech))
        num_words = None
        if self.manifest.kind == "transcript" and transcript is not None:
            text = normalise(transcript.text, self.manifest.normaliser)
            num_words = len(text.split())
            if num_words == 0:
                return self._nothing_written(row, speech_s, level)
        offset = words_offset(
            None if num_words is None else np.array([num_words], np.float32),
            np.array([_speech_seconds(features, duration_s)], np.float32),
        )
        counts, added = self.counts.explain(row, offset)
        prediction = self._with_interval(row, counts, level)
        expected_errors, wer = float(prediction.errors[0]), float(prediction.wer[0])
        word_probabilities = self._word_probabilities(words, wer)
        reasons = find_reasons(
            added,
            row[0],
            names=self.input_names,
            usual_ranges=self.manifest.usual_ranges,
            # Sound alone says nothing about single words.
            word_error_probabilities=() if self.word_errors is None else word_probabilities,
            limit=num_reasons,
        )
        estimate = Estimate(
            expected_errors=expected_errors,
            expected_words=float(prediction.words[0]),
            predicted_wer=wer,
            low=float(prediction.low[0]),
            high=float(prediction.high[0]),
            interval_level=level or self.manifest.interval_level,
            estimator=self.id,
            reasons=reasons,
            word_error_probabilities=word_probabilities,
            segment_expected_errors=()
            if transcript is None
            else spread_over_segments(
                expected_errors,
                transcript,
                speech,
                word_error_probabilities=word_probabilities,
                words_per_speech_s=float(prediction.words[0]) / max(speech_s, 0.5),
            ),
        )
        adaptation = self.manifest.adaptation
        return estimate if adaptation is None else adaptation.apply(estimate)

    def of_words(self, words: FloatArray) -> FloatArray:
        """What is known of single words before anything is known of their clips.

        Args:
            words: shape ``(num_words, len(WORD_FEATURES))``; columns that it was not trained on
                are left out

        Returns:
            the probability that a word is wrong, shape ``(num_words, 1)``; for an estimator from
            before there was one, the columns that its word model looks at; for kind ``"audio"``
            nothing, shape ``(num_words, 0)``
        """
        if self.word_errors is None:
            return words[:, :0]
        if self.word_doubts is None:
            return word_columns(words, self.word_errors.num_features() - 1)
        known = word_columns(words, self.word_doubts.num_features())
        return predict(self.word_doubts, known)[:, None]

    def inputs(
        self, features: FloatArray, words: FloatArray, word_clip: npt.NDArray[np.int32]
    ) -> FloatArray:
        """What the models of the clip look at: the features, and what is said of the words.

        An estimator of any engine reads ranks instead of scores.

        Args:
            features: shape ``(num_clips, num_features)``, columns as in the manifest
            words: from :meth:`of_words`
            word_clip: row of the clip of every word, shape ``(num_words,)``

        Returns:
            shape ``(num_clips, len(input_names))``
        """
        manifest = self.manifest
        if manifest.profile is not None:
            profile = self.profile or manifest.profile
            features = profile.ranks(features, manifest.feature_names)
        if self.word_doubts is None:
            return features
        return np.concatenate([features, doubts(words[:, 0], word_clip, len(features))], axis=1)

    def predict_many(
        self, inputs: FloatArray, offset: FloatArray, *, level: float | None = None
    ) -> Prediction:
        """Predict many clips at once, without reasons and words, and before any adaptation.

        Whole tables are scored, adaptation and all, by
        :func:`qe_core.estimation.scoring.score_table`.

        Args:
            inputs: see :meth:`inputs`
            offset: shape ``(num_clips,)``, see :func:`qe_core.estimation.counts.words_offset`
            level: coverage of the interval; that of the manifest by default
        """
        return self._with_interval(inputs, self.counts.predict(inputs, offset), level)

    def predict_words(self, words: FloatArray, wer: FloatArray) -> FloatArray:
        """Probability that a word is wrong, for many words at once.

        Args:
            words: from :meth:`of_words`
            wer: predicted WER of the clip of every word, shape ``(num_words,)``

        Raises:
            EstimatorError: the estimator knows nothing about single words
        """
        if self.word_errors is None:
            raise EstimatorError(
                f"{self.manifest.id} knows nothing about single words.",
                suggestion="Use an estimator of kind transcript.",
            )
        return predict(self.word_errors, np.column_stack([words, wer]).astype(np.float32))

    def _words(self, transcript: Transcript | None, second: Transcript | None) -> FloatArray:
        if transcript is None or not transcript.words:
            return np.empty((0, 1), np.float32)
        return self.of_words(word_features(transcript, second))

    def _with_interval(
        self, features: FloatArray, counts: Counts, level: float | None
    ) -> Prediction:
        spread = predict(self.spread, spread_inputs(features, counts))
        low, high = self.manifest.scale.interval(
            counts.wer, spread, level or self.manifest.interval_level
        )
        return Prediction(counts.errors, counts.words, counts.wer, low, high)

    def _word_probabilities(self, words: FloatArray, wer: float) -> tuple[float, ...]:
        if self.word_errors is None:
            return (min(1.0, wer),) * len(words)
        if not len(words):
            return ()
        wers = np.full(len(words), wer, np.float32)
        return tuple(float(value) for value in self.predict_words(words, wers))

    def _nothing_written(self, row: FloatArray, speech_s: float, level: float | None) -> Estimate:
        """Whatever was said is missing; when nobody speaks, nothing can be."""
        words = 0.0
        if speech_s > 0:
            offset = words_offset(np.zeros(1, np.float32), np.array([speech_s], np.float32))
            words = float(self.counts.predict(row, offset).words[0])
        wer = 1.0 if words else 0.0
        return Estimate(
            expected_errors=words,
            expected_words=words,
            predicted_wer=wer,
            low=wer,
            high=1.0,
            interval_level=level or self.manifest.interval_level,
            estimator=self.id,
        )

    def _check(
        self, features: Mapping[str, float], transcript: Transcript | None, schema: str | None
    ) -> None:
        manifest = self.manifest
        if schema is not None and not covers(schema, manifest.schema):
            raise EstimatorError(
                f"Features of schema {schema}; {manifest.id} was trained on {manifest.schema}.",
                suggestion=_RETRAIN,
            )
        missing = [name for name in manifest.feature_names if name not in features]
        if missing:
            raise EstimatorError(
                f"Feature {missing[0]!r} is missing; {manifest.id} needs it.", suggestion=_RETRAIN
            )
        is_choosy = manifest.kind == "transcript" and manifest.profile is None
        if is_choosy and len(features) > len(manifest.feature_names):
            unknown = next(name for name in features if name not in manifest.feature_names)
            raise EstimatorError(
                f"Feature {unknown!r} is unknown to {manifest.id}.", suggestion=_RETRAIN
            )
        if manifest.kind == "transcript" and transcript is None:
            raise EstimatorError(
                f"{manifest.id} judges transcripts and was given none.",
                suggestion="Transcribe the clip first, or use the audio-only estimator.",
            )
        if transcript is not None and manifest.engine != ANY_ENGINE:
            theirs = (transcript.engine, transcript.model)
            if theirs != (manifest.engine, manifest.model):
                raise EstimatorError(
                    f"A transcript by {':'.join(theirs)}; {manifest.id} knows "
                    f"{manifest.engine}:{manifest.model} only.",
                    suggestion=_RETRAIN,
                )


def _speech_seconds(features: Mapping[str, float], duration_s: float) -> float:
    """Seconds of speech as the features know them, otherwise the length of the clip."""
    value = features.get(SPEECH_FEATURE, duration_s)
    return float(value) if np.isfinite(value) else duration_s


def spread_inputs(features: FloatArray, counts: Counts) -> FloatArray:
    """What the model of the interval's width looks at: inputs and the prediction itself."""
    extra = np.stack([counts.wer, counts.words, counts.any_error], axis=1)
    return np.concatenate([features, extra], axis=1).astype(np.float32)
