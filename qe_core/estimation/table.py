"""The training table: features, counts and word labels as arrays, without any text or sound."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError
from qe_core.estimation.labels import label_clip
from qe_core.estimation.words import all_columns, word_features
from qe_core.text import DEFAULT_NORMALISER
from qe_core.types import FloatArray

__all__ = ["TrainingTable"]

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

# Features of a clip that the models use whatever the schema calls them.
_GROUP_DIGITS = 12
# What slices are called by teaches nothing; tables from before it keep their fingerprint.
_ONLY_NAMES = frozenset({"language"})


@dataclass(frozen=True, slots=True)
class TrainingTable:
    """Transcribed clips whose errors are known; one row per clip, one word row per word.

    Args:
        feature_names: columns of ``features``
        schema: name of the feature schema
        features: shape ``(num_clips, num_features)``, NaN where undefined
        hits: per clip
        substitutions: per clip
        deletions: per clip
        insertions: per clip
        hypothesis_words: normalised words of the hypothesis, per clip
        duration_s: per clip
        group: hash of speaker and recording; splits never part a group
        source: data set or intake channel
        condition: kind of degradation
        language: of the transcript, ISO 639-1; empty where the table is older than this column
        weight: relative weight in training
        is_uniform_draw: may be used to judge a model
        is_held_out: never to be trained on
        is_review: comes from a correction
        is_relative: written by a relative of the recogniser that the table is about: teaches, but
            judges nothing
        word_clip: row of the clip, per word
        word_features: shape ``(num_words, len(WORD_FEATURES))``
        word_wrong: per word 1 (wrong), 0 (right) or -1 (unknown)
    """

    feature_names: tuple[str, ...]
    schema: str
    features: FloatArray
    hits: IntArray
    substitutions: IntArray
    deletions: IntArray
    insertions: IntArray
    hypothesis_words: IntArray
    duration_s: FloatArray
    group: TextArray
    source: TextArray
    condition: TextArray
    language: TextArray
    weight: FloatArray
    is_uniform_draw: BoolArray
    is_held_out: BoolArray
    is_review: BoolArray
    is_relative: BoolArray
    word_clip: IntArray
    word_features: FloatArray
    word_wrong: npt.NDArray[np.int8]

    @property
    def num_clips(self) -> int:
        """Rows of the table."""
        return len(self.hits)

    @property
    def num_errors(self) -> IntArray:
        """S + D + I per clip."""
        return np.asarray(self.substitutions + self.deletions + self.insertions, np.int32)

    @property
    def num_reference_words(self) -> IntArray:
        """H + S + D per clip."""
        return np.asarray(self.hits + self.substitutions + self.deletions, np.int32)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that a model could learn from."""
        digest = hashlib.sha256(self.schema.encode())
        for name, array in self._arrays().items():
            if name in _ONLY_NAMES or (name == "is_relative" and not array.any()):
                continue
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @classmethod
    def from_examples(
        cls,
        examples: Sequence[TrainingExample],
        *,
        schema: str,
        normaliser: str = DEFAULT_NORMALISER,
        feature_names: Sequence[str] | None = None,
        is_held_out: Sequence[bool] | None = None,
    ) -> "TrainingTable":
        """Label examples and put them into arrays.

        Args:
            examples: at least one; all with the same features
            schema: name of their feature schema
            normaliser: version of the text normaliser
            feature_names: columns to take; those of the first example by default
            is_held_out: per example, never to be trained on; none by default

        Raises:
            TrainingError: there is no example, or one lacks a feature
        """
        if not examples:
            raise TrainingError(
                "There is no example to learn from.",
                suggestion="Correct some clips at the review desk first.",
            )
        names = tuple(feature_names or examples[0].features)
        labels = [
            label_clip(item.reference, item.transcript, normaliser=normaliser) for item in examples
        ]
        words = [len(label.is_wrong) for label in labels]
        return cls(
            feature_names=names,
            schema=schema,
            features=np.array([_row(item, names) for item in examples], np.float32),
            hits=np.array([label.counts.hits for label in labels], np.int32),
            substitutions=np.array([label.counts.substitutions for label in labels], np.int32),
            deletions=np.array([label.counts.deletions for label in labels], np.int32),
            insertions=np.array([label.counts.insertions for label in labels], np.int32),
            hypothesis_words=np.array([label.num_hypothesis_words for label in labels], np.int32),
            duration_s=np.array([item.duration_s for item in examples], np.float32),
            group=np.array([_hash(item.group) for item in examples], np.str_),
            source=np.array([item.source for item in examples], np.str_),
            condition=np.array([item.condition.partition(":")[0] for item in examples], np.str_),
            language=np.array([item.transcript.language for item in examples], np.str_),
            weight=np.array([item.weight for item in examples], np.float32),
            is_uniform_draw=np.array([item.is_uniform_draw for item in examples], np.bool_),
            is_held_out=np.array(is_held_out or [False] * len(examples), np.bool_),
            is_review=np.array([item.origin == "review" for item in examples], np.bool_),
            is_relative=np.zeros(len(examples), np.bool_),
            word_clip=np.repeat(np.arange(len(examples), dtype=np.int32), words),
            word_features=_half(
                np.concatenate([word_features(item.transcript, item.second) for item in examples])
            ),
            word_wrong=np.array(
                [
                    -1 if wrong is None else int(wrong)
                    for label in labels
                    for wrong in label.is_wrong
                ],
                np.int8,
            ),
        )

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "TrainingTable":
        """The clips of a mask or of row numbers, with their words, in table order."""
        mask = np.zeros(self.num_clips, np.bool_)
        mask[rows] = True
        place = np.cumsum(mask) - 1
        keep = mask[self.word_clip]
        arrays = {
            name: array[keep] if name.startswith("word_") else array[mask]
            for name, array in self._arrays().items()
        }
        arrays["word_clip"] = place[self.word_clip[keep]].astype(np.int32)
        return replace(self, **arrays)

    @property
    def own(self) -> "TrainingTable":
        """The clips by the recogniser that the table is about."""
        return self.select(~self.is_relative)

    def as_relatives(self, *, weight: float) -> "TrainingTable":
        """The clips as those of a relative of another recogniser.

        Held-out speakers are left out: nobody is judged by what a relative wrote. Nor do its words
        teach: which of them are wrong is forgotten.

        Args:
            weight: factor of the weight of every clip
        """
        table = self.select(~self.is_held_out)
        return replace(
            table,
            weight=(table.weight * weight).astype(np.float32),
            is_relative=np.ones(table.num_clips, np.bool_),
            is_uniform_draw=np.zeros(table.num_clips, np.bool_),
            word_wrong=np.full_like(table.word_wrong, -1),
        )

    def with_features(self, names: Sequence[str], schema: str) -> "TrainingTable":
        """The same clips with some of the features, under the schema of these.

        Raises:
            TrainingError: there is no such feature
        """
        missing = [name for name in names if name not in self.feature_names]
        if missing:
            raise TrainingError(
                f"The training table lacks feature {missing[0]!r}.",
                suggestion="Recompute its features with the current version.",
            )
        columns = [self.feature_names.index(name) for name in names]
        return replace(
            self, feature_names=tuple(names), schema=schema, features=self.features[:, columns]
        )

    def __add__(self, other: "TrainingTable") -> "TrainingTable":
        if (self.schema, self.feature_names) != (other.schema, other.feature_names):
            raise TrainingError(
                f"Tables of different feature schemas: {self.schema} and {other.schema}.",
                suggestion="Recompute the features of the older one, or train without it.",
            )
        theirs = other._arrays()
        theirs["word_clip"] = other.word_clip + np.int32(self.num_clips)
        arrays: dict[str, Any] = {
            name: np.concatenate([mine, theirs[name]]) for name, mine in self._arrays().items()
        }
        return replace(self, **arrays)

    def save(self, path: Path) -> None:
        """Write the table as a compressed NumPy archive; features keep half precision of words."""
        arrays = self._arrays()
        arrays["word_features"] = self.word_features.astype(np.float16)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                feature_names=np.array(self.feature_names, np.str_),
                schema=np.array(self.schema, np.str_),
                **arrays,
            )

    @classmethod
    def load(cls, path: Path) -> "TrainingTable":
        """Read what :meth:`save` wrote.

        Raises:
            TrainingError: the file is missing or no training table
        """
        try:
            # NumPy leaves a file open that it opened itself and cannot read.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                values: dict[str, Any] = {name: archive[name] for name in archive.files}
            values["feature_names"] = tuple(str(name) for name in values["feature_names"])
            values["schema"] = str(values["schema"])
            values["word_features"] = all_columns(values["word_features"])
            values.setdefault("language", np.full(len(values["hits"]), "", np.str_))
            values.setdefault("is_relative", np.zeros(len(values["hits"]), np.bool_))
            return cls(**values)
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise TrainingError(
                f"{path.name}: not a training table ({error}).",
                suggestion="Build it again with `werkbench train`.",
            ) from error

    def _arrays(self) -> dict[str, Any]:
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("feature_names", "schema")
        }


def _row(example: TrainingExample, names: tuple[str, ...]) -> list[float]:
    missing = [name for name in names if name not in example.features]
    if missing:
        raise TrainingError(
            f"Example {example.id or '?'} lacks feature {missing[0]!r}.",
            suggestion="Recompute its features with the current version.",
        )
    return [float(example.features[name]) for name in names]


def _hash(group: str) -> str:
    """Speakers need not be known by name to be kept apart."""
    return hashlib.sha256(group.encode()).hexdigest()[:_GROUP_DIGITS]


def _half(values: FloatArray) -> FloatArray:
    """Rounded to what the saved table keeps, so that a loaded table trains the same model."""
    return values.astype(np.float16).astype(np.float32)
