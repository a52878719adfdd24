"""What all ways of making a challenger share: asking for one, storing it, and what it may do."""

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from qe_core.config import QualitySettings
from qe_core.errors import ConflictError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.promotion import GateResult
from storage import model_folders
from storage.database import Session
from storage.records import Job
from storage.repositories import events, jobs, models
from workbench import champions, exclusive, shadow
from workbench.champions import KIND

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = [
    "ADAPT",
    "KINDS",
    "RETRAIN",
    "Verdict",
    "is_running",
    "is_stored",
    "name_of",
    "reviews_known_to",
    "start",
    "store",
    "sweep",
    "verdict_of",
]

RETRAIN = "retrain"
"""Kind of the jobs that train a challenger."""

ADAPT = "adapt"
"""Kind of the jobs that fit the estimator in use to a recogniser."""

KINDS = (ADAPT, RETRAIN)

Verdict = Literal["promoted", "on trial", "refused"]

_NUM_TAIL = 8

_log = logging.getLogger(__name__)


def start(runtime: "Runtime", kind: str, actor: str | None = None) -> str:
    """Queue a job that makes a challenger.

    Args:
        runtime: the runtime
        kind: one of :data:`KINDS`
        actor: who asks for it

    Returns:
        id of the job

    Raises:
        ConflictError: one is queued or running already
        ForbiddenError: the actor is no admin
    """
    conflict = ConflictError(
        "A training is under way already.",
        suggestion="Wait until it ends; its progress is on the settings page.",
        code="retraining",
    )
    job_id = exclusive.add(runtime, kind, actor=actor, conflict=conflict, beside=KINDS)
    runtime.worker.wake()
    return job_id


def name_of(owner: "Owner", version_id: str) -> str:
    """What the estimator of a version is called: short enough for a table.

    The end of a ULID is random; its beginning is the time, which stands beside the name.
    """
    return f"quality-{'-'.join(owner)}-{version_id[-_NUM_TAIL:].lower()}"


def is_running(session: Session) -> bool:
    """Whether a challenger is being made or waits for it."""
    return any(jobs.has_active(session, kind) for kind in KINDS)


def is_stored(runtime: "Runtime", job: Job) -> bool:
    """Whether a job stored its version, and then the process ended before it could say so."""
    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
    return any(version.report.get("job_id") == job.id for version in stored)


def reviews_known_to(runtime: "Runtime", estimators: Collection[str]) -> set[str]:
    """Reviews that versions have learnt from or were judged by.

    Args:
        runtime: the runtime
        estimators: ids of their estimates
    """
    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
    return {
        review_id
        for version in stored
        if version.estimator in estimators
        for name in ("review_ids", "held_out_review_ids")
        for review_id in version.report.get(name, ())
    }


def verdict_of(gate: GateResult, settings: QualitySettings) -> Verdict:
    """What becomes of a challenger: it serves, is tried on new clips before, or is refused."""
    if not gate.passed:
        return "refused"
    return "on trial" if shadow.is_on(settings) else "promoted"


def store(
    runtime: "Runtime",
    challenger: Estimator,
    *,
    version_id: str,
    verdict: Verdict,
    engine_version: str,
    report: Mapping[str, Any],
    actor: str | None,
) -> None:
    """Files first, complete and flushed; then version, promotion and event in one transaction."""
    manifest = challenger.manifest
    owner: Owner = (manifest.engine, manifest.model)
    model_folders.keep(runtime.settings.models_dir, version_id, challenger.save)
    summary = {
        "id": manifest.id,
        "num_clips": manifest.num_clips,
        "normaliser": manifest.normaliser,
        "schema": manifest.schema,
        "data_fingerprint": manifest.data_fingerprint,
        "created_at": manifest.created_at,
        "seed": manifest.seed,
        "engine_version": engine_version,
        "code_version": manifest.lineage["code_version"],
    }

    def work(session: Session) -> None:
        version = models.add_version(
            session,
            version_id=version_id,
            estimator=manifest.id,
            kind=KIND,
            engine=manifest.engine,
            model=manifest.model,
            folder=version_id,
            manifest=summary,
            report=report,
            actor=actor,
        )
        if verdict == "promoted":
            champions.add_promotion(session, owner, version.id, "promote", actor)
        elif verdict == "on trial":
            champions.note_decision(session, owner, version.id, "shadow", actor)
        else:
            events.add(session, "model.refused", actor=actor, payload={"version_id": version.id})

    runtime.database.write(work)
    runtime.worker.wake()
    _log.info("%s: %s.", manifest.id, verdict)


def sweep(runtime: "Runtime") -> None:
    """Remove what a crash left; only one challenger is made at a time."""
    with runtime.database.session() as session:
        known = {version.folder for version in models.list_versions(session)}
    for name in model_folders.sweep(runtime.settings.models_dir, known):
        _log.info("Removed the unfinished model %s.", name)
