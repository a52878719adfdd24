"""One click: learn from the corrections, compare with the champion, promote or say why not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from qe_core.asr.base import Engine, Progress
from qe_core.errors import TrainingError
from qe_core.estimation.duel import Compared, Duel, audits_that_teach, compare, sense_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.promotion import GateResult, decide
from qe_core.estimation.scoring import score_table
from qe_core.estimation.training import TrainingPlan, cross_train
from qe_core.estimation.trust import agreements
from storage.ids import new_id
from storage.records import Job
from workbench import challengers, lineage, preferences
from workbench.challengers import RETRAIN
from workbench.champions import BUILT_IN, KIND, ModelVersion, promote, rollback, versions
from workbench.lessons import LeftOut, gather, survey
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

# The gate judges a challenger; training itself refuses only what cannot be fitted.
_PLAN = TrainingPlan(min_spearman=-1.0)


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
        is_tried: it passed the gate and is tried on new clips before it serves
        gate: every condition with its figures
        duel: champion of that time and challenger on the same held-out clips
        num_reviews: corrections that it learnt from
        num_held_out: clips that both were judged on
        left_out: reviews that could not be used, and why
    """

    version_id: str
    is_promoted: bool
    is_tried: bool
    gate: GateResult
    duel: Duel
    num_reviews: int
    num_held_out: int
    left_out: LeftOut


def readiness(runtime: Runtime) -> Readiness:
    """Count what there is to learn from; loads the recogniser when it is not loaded yet."""
    engine = runtime.engine().engine
    found = survey(runtime, engine)
    with runtime.database.session() as session:
        is_running = challengers.is_running(session)
    return Readiness(
        num_new=len(_new_reviews(runtime, engine, found.ids)),
        num_needed=preferences.get(runtime).retrain.min_new_reviews,
        left_out=found.left_out,
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
    return challengers.start(runtime, RETRAIN, actor)


def run_job(runtime: Runtime, job: Job, on_progress: Progress) -> None:
    """What the worker does for a job of kind :data:`RETRAIN`."""
    if challengers.is_stored(runtime, job):
        return
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
    challengers.sweep(runtime)
    settings = preferences.get(runtime)
    engine = runtime.engine(lambda _share, text: tell(0.0, text)).engine
    lessons = gather(runtime, engine)
    made_of = lineage.compose(runtime, engine, lessons)
    judged_on = lineage.judging_clips(made_of.table)
    if not (judged_on.num_reference_words > 0).any():
        raise TrainingError(
            "There is no held-out clip to judge a new model by.",
            suggestion="Review more clips of the queue: some of them are drawn for this purpose.",
        )
    version_id = new_id()
    trained = cross_train(
        made_of.table,
        kind=KIND,
        engine=engine.name,
        seed=settings.retrain.seed,
        plan=replace(
            plan,
            model=engine.model,
            depth=runtime.training_depth((engine.name, engine.model)),
            model_id=challengers.name_of((engine.name, engine.model), version_id),
            interval_level=settings.quality.interval_level,
        ),
        on_progress=lambda share, text: tell(0.05 + 0.85 * share, text),
    )
    tell(0.9, "comparing with the champion")
    challenger = trained.estimator
    champion = runtime.estimator((engine.name, engine.model))
    level = settings.quality.interval_level
    reviews = made_of.table.select(made_of.table.is_review & ~made_of.table.is_relative)
    expected = score_table(champion, reviews, level=level)
    known = challengers.reviews_known_to(runtime, {champion.manifest.id})
    taught = lessons.ids(is_held_out=False)
    is_new = np.array([review_id not in known for review_id in taught], np.bool_)
    duel = compare(
        Compared.on(judged_on, champion, challenger, level=level),
        settings=settings.retrain,
        interval_level=level,
        sense=sense_of(reviews, expected),
        teaching_audits=audits_that_teach(trained, champion, is_new, level=level),
    )
    who = agreements(reviews, expected, lessons.reviewers, settings=settings.retrain)
    duel = replace(duel, agreements=who)
    num_new = len(_new_reviews(runtime, engine, [example.id for example in lessons.examples]))
    gate = decide(duel, num_new_reviews=num_new, settings=settings.retrain)
    verdict = challengers.verdict_of(gate, settings.quality)
    outcome = RetrainOutcome(
        version_id=version_id,
        is_promoted=verdict == "promoted",
        is_tried=verdict == "on trial",
        gate=gate,
        duel=duel,
        num_reviews=len(lessons.ids(is_held_out=False)),
        num_held_out=judged_on.num_clips,
        left_out=lessons.left_out,
    )
    tell(0.95, "saving")
    made_by = {
        **lineage.describe(lessons, made_of, engine, settings.retrain),
        "champion_id": champion.manifest.id,
    }
    challengers.store(
        runtime,
        _described(challenger, duel, made_by),
        version_id=version_id,
        verdict=verdict,
        engine_version=engine.version,
        report=_report(outcome, made_by, job_id),
        actor=actor,
    )
    return outcome


def _new_reviews(runtime: Runtime, engine: Engine, usable: Sequence[str]) -> set[str]:
    """Reviews that the champion does not know.

    All of them when it is the built-in one, or one for any recogniser that was only adapted by
    them: what its trees would learn from them is new to it.
    """
    serving = runtime.estimator((engine.name, engine.model)).manifest
    if serving.is_cold_start:
        return set(usable)
    return set(usable) - challengers.reviews_known_to(runtime, {serving.id})


def _report(
    outcome: RetrainOutcome, made_by: Mapping[str, Any], job_id: str | None
) -> dict[str, Any]:
    duel = outcome.duel
    return {
        "is_passed": outcome.gate.passed,
        "conditions": [asdict(condition) for condition in outcome.gate.conditions],
        "champion_id": made_by["champion_id"],
        "champion": duel.champion.to_dict(),
        "challenger": duel.challenger.to_dict(),
        "er20_gain": asdict(duel.er20_gain),
        "mae_gain": asdict(duel.mae_gain),
        "slices": [asdict(item) for item in duel.slices],
        "too_small": list(duel.too_small),
        "review_ids": made_by["review_ids"],
        "held_out_review_ids": made_by["held_out_review_ids"],
        "num_held_out": outcome.num_held_out,
        "left_out": asdict(outcome.left_out),
        "job_id": job_id,
    }


def _described(challenger: Estimator, duel: Duel, made_by: Mapping[str, Any]) -> Estimator:
    """The challenger with its held-out figures and its ancestry in its manifest."""
    manifest = challenger.manifest
    figures = {"estimator": duel.challenger.to_dict(), "champion": duel.champion.to_dict()}
    return replace(
        challenger,
        manifest=replace(
            manifest,
            metrics={**manifest.metrics, "held_out": figures},
            lineage={**manifest.lineage, "retraining": made_by},
        ),
    )


register_handler(RETRAIN, run_job)
