"""Fitting the estimator that serves to a recogniser, from corrections or from references."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from qe_core.asr.base import Engine, Progress
from qe_core.config import Settings
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError
from qe_core.estimation.adaptation import STAGES, Adaptation
from qe_core.estimation.adapting import Judgement, adapt, decide_adaptation, judge_adaptation
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.profile import MIN_PROFILE_CLIPS, EngineProfile
from qe_core.estimation.promotion import GateResult
from qe_core.estimation.scoring import score_table
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.trust import Agreement, agreements
from storage.ids import new_id
from storage.records import Job
from workbench import challengers, lineage, lineage_adapted, people, preferences, profiles
from workbench.challengers import ADAPT, Verdict
from workbench.lessons import LeftOut, gather
from workbench.runtime import Owner, Runtime
from workbench.worker import register_handler

__all__ = ["CORRECTIONS", "AdaptOutcome", "base_of", "calibrate", "run", "run_job", "start"]

CORRECTIONS = "corrections"
"""Origin of an adaptation that was learnt from reviews."""


@dataclass(frozen=True, slots=True)
class AdaptOutcome:
    """What an adaptation led to.

    Args:
        version_id: the adapted estimator, stored whether it serves or not
        estimator: id that its estimates carry
        verdict: whether it serves, is tried on new clips first, or was refused
        adaptation: the correction, with its cross-validated accuracy
        judgement: what it brings, and what it was judged by
        gate: every condition with its figures
    """

    version_id: str
    estimator: str
    verdict: Verdict
    adaptation: Adaptation
    judgement: Judgement
    gate: GateResult


@dataclass(frozen=True, slots=True)
class _Work:
    """What an adaptation is made from and for.

    Args:
        engine: wrote the transcripts
        champion: serves now
        base: is adapted
        table: what teaches, and what is held out
        made_by: what the version has to remember
        report: what pages show of it
        num_new: reviews that the champion does not know; ``None`` for references of a manifest
        reviewers: who corrected each row of the table; none for references of a manifest
        origin: :data:`CORRECTIONS`, or the name of a manifest
    """

    engine: Engine
    champion: Estimator
    base: Estimator
    table: TrainingTable
    made_by: Mapping[str, Any]
    report: Mapping[str, Any]
    num_new: int | None
    reviewers: Sequence[str]
    origin: str


def start(runtime: Runtime, actor: str | None = None) -> str:
    """Queue an adaptation for the background worker.

    Returns:
        id of the job

    Raises:
        ConflictError: one, or a training, is queued or running already
        ForbiddenError: the actor is no admin
    """
    return challengers.start(runtime, ADAPT, actor)


def run_job(runtime: Runtime, job: Job, on_progress: Progress) -> None:
    """What the worker does for a job of kind :data:`workbench.challengers.ADAPT`."""
    if challengers.is_stored(runtime, job):
        return
    run(runtime, on_progress, actor=job.actor, job_id=job.id)


def run(
    runtime: Runtime,
    on_progress: Progress | None = None,
    *,
    actor: str | None = None,
    job_id: str | None = None,
    limit: int | None = None,
) -> AdaptOutcome:
    """Adapt the estimator that serves the recogniser in use to the corrections so far.

    An adaptation that serves already is replaced, not added to: its corrections are learnt from
    again. The adapted estimator is a version like any other.

    Args:
        runtime: the process's runtime
        on_progress: told how far it is
        actor: who asked for it
        job_id: the job that this is done for
        limit: learn from at most this many corrections, the oldest

    Raises:
        TrainingError: there are too few corrections that teach
        EngineError: the recogniser in use cannot be loaded
    """
    tell = on_progress or (lambda _share, _text: None)
    tell(0.0, "collecting corrections")
    settings = preferences.get(runtime)
    engine = runtime.engine(lambda _share, text: tell(0.0, text)).engine
    owner = (engine.name, engine.model)
    champion = runtime.estimator(owner)
    base, profile = base_of(runtime, owner)
    taught = base.manifest.lineage.get("retraining", {}).get("review_ids", [])
    lessons = gather(runtime, engine, depth=base.manifest.depth, without=taught, limit=limit)
    num_teaching = len(lessons.ids(is_held_out=False))
    if num_teaching < STAGES[0]:
        raise _too_few(num_teaching, lessons.left_out)
    made_of = lineage.TrainingSet(lineage_adapted.table_of(base, lessons), None)
    known = challengers.reviews_known_to(runtime, {champion.manifest.id})
    described = lineage.describe(lessons, made_of, engine, settings.retrain)
    work = _Work(
        engine=engine,
        champion=champion,
        base=base,
        table=made_of.table,
        made_by={
            **described,
            "base": lineage_adapted.keep_base(runtime, base),
            "profile": profile,
            "min_test_clips": settings.retrain.min_test_clips,
        },
        report={
            # Audits that the trees have learnt from are no audits of it, either.
            "review_ids": [*taught, *described["review_ids"]],
            "held_out_review_ids": described["held_out_review_ids"],
            "left_out": asdict(lessons.left_out),
            "job_id": job_id,
        },
        num_new=len({example.id for example in lessons.examples} - known),
        reviewers=lessons.reviewers,
        origin=CORRECTIONS,
    )
    tell(0.3, "adapting")
    return _finish(runtime, work, settings, actor, tell)


def calibrate(
    runtime: Runtime,
    engine: Engine,
    examples: Sequence[TrainingExample],
    *,
    origin: str,
    actor: str | None = None,
) -> AdaptOutcome:
    """Adapt the estimator that serves a recogniser to clips whose references are known.

    Args:
        runtime: the process's runtime
        engine: wrote the transcripts
        examples: features, transcripts and references; all of them teach
        origin: where they come from, for the lineage
        actor: who asked for it

    Raises:
        TrainingError: no example has words, or all are of one speaker
        EstimatorError: no estimator can be loaded
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    owner = (engine.name, engine.model)
    base, _ = base_of(runtime, owner)
    table = TrainingTable.from_examples(
        examples,
        schema=base.manifest.schema,
        normaliser=base.manifest.normaliser,
        feature_names=base.manifest.feature_names,
    )
    if base.manifest.is_cold_start and base.profile is None:
        # It has hardly written anything here yet: then these clips say how its scores are spread.
        own = EngineProfile.of(table.features, table.feature_names)
        base = replace(base, profile=own if own.num_clips >= MIN_PROFILE_CLIPS else None)
    work = _Work(
        engine=engine,
        champion=runtime.estimator(owner),
        base=base,
        table=table,
        made_by={"engine_version": engine.version},
        report={"review_ids": [], "held_out_review_ids": []},
        num_new=None,
        reviewers=(),
        origin=origin,
    )
    return _finish(runtime, work, preferences.get(runtime), actor, lambda _share, _text: None)


def base_of(runtime: Runtime, owner: Owner) -> tuple[Estimator, dict[str, Any] | None]:
    """What is adapted to a recogniser, and what its profile was taken from.

    Where an adaptation of the estimator for any recogniser serves, that one is adapted anew, under
    the profile of today: the recogniser has written more clips since.
    """
    champion = runtime.estimator(owner)
    manifest = champion.manifest
    if not manifest.is_cold_start:
        return replace(champion, manifest=replace(manifest, adaptation=None)), None
    base = runtime.estimator_for_any(owner)
    if base.profile is None:
        return base, None
    taken = profiles.take(runtime, owner, base.profile.num_clips)
    made_from = {"num_clips": taken.profile.num_clips, "until": taken.until}
    return replace(base, profile=taken.profile), made_from


def _too_few(num_teaching: int, left_out: LeftOut) -> TrainingError:
    reason = f" {left_out.total} reviews cannot be used." if left_out.total else ""
    return TrainingError(
        f"{num_teaching} corrections to adapt to; at least {STAGES[0]} are needed.{reason}",
        suggestion="Review more clips at the desk, or give references: "
        "werkbench calibrate --manifest.",
    )


def _finish(
    runtime: Runtime, work: _Work, settings: Settings, actor: str | None, tell: Progress
) -> AdaptOutcome:
    challengers.sweep(runtime)
    level = settings.quality.interval_level
    adapted = adapt(work.base, work.table, level=level)
    tell(0.5, "comparing with the champion")
    judgement = judge_adaptation(
        work.champion, adapted, work.table, level=level, settings=settings.retrain
    )
    gate = decide_adaptation(
        judgement,
        num_new_reviews=work.num_new,
        agreements=_agreements(work, settings),
        level=level,
        settings=settings.retrain,
    )
    verdict = challengers.verdict_of(gate, settings.quality)
    tell(0.9, "saving")
    version_id = new_id()
    made_by = {
        **work.made_by,
        "origin": work.origin,
        "champion_id": work.champion.manifest.id,
    }
    owner = (work.engine.name, work.engine.model)
    challenger = lineage_adapted.describe(
        adapted,
        judgement,
        made_by,
        name=challengers.name_of(owner, version_id),
        owner=owner,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    adaptation = adapted.manifest.adaptation or Adaptation()
    challengers.store(
        runtime,
        challenger,
        version_id=version_id,
        verdict=verdict,
        engine_version=work.engine.version,
        report={**work.report, **_report(work, adaptation, judgement, gate)},
        actor=actor,
    )
    return AdaptOutcome(version_id, challenger.manifest.id, verdict, adaptation, judgement, gate)


def _agreements(work: _Work, settings: Settings) -> tuple[Agreement, ...]:
    """What the corrections agree with, as far as it can be known."""
    if not work.reviewers:
        return ()
    scores = score_table(work.champion, work.table, level=settings.quality.interval_level)
    if work.base.manifest.is_cold_start:
        # What it takes for a right word it has learnt from other recognisers.
        scores = replace(scores, word_probabilities=None)
    return agreements(work.table, scores, work.reviewers, settings=settings.retrain)


def _report(
    work: _Work, adaptation: Adaptation, judgement: Judgement, gate: GateResult
) -> dict[str, Any]:
    figures = lineage_adapted.figures_of(judgement)
    return {
        "is_passed": gate.passed,
        "conditions": [asdict(condition) for condition in gate.conditions],
        "champion_id": work.champion.manifest.id,
        "champion": figures["champion"],
        "challenger": figures["estimator"],
        "adaptation": adaptation.progress,
        "is_cold_start": work.base.manifest.is_cold_start,
        "num_adapted": adaptation.num_reviews,
        "judged_by": judgement.how,
        "cross_validated": {
            "before": adaptation.before and asdict(adaptation.before),
            "after": adaptation.after and asdict(adaptation.after),
        },
        "num_held_out": judgement.num_held_out,
    }


register_handler(ADAPT, run_job)
