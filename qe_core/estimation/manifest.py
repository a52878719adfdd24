"""What an estimator says about itself: where it comes from, what it fits, how good it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from qe_core.errors import EstimatorError
from qe_core.estimation.adaptation import Adaptation
from qe_core.estimation.baselines import Curve
from qe_core.estimation.intervals import ConformalScale
from qe_core.estimation.profile import EngineProfile
from qe_core.features import AUDIO_ONLY, DEPTHS, Depth
from qe_core.features.base import FeatureExtractor, covers, schema_of

__all__ = [
    "ANY_ENGINE",
    "FORMAT",
    "Kind",
    "Manifest",
    "extractors_for",
    "manifest_from_json",
    "manifest_to_json",
]

ANY_ENGINE = "any"
FORMAT = 1

Kind = Literal["transcript", "audio"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about an estimator that is not a tree.

    Args:
        id: stored with every estimate it makes
        kind: ``"transcript"`` judges a hypothesis, ``"audio"`` needs none
        engine: the engine whose transcripts it knows, or ``"any"``
        model: the model within the engine, or ``"any"``
        normaliser: version of the text normaliser its WER is defined by
        schema: feature schema, see :func:`qe_core.features.base.schema_of`
        feature_names: the features in the order of the models' columns
        usual_ranges: where the middle 60 % of the training clips lie, by feature; a value beyond
            is worth a sentence
        data_fingerprint: hash of the training table
        num_clips: clips it was trained on
        metrics: figures by slice, see :class:`qe_core.estimation.evaluation.Metrics`
        created_at: ISO 8601, UTC
        interval_level: coverage of the interval when none is asked for
        seed: of all random draws
        constants: numbers that belong to the trees
        scale: widths of the intervals
        curves: WER scales of the baselines, so that they can be shown beside the estimator
        lineage: what went in and which code made it
        depth: how much has to be computed for it, see :data:`qe_core.features.DEPTHS`
        files: SHA-256 of every model file, by name
        adaptation: what brings its estimates to another engine or domain; ``None`` at home
        profile: for an estimator of any engine, how scores are usually spread: it reads ranks, and
            this is what they are taken from as long as the engine has no profile of its own; for
            one that was adapted from it, the profile that it was adapted under, for good
        format: layout of the folder
    """

    id: str
    kind: Kind
    engine: str
    model: str
    normaliser: str
    schema: str
    feature_names: tuple[str, ...]
    usual_ranges: Mapping[str, tuple[float, float] | None]
    data_fingerprint: str
    num_clips: int
    metrics: Mapping[str, Any]
    created_at: str
    interval_level: float
    seed: int
    constants: Mapping[str, float]
    scale: ConformalScale
    curves: Mapping[str, Curve] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    depth: Depth = "standard"
    files: Mapping[str, str] = field(default_factory=dict)
    adaptation: Adaptation | None = None
    profile: EngineProfile | None = None
    format: int = FORMAT

    @property
    def is_cold_start(self) -> bool:
        """Whether its trees learnt from other engines only: one for any, or adapted from that."""
        return self.profile is not None

    @property
    def is_current(self) -> bool:
        """Whether this Werkbench computes the features that it was trained on, or more."""
        return covers(schema_of(extractors_for(self.kind, self.depth)), self.schema)


def extractors_for(kind: Kind, depth: Depth = "standard") -> tuple[FeatureExtractor, ...]:
    """The groups of features that an estimator of this kind and depth looks at."""
    return DEPTHS[depth] if kind == "transcript" else AUDIO_ONLY


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def manifest_to_json(manifest: Manifest) -> str:
    """Write a manifest as indented JSON."""
    return _MANIFEST.dump_json(manifest, indent=1).decode() + "\n"


def manifest_from_json(text: str | bytes, *, name: str) -> Manifest:
    """Read what :func:`manifest_to_json` wrote.

    Args:
        text: the JSON
        name: of the folder, for messages

    Raises:
        EstimatorError: not a manifest, or one of another format
    """
    try:
        manifest = _MANIFEST.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise EstimatorError(
            f"{name}: manifest.json is damaged ({key}: {first['msg']}).",
            suggestion="Restore the model folder, or train again with `werkbench train`.",
        ) from error
    if manifest.format != FORMAT:
        raise EstimatorError(
            f"{name}: model format {manifest.format}, this version reads {FORMAT}.",
            suggestion="Train again with this version.",
        )
    return manifest
