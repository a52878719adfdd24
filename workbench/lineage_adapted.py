"""Where an adapted version comes from, and adapting it again from that."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qe_core.asr.base import Progress
from qe_core.code_version import code_version
from qe_core.config import RetrainSettings
from qe_core.errors import EstimatorError, TrainingError
from qe_core.estimation.adapting import Judgement, adapt, judge_adaptation
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import Manifest, manifest_to_json
from qe_core.estimation.table import TrainingTable
from storage import model_folders
from workbench import lineage, profiles
from workbench.lessons import Lessons

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = ["LINEAGE", "describe", "figures_of", "keep_base", "reproduce", "table_of"]

LINEAGE = "adaptation"
"""Key of the lineage under which an adapted version remembers what it was made of."""

_DIGITS = 16


def table_of(base: Estimator, lessons: Lessons) -> TrainingTable:
    """Corrections with the features that an estimator looks at."""
    manifest = base.manifest
    return TrainingTable.from_examples(
        lessons.examples,
        schema=manifest.schema,
        normaliser=manifest.normaliser,
        feature_names=manifest.feature_names,
        is_held_out=lessons.is_held_out,
    )


def keep_base(runtime: "Runtime", base: Estimator) -> str:
    """Copy what is adapted beside the versions: an update of Werkbench may bring another one.

    Returns:
        name of its folder
    """
    digest = hashlib.sha256(manifest_to_json(base.manifest).encode()).hexdigest()
    name = f"base-{digest[:_DIGITS]}"
    if not (runtime.settings.models_dir / name).is_dir():
        model_folders.keep(runtime.settings.models_dir, name, base.save)
    return name


def figures_of(judgement: Judgement) -> dict[str, dict[str, Any]]:
    """Figures of the adapted estimator and of the champion, as versions show them."""
    duel = judgement.duel
    return {
        "estimator": {**(duel.challenger.to_dict() if duel else {}), **asdict(judgement.after)},
        "champion": {**(duel.champion.to_dict() if duel else {}), **asdict(judgement.before)},
    }


def describe(
    adapted: Estimator,
    judgement: Judgement,
    made_by: Mapping[str, Any],
    *,
    name: str,
    owner: "Owner",
    created_at: str,
) -> Estimator:
    """An adapted estimator with its figures and its ancestry in its manifest."""
    manifest = adapted.manifest
    return replace(
        adapted,
        manifest=replace(
            manifest,
            id=name,
            engine=owner[0],
            model=owner[1],
            created_at=created_at,
            metrics={**manifest.metrics, "held_out": figures_of(judgement)},
            lineage={
                **manifest.lineage,
                "code_version": code_version(),
                "base_id": manifest.id,
                "base_code_version": manifest.lineage.get("code_version"),
                LINEAGE: dict(made_by),
            },
        ),
    )


def reproduce(
    runtime: "Runtime", folder: Path, manifest: Manifest, on_progress: Progress | None = None
) -> lineage.Reproduction:
    """Adapt a version again from its lineage and compare the files.

    Args:
        runtime: the runtime; only reads from it
        folder: of the version
        manifest: of the version
        on_progress: told how far it is

    Raises:
        TrainingError: its lineage is incomplete, or what it was made of is gone
    """
    tell = on_progress or (lambda _share, _text: None)
    tell(0.0, "collecting corrections")
    made_by = _made_by(manifest)
    lessons = lineage.recall_lessons(runtime, made_by)
    base = _recall_base(runtime, manifest, made_by)
    tell(0.5, "adapting")
    level = manifest.interval_level
    table = table_of(base, lessons)
    adapted = adapt(base, table, level=level)
    settings = RetrainSettings(**made_by["weights"], min_test_clips=made_by["min_test_clips"])
    judgement = judge_adaptation(adapted, adapted, table, level=level, settings=settings)
    again = describe(
        adapted,
        judgement,
        made_by,
        name=manifest.id,
        owner=(manifest.engine, manifest.model),
        created_at=manifest.created_at,
    )
    # Who served at that time is not made again: its figures are those that were stored.
    held_out = {
        **manifest.metrics["held_out"],
        "estimator": again.manifest.metrics["held_out"]["estimator"],
    }
    metrics = {**again.manifest.metrics, "held_out": held_out}
    return lineage.Reproduction(
        estimator=manifest.id,
        files=lineage.compare_files(
            replace(again, manifest=replace(again.manifest, metrics=metrics)), folder
        ),
        code_before=str(manifest.lineage.get("code_version")),
        code_now=code_version(),
    )


def _made_by(manifest: Manifest) -> Mapping[str, Any]:
    made_by = manifest.lineage.get(LINEAGE)
    if not isinstance(made_by, dict):
        raise TrainingError(
            f"{manifest.id} does not say what it was adapted to.",
            suggestion="It was made by an older Werkbench; adapt again.",
        )
    if "reviews" not in made_by:
        raise TrainingError(
            f"{manifest.id} was adapted to the references of {made_by['origin']}, which Werkbench "
            "does not keep.",
            suggestion=f"Where that file is at hand: werkbench calibrate --manifest "
            f"{made_by['origin']}, and compare the figures.",
        )
    return made_by


def _recall_base(runtime: "Runtime", manifest: Manifest, made_by: Mapping[str, Any]) -> Estimator:
    try:
        base = Estimator.load(runtime.settings.models_dir / made_by["base"])
    except EstimatorError as error:
        raise TrainingError(
            f"The estimator that {manifest.id} was adapted from is gone ({error.message})",
            suggestion="Restore the folder models/ of the data folder.",
        ) from error
    profile = made_by["profile"]
    if profile is None:
        return base
    owner = (manifest.engine, manifest.model)
    taken = profiles.take(runtime, owner, profile["num_clips"], profile["until"])
    return replace(base, profile=taken.profile)
