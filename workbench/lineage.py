"""Where a version comes from, and making it again from that."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from qe_core.asr.base import Engine, Progress
from qe_core.code_version import code_version
from qe_core.config import RetrainSettings
from qe_core.errors import TrainingError
from qe_core.estimation.builtin import examples_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import evaluate
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.features import DEPTHS, Depth
from qe_core.features.base import covers, schema_of
from storage import model_folders
from storage.repositories import hypotheses, models
from storage.repositories.corrections import find_corrections
from workbench.lessons import LeftOut, Lessons, teach

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "Reproduction",
    "TrainingSet",
    "compare_files",
    "compose",
    "describe",
    "judging_clips",
    "recall_lessons",
    "reproduce",
]

_WEIGHTS = ("review_weight", "max_propensity_weight", "test_share")
_PLAN: TypeAdapter[TrainingPlan] = TypeAdapter(TrainingPlan)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a challenger learns from and is judged by.

    Args:
        table: built-in examples of the same engine, model and features, and the corrections
        examples: name of the copy of the built-in examples; ``None`` when there are none
    """

    table: TrainingTable
    examples: str | None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A version that was made again.

    Args:
        estimator: its id
        files: per file of its folder, whether the new one is the same bit for bit
        code_before: which code made it
        code_now: which code made it again
    """

    estimator: str
    files: Mapping[str, bool]
    code_before: str
    code_now: str

    @property
    def is_identical(self) -> bool:
        """Whether all files are the same."""
        return all(self.files.values())


def compose(runtime: "Runtime", engine: Engine, lessons: Lessons) -> TrainingSet:
    """Put corrections and built-in examples together, and keep the latter beside the versions.

    An update of Werkbench may bring other examples: the copy lets a version be made again.

    Raises:
        TrainingError: there is no usable correction
    """
    if not lessons.examples:
        raise TrainingError(
            "There is no correction to learn from; "
            f"{lessons.left_out.total} reviews cannot be used.",
            suggestion="Correct some clips at the review desk first.",
        )
    owner = (engine.name, engine.model)
    depth = runtime.training_depth(owner)
    manifest = runtime.built_in_estimator(depth).manifest
    is_ours = (manifest.engine, manifest.model) == owner
    if not is_ours or not covers(manifest.schema, schema_of(DEPTHS[depth])):
        return TrainingSet(_corrections(lessons, depth), None)
    path = examples_of(runtime.built_in_folder(depth))
    examples = TrainingTable.load(path)
    name = f"examples-{examples.fingerprint[:16]}.npz"
    model_folders.keep_file(runtime.settings.models_dir, name, path)
    return TrainingSet(_at(depth, examples) + _corrections(lessons, depth), name)


def judging_clips(table: TrainingTable) -> TrainingTable:
    """Clips that say how good an estimator is: audits and reference clips that teach nothing."""
    return table.select(table.is_held_out & table.is_uniform_draw)


def describe(
    lessons: Lessons, made_of: TrainingSet, engine: Engine, settings: RetrainSettings
) -> dict[str, Any]:
    """What a version has to remember so that it can be made again."""
    pairs = zip(lessons.examples, lessons.assessment_ids, strict=True)
    return {
        "reviews": [[example.id, assessment_id] for example, assessment_id in pairs],
        "review_ids": lessons.ids(is_held_out=False),
        "held_out_review_ids": lessons.ids(is_held_out=True),
        "examples": made_of.examples,
        "seconds": dict(lessons.second_ids),
        "engine_version": engine.version,
        "weights": {name: getattr(settings, name) for name in _WEIGHTS},
    }


def reproduce(
    runtime: "Runtime", version_id: str, on_progress: Progress | None = None
) -> Reproduction:
    """Train a version again from its lineage and compare the files.

    Args:
        runtime: the runtime; only reads from it
        version_id: the version
        on_progress: told how far the training is

    Raises:
        NotFoundError: there is no such version
        EstimatorError: its files are damaged
        TrainingError: its lineage is incomplete, or what it was made of is gone
    """
    with runtime.database.session() as session:
        version = models.get_version(session, version_id)
    folder = runtime.model_folder(version)
    manifest = Estimator.load(folder).manifest
    if manifest.adaptation is not None:
        # It recalls corrections as this module does.
        from workbench import lineage_adapted

        return lineage_adapted.reproduce(runtime, folder, manifest, on_progress)
    made_by = manifest.lineage.get("retraining")
    if not isinstance(made_by, dict):
        raise TrainingError(
            f"{manifest.id} does not say which reviews it learnt from.",
            suggestion="It was trained by an older Werkbench; train a new one.",
        )
    plan = _plan_of(manifest.lineage)
    table = _recall(runtime, made_by, plan.depth)
    again = train_on_table(
        table,
        kind=manifest.kind,
        engine=manifest.engine,
        seed=manifest.seed,
        plan=plan,
        on_progress=on_progress,
    )
    judged_on = judging_clips(table)
    scores = score_table(again, judged_on, level=manifest.interval_level)
    held_out = {
        **manifest.metrics["held_out"],
        "estimator": evaluate(truth_of(judged_on), scores).to_dict(),
    }
    described = replace(
        again.manifest,
        created_at=manifest.created_at,
        metrics={**again.manifest.metrics, "held_out": held_out},
        lineage={**again.manifest.lineage, "retraining": made_by},
    )
    return Reproduction(
        estimator=manifest.id,
        files=compare_files(replace(again, manifest=described), folder),
        code_before=str(manifest.lineage.get("code_version")),
        code_now=code_version(),
    )


def _names(depth: Depth) -> list[str]:
    return [info.name for group in DEPTHS[depth] for info in group.features]


def _at(depth: Depth, examples: TrainingTable) -> TrainingTable:
    return examples.with_features(_names(depth), schema_of(DEPTHS[depth]))


def _corrections(lessons: Lessons, depth: Depth) -> TrainingTable:
    return TrainingTable.from_examples(
        lessons.examples,
        schema=schema_of(DEPTHS[depth]),
        feature_names=_names(depth),
        is_held_out=lessons.is_held_out,
    )


def recall_lessons(runtime: "Runtime", made_by: Mapping[str, Any]) -> Lessons:
    """The very reviews that a version was made of, whatever came since.

    Args:
        runtime: the runtime; only reads from it
        made_by: what :func:`describe` wrote

    Raises:
        TrainingError: some are gone
    """
    pairs = [(str(review), str(assessment)) for review, assessment in made_by["reviews"]]
    with runtime.database.session() as session:
        found = find_corrections(session, pairs)
        seconds = {clip: hypotheses.get(session, one) for clip, one in made_by["seconds"].items()}
    missing = [review for review, assessment in pairs if (review, assessment) not in found]
    if missing:
        raise TrainingError(
            f"{len(missing)} of its {len(pairs)} reviews are gone, e.g. {missing[0]}.",
            suggestion="Restore the database that it was trained with.",
        )
    settings = RetrainSettings.model_validate(made_by["weights"])
    return teach([found[pair] for pair in pairs], seconds, settings, LeftOut())


def _recall(runtime: "Runtime", made_by: Mapping[str, Any], depth: Depth) -> TrainingTable:
    lessons = recall_lessons(runtime, made_by)
    corrections, examples = _corrections(lessons, depth), made_by["examples"]
    if examples is None:
        return corrections
    return _at(depth, TrainingTable.load(runtime.settings.models_dir / examples)) + corrections


def _plan_of(lineage: Mapping[str, Any]) -> TrainingPlan:
    try:
        return _PLAN.validate_python(lineage.get("plan"))
    except ValidationError as error:
        raise TrainingError(
            "Its training plan is not one that this Werkbench knows.",
            suggestion="Use the Werkbench that trained it.",
        ) from error


def compare_files(again: Estimator, folder: Path) -> dict[str, bool]:
    """Per file of a version's folder, whether saving an estimator gives the same, bit for bit."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        again.save(place)
        names = sorted({path.name for where in (place, folder) for path in where.iterdir()})
        return {name: _read(place / name) == _read(folder / name) for name in names}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
