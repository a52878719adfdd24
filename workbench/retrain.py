"""One click: learn from the corrections, compare with the champion, promote or say why not."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from qe_core.asr.base import Engine, Progress
from qe_core.config import RetrainSettings
from qe_core.errors import ConflictError, TrainingError
from qe_core.estimation.builtin import EXAMPLES_FILE
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Metrics, evaluate
from qe_core.estimation.promotion import GateResult, decide
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import TrainingPlan, train_on_table
from qe_core.features import DEPTHS
from qe_core.features.base import covers, schema_of
from storage import model_folders
from storage.database import Session
from storage.ids import new_id
from storage.records import Job
from storage.repositories import events, jobs, models
from workbench import people, preferences
from workbench.champions import (
    BUILT_IN,
    KIND,
    ModelVersion,
    add_promotion,
    promote,
    rollback,
    versions,
)
from workbench.lessons import LeftOut, Lessons, gather, survey
from workbench.runtime import Runtime
from workbench.worker import register_handler

__all__ = [
    "BUILT_IN",
    "RETRAIN",
    "LeftOut",
    "ModelVersion",
    "Readiness",
    "RetrainOutcome",
    "promote",
    "readiness",
    "rollback",
    "run",
    "run_job",
    "start",
    "versions",
]

RETRAIN = "retrain"
"""Kind of the jobs that train a challenger."""

# The gate judges a challenger; training itself refuses only what cannot be fitted.
_PLAN = TrainingPlan(min_spearman=-1.0)
_STARTING = threading.Lock()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a training would find enough to learn from.

    Args:
        num_new: usable reviews that the champion has neither learnt from nor been judged by
        num_needed: as many are needed
        left_out: reviews that cannot be used, and why
        is_running: a training is queued or running
    """

    num_new: int
    num_needed: int
    left_out: LeftOut
    is_running: bool


@dataclass(frozen=True, slots=True)
class RetrainOutcome:
    """What a training led to.

    Args:
        version_id: the challenger, stored whether it was promoted or refused
        is_promoted: it serves now
        gate: every condition with its figures
        champion: figures of the champion of that time on the held-out clips
        challenger: figures of the challenger on the same clips
        num_reviews: corrections that it learnt from
        num_held_out: clips that both were judged on
        left_out: reviews that could not be used, and why
    """

    version_id: str
    is_promoted: bool
    gate: GateResult
    champion: Metrics
    challenger: Metrics
    num_reviews: int
    num_held_out: int
    left_out: LeftOut


def readiness(runtime: Runtime) -> Readiness:
    """Count what there is to learn from; loads the recogniser when it is not loaded yet."""
    engine = runtime.engine().engine
    usable, left_out = survey(runtime, engine)
    with runtime.database.session() as session:
        is_running = jobs.has_active(session, RETRAIN)
    return Readiness(
        num_new=len(_new_reviews(runtime, engine, usable)),
        num_needed=preferences.get(runtime).retrain.min_new_reviews,
        left_out=left_out,
        is_running=is_running,
    )


def start(runtime: Runtime, actor: str | None = None) -> str:
    """Queue a training for the background worker.

    Returns:
        id of the job

    Raises:
        ConflictError: one is queued or running already
        ForbiddenError: the actor is no admin
    """

    def work(session: Session) -> str | None:
        people.require(session, actor, "admin")
        if jobs.has_active(session, RETRAIN):
            return None
        return jobs.add(session, RETRAIN, actor=actor).id

    # Two new rows do not collide in the database: the lock makes looking and adding one step.
    with _STARTING:
        job_id = runtime.database.write(work)
    if job_id is None:
        raise ConflictError(
            "A training is under way already.",
            suggestion="Wait until it ends; its progress is on the settings page.",
            code="retraining",
        )
    runtime.worker.wake()
    return job_id


def run_job(runtime: Runtime, job: Job, on_progress: Progress) -> None:
    """What the worker does for a job of kind :data:`RETRAIN`."""
    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
    if any(version.report.get("job_id") == job.id for version in stored):
        return  # it was stored, and then the process ended before the job could say so
    run(runtime, on_progress, actor=job.actor, job_id=job.id)


def run(
    runtime: Runtime,
    on_progress: Progress | None = None,
    *,
    actor: str | None = None,
    job_id: str | None = None,
    plan: TrainingPlan = _PLAN,
) -> RetrainOutcome:
    """Train a challenger, judge it, and promote it if the gate lets it through.

    The champion serves until the very transaction that promotes the challenger; whatever fails
    before leaves it where it is.

    Args:
        runtime: the process's runtime
        on_progress: told how far it is
        actor: who asked for it
        job_id: the job that this is done for
        plan: how to train; engine, model and interval are filled in

    Raises:
        TrainingError: there is nothing to learn from or nothing to judge by
        EngineError: the recogniser in use cannot be loaded
    """
    tell = on_progress or (lambda _share, _text: None)
    tell(0.0, "collecting corrections")
    _sweep(runtime)
    settings = preferences.get(runtime)
    engine = runtime.engine(lambda _share, text: tell(0.0, text)).engine
    lessons = gather(runtime, engine)
    table = _table(runtime, engine, lessons)
    judged_on = table.select(table.is_held_out & table.is_uniform_draw)
    if not (judged_on.num_reference_words > 0).any():
        raise TrainingError(
            "There is no held-out clip to judge a new model by.",
            suggestion="Review more clips of the queue: some of them are drawn for this purpose.",
        )
    version_id = new_id()
    challenger = train_on_table(
        table,
        kind=KIND,
        engine=engine.name,
        seed=settings.retrain.seed,
        plan=replace(
            plan,
            model=engine.model,
            depth=runtime.depth((engine.name, engine.model)),
            model_id=f"quality-{engine.name}-{engine.model}-{version_id}",
            interval_level=settings.quality.interval_level,
        ),
        on_progress=lambda share, text: tell(0.05 + 0.85 * share, text),
    )
    tell(0.9, "comparing with the champion")
    champion = runtime.estimator((engine.name, engine.model))
    figures = {
        name: evaluate(truth_of(judged_on), score_table(estimator, judged_on))
        for name, estimator in (("champion", champion), ("challenger", challenger))
    }
    gate = _judge(runtime, engine, lessons, figures, settings.retrain)
    outcome = RetrainOutcome(
        version_id=version_id,
        is_promoted=gate.passed,
        gate=gate,
        champion=figures["champion"],
        challenger=figures["challenger"],
        num_reviews=len(_ids(lessons, is_held_out=False)),
        num_held_out=judged_on.num_clips,
        left_out=lessons.left_out,
    )
    tell(0.95, "saving")
    report = _report(outcome, lessons, champion, job_id)
    _store(runtime, _described(challenger, report), outcome, report, actor)
    runtime.worker.wake()
    _log.info("Trained %s: %s.", version_id, "promoted" if gate.passed else "refused")
    return outcome


def _table(runtime: Runtime, engine: Engine, lessons: Lessons) -> TrainingTable:
    """Built-in examples of the same engine and features, and the corrections."""
    if not lessons.examples:
        raise TrainingError(
            "There is no correction to learn from; "
            f"{lessons.left_out.total} reviews cannot be used.",
            suggestion="Correct some clips at the review desk first.",
        )
    depth = runtime.depth((engine.name, engine.model))
    manifest = runtime.built_in_estimator(depth).manifest
    schema, names = schema_of(DEPTHS[depth]), [i.name for it in DEPTHS[depth] for i in it.features]
    builtin = None
    is_same_engine = (manifest.engine, manifest.model) == (engine.name, engine.model)
    if is_same_engine and covers(manifest.schema, schema):
        examples = TrainingTable.load(runtime.built_in_folder(depth) / EXAMPLES_FILE)
        builtin = examples.with_features(names, schema)
    corrections = TrainingTable.from_examples(
        lessons.examples,
        schema=schema,
        feature_names=names,
        is_held_out=lessons.is_held_out,
    )
    return corrections if builtin is None else builtin + corrections


def _judge(
    runtime: Runtime,
    engine: Engine,
    lessons: Lessons,
    figures: Mapping[str, Metrics],
    settings: RetrainSettings,
) -> GateResult:
    return decide(
        figures["champion"],
        figures["challenger"],
        num_new_reviews=len(
            _new_reviews(runtime, engine, [example.id for example in lessons.examples])
        ),
        settings=settings,
    )


def _new_reviews(runtime: Runtime, engine: Engine, usable: Sequence[str]) -> set[str]:
    """Reviews that the champion does not know; all of them when it is the built-in one."""
    serving = runtime.estimator((engine.name, engine.model)).manifest.id
    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
    known = {
        review_id
        for version in stored
        if version.estimator == serving
        for name in ("review_ids", "held_out_review_ids")
        for review_id in version.report.get(name, ())
    }
    return set(usable) - known


def _ids(lessons: Lessons, *, is_held_out: bool) -> list[str]:
    pairs = zip(lessons.examples, lessons.is_held_out, strict=True)
    return [example.id for example, held_out in pairs if held_out == is_held_out]


def _report(
    outcome: RetrainOutcome, lessons: Lessons, champion: Estimator, job_id: str | None
) -> dict[str, Any]:
    return {
        "is_passed": outcome.gate.passed,
        "conditions": [asdict(condition) for condition in outcome.gate.conditions],
        "champion_id": champion.manifest.id,
        "champion": outcome.champion.to_dict(),
        "challenger": outcome.challenger.to_dict(),
        "review_ids": _ids(lessons, is_held_out=False),
        "held_out_review_ids": _ids(lessons, is_held_out=True),
        "num_held_out": outcome.num_held_out,
        "left_out": asdict(outcome.left_out),
        "job_id": job_id,
    }


def _described(challenger: Estimator, report: Mapping[str, Any]) -> Estimator:
    """The challenger with its held-out figures and its ancestry in its manifest."""
    manifest = challenger.manifest
    figures = {"estimator": report["challenger"], "champion": report["champion"]}
    lineage = {**manifest.lineage, "champion_id": report["champion_id"]}
    return replace(
        challenger,
        manifest=replace(
            manifest, metrics={**manifest.metrics, "held_out": figures}, lineage=lineage
        ),
    )


def _store(
    runtime: Runtime,
    challenger: Estimator,
    outcome: RetrainOutcome,
    report: Mapping[str, Any],
    actor: str | None,
) -> None:
    """Files first, complete and flushed; then version, promotion and event in one transaction."""
    manifest = challenger.manifest
    model_folders.keep(runtime.settings.models_dir, outcome.version_id, challenger.save)
    summary = {
        "id": manifest.id,
        "num_clips": manifest.num_clips,
        "normaliser": manifest.normaliser,
        "schema": manifest.schema,
        "data_fingerprint": manifest.data_fingerprint,
        "created_at": manifest.created_at,
    }

    owner = manifest.engine, manifest.model

    def work(session: Session) -> None:
        version = models.add_version(
            session,
            version_id=outcome.version_id,
            estimator=manifest.id,
            kind=KIND,
            engine=manifest.engine,
            model=manifest.model,
            folder=outcome.version_id,
            manifest=summary,
            report=report,
            actor=actor,
        )
        if outcome.is_promoted:
            add_promotion(session, owner, version.id, "promote", actor)
        else:
            events.add(session, "model.refused", actor=actor, payload={"version_id": version.id})

    runtime.database.write(work)


def _sweep(runtime: Runtime) -> None:
    """Remove what a crash during a former training left; only one runs at a time."""
    with runtime.database.session() as session:
        known = {version.folder for version in models.list_versions(session)}
    for name in model_folders.sweep(runtime.settings.models_dir, known):
        _log.info("Removed the unfinished model %s.", name)


register_handler(RETRAIN, run_job)
