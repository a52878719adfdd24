"""Fitting the estimator that serves to this recogniser and this sound, in one go."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from qe_core.asr.base import Engine
from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError
from qe_core.estimation.adaptation import Accuracy, Adaptation
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.promotion import Condition
from qe_core.estimation.scoring import reviewed_of
from qe_core.estimation.table import TrainingTable
from storage import model_folders
from storage.database import Session
from storage.ids import new_id
from storage.repositories import events, models
from workbench import people, preferences
from workbench.champions import KIND, add_promotion
from workbench.lessons import gather
from workbench.runtime import Runtime

__all__ = ["Calibration", "calibrate", "corrected_examples"]

_log = logging.getLogger(__name__)

# A share of clips inside the interval moves by as much by chance alone.
_MAX_COVERAGE_GAP = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of it.

    Args:
        version_id: the adapted estimator, stored whether it serves or not
        estimator: id that its estimates carry
        is_promoted: it serves now
        adaptation: the correction, with its cross-validated accuracy
        conditions: what had to hold, with figures
    """

    version_id: str
    estimator: str
    is_promoted: bool
    adaptation: Adaptation
    conditions: tuple[Condition, ...]


def corrected_examples(runtime: Runtime, engine: Engine) -> tuple[TrainingExample, ...]:
    """The corrections of a recogniser's transcripts, without those that judge estimators."""
    lessons = gather(runtime, engine)
    pairs = zip(lessons.examples, lessons.is_held_out, strict=True)
    return tuple(example for example, is_held_out in pairs if not is_held_out)


def calibrate(
    runtime: Runtime,
    engine: Engine,
    examples: Sequence[TrainingExample],
    *,
    origin: str,
    actor: str | None = None,
) -> Calibration:
    """Adapt the estimator that serves a recogniser to clips whose references are known.

    An adaptation that serves already is replaced, not added to: what it was fitted on has to be
    among the examples again if it is to count. The adapted estimator is a version like any other
    and can be rolled back.

    Args:
        runtime: the process's runtime
        engine: wrote the transcripts
        examples: features, transcripts and references
        origin: where they come from, for the lineage
        actor: who asked for it

    Returns:
        the new version and what it brings on clips that it was not fitted on

    Raises:
        TrainingError: no example has words, or all are of one speaker
        EstimatorError: no estimator can be loaded
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    settings = preferences.get(runtime)
    owner = engine.name, engine.model
    champion = runtime.estimator(owner)
    level = settings.quality.interval_level
    table = TrainingTable.from_examples(
        examples,
        schema=champion.manifest.schema,
        normaliser=champion.manifest.normaliser,
        feature_names=champion.manifest.feature_names,
    )
    adaptation = Adaptation.fit(reviewed_of(champion, table, level=level), level=level)
    conditions = _conditions(adaptation, level, settings.retrain)
    version_id = new_id()
    adapted = _adapted(champion, adaptation, owner, version_id, origin)
    calibration = Calibration(
        version_id=version_id,
        estimator=adapted.manifest.id,
        is_promoted=all(condition.passed for condition in conditions),
        adaptation=adaptation,
        conditions=conditions,
    )
    report = {
        "is_passed": calibration.is_promoted,
        "conditions": [asdict(condition) for condition in conditions],
        "champion_id": champion.manifest.id,
        "champion": _figures(adaptation.before),
        "challenger": _figures(adaptation.after),
        "review_ids": [example.id for example in examples if example.origin == "review"],
        "adaptation": adaptation.progress,
    }
    _store(runtime, adapted, calibration, report, actor)
    runtime.worker.wake()
    _log.info("%s: %s.", calibration.estimator, adaptation.progress)
    return calibration


def _conditions(
    adaptation: Adaptation, level: float, settings: RetrainSettings
) -> tuple[Condition, ...]:
    before, after = adaptation.before, adaptation.after
    if before is None or after is None:
        raise TrainingError(
            "There are not enough clips with words to check an adaptation: "
            f"{adaptation.num_reviews}, of one speaker at most.",
            suggestion="Give clips of two speakers or more, and name them in the manifest.",
        )
    before_gap, after_gap = (
        abs(item.predicted_pooled_wer - item.pooled_wer) for item in (before, after)
    )
    before_miss, after_miss = (abs(item.coverage - level) for item in (before, after))
    return (
        Condition(
            "accuracy",
            after.mae <= before.mae + settings.max_mae_increase or after_gap < before_gap,
            f"Mean absolute error {before.mae:.3f} → {after.mae:.3f} (may rise by "
            f"{settings.max_mae_increase:g}, by more only where the WER of all clips together is "
            f"hit better); that WER is {after.pooled_wer:.3f}, predicted "
            f"{before.predicted_pooled_wer:.3f} → {after.predicted_pooled_wer:.3f}.",
        ),
        Condition(
            "coverage",
            after_miss <= before_miss + _MAX_COVERAGE_GAP,
            f"True WERs inside their interval: {before.coverage:.0%} → {after.coverage:.0%}, "
            f"promised {level:.0%}.",
        ),
    )


def _adapted(
    champion: Estimator,
    adaptation: Adaptation,
    owner: tuple[str, str],
    version_id: str,
    origin: str,
) -> Estimator:
    former = champion.manifest
    manifest = replace(
        former,
        id=f"quality-{'-'.join(owner)}-{version_id}",
        engine=owner[0],
        model=owner[1],
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        metrics={
            **former.metrics,
            "held_out": {
                "estimator": _figures(adaptation.after),
                "champion": _figures(adaptation.before),
            },
        },
        lineage={**former.lineage, "champion_id": former.id, "adapted_to": origin},
        adaptation=adaptation,
    )
    return replace(champion, manifest=manifest)


def _figures(accuracy: Accuracy | None) -> dict[str, float]:
    return {} if accuracy is None else asdict(accuracy)


def _store(
    runtime: Runtime,
    adapted: Estimator,
    calibration: Calibration,
    report: dict[str, Any],
    actor: str | None,
) -> None:
    """Files first, complete and flushed; then version and promotion in one transaction."""
    manifest, version_id = adapted.manifest, calibration.version_id
    owner = manifest.engine, manifest.model
    model_folders.keep(runtime.settings.models_dir, version_id, adapted.save)

    def work(session: Session) -> None:
        models.add_version(
            session,
            version_id=version_id,
            estimator=manifest.id,
            kind=KIND,
            engine=manifest.engine,
            model=manifest.model,
            folder=version_id,
            manifest={
                "id": manifest.id,
                "num_clips": manifest.num_clips,
                "normaliser": manifest.normaliser,
                "schema": manifest.schema,
                "data_fingerprint": manifest.data_fingerprint,
                "created_at": manifest.created_at,
            },
            report=report,
            actor=actor,
        )
        if calibration.is_promoted:
            add_promotion(session, owner, version_id, "promote", actor)
        else:
            events.add(session, "model.refused", actor=actor, payload={"version_id": version_id})

    runtime.database.write(work)
