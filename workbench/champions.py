"""Which estimator serves: versions, promotion, rollback."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from qe_core.errors import ConflictError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.manifest import Kind
from storage import records
from storage.database import Session
from storage.records import Promotion
from storage.repositories import events, models, recognisers
from workbench import people, reestimate

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = [
    "BUILT_IN",
    "KIND",
    "ModelVersion",
    "State",
    "add_promotion",
    "find_trial",
    "note_decision",
    "promote",
    "rollback",
    "versions",
]

BUILT_IN = "built-in"
"""Version id of the estimator that travels with Werkbench."""

KIND: Kind = "transcript"

State = Literal["champion", "challenger", "retired", "refused"]

_TRIALS = frozenset({"shadow", "drop"})

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One line of the list of models.

    Args:
        id: to promote it by; :data:`BUILT_IN` for the one that travels with Werkbench
        estimator: id that its estimates carry
        engine: engine whose transcripts it judges
        model: of that engine
        state: ``champion`` serves, ``challenger`` is tried beside it, ``retired`` served or may
            serve, ``refused`` failed the gate
        created_at: when it was trained, UTC
        actor: who had it trained
        num_clips: clips it learnt from
        num_reviews: of these, corrections
        metrics: its figures on held-out clips
        champion_metrics: figures of the champion of that time on the same clips; empty for the
            built-in one
        conditions: what the gate said, sentence by sentence, and whether it held
        left_out: reviews that could not be used, by reason
        adaptation: how far it is adapted to this recogniser; ``None`` where it is not
        is_cross_validated: whether its figures are from clips that it learnt from, each judged by
            what the others teach
        lineage: normaliser, features, engine version, code version, seed and the reviews that it
            learnt from and was judged by
    """

    id: str
    estimator: str
    engine: str
    model: str
    state: State
    created_at: datetime
    actor: str | None
    num_clips: int
    num_reviews: int
    metrics: Figures
    champion_metrics: Figures
    conditions: tuple[tuple[bool, str], ...]
    left_out: Mapping[str, int]
    lineage: Mapping[str, object]
    adaptation: str | None = None
    is_cross_validated: bool = False


def versions(runtime: "Runtime") -> list[ModelVersion]:
    """All versions of the estimator of transcripts, newest first, the built-in one last."""
    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
        decisions = models.list_promotions(session)
    owners = {_owner_of(version) for version in stored}
    serving = {owner: _history(decisions, owner)[-1] for owner in owners}
    trials = (find_trial(decisions, owner) for owner in owners)
    tried = {trial.version_id for trial in trials if trial is not None}
    listed = [
        _listed(version, serving[_owner_of(version)], is_tried=version.id in tried)
        for version in stored
    ]
    return [*listed, _built_in(runtime, serving)]


def promote(runtime: "Runtime", version_id: str, actor: str | None = None) -> None:
    """Let a version serve that passed the gate, now and for all clips to come.

    Raises:
        NotFoundError: there is no such version
        ConflictError: it serves already, or the gate refused it
        EstimatorError: its files are damaged
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    if version_id == BUILT_IN:
        _decide(runtime, runtime.owner(), None, "promote", actor)
        return
    with runtime.database.session() as session:
        version = models.get_version(session, version_id)
    if not version.report.get("is_passed", False):
        failed = [text for is_met, text in _conditions(version.report) if not is_met]
        raise ConflictError(
            f"This version was refused: {' '.join(failed)}",
            suggestion="Review more clips and train again, or change the gate in the settings.",
            code="refused",
        )
    Estimator.load(runtime.model_folder(version))
    _decide(runtime, _owner_of(version), version.id, "promote", actor)


def rollback(runtime: "Runtime", actor: str | None = None) -> str:
    """Go back to the version that served before.

    Returns:
        id of the version that serves now, :data:`BUILT_IN` for the built-in one

    Raises:
        ConflictError: there is none before it
        EstimatorError: its files are damaged
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    owner = runtime.owner()
    with runtime.database.session() as session:
        history = _history(models.list_promotions(session), owner)
    if len(history) == 1:
        raise ConflictError(
            "The built-in model serves; there is none before it.",
            suggestion="Train a new one when there are enough corrections.",
            code="nothing_before",
        )
    before = history[-2]
    if before is not None:
        with runtime.database.session() as session:
            version = models.get_version(session, before)
        Estimator.load(runtime.model_folder(version))
    _decide(runtime, owner, before, "rollback", actor)
    return before or BUILT_IN


def add_promotion(
    session: Session, owner: "Owner", version_id: str | None, action: str, actor: str | None
) -> None:
    """Note in a running transaction that a version takes over, and have all clips estimated.

    So are those of recognisers that were made from this one: what they have not, they inherit.
    """
    note_decision(session, owner, version_id, action, actor)
    engine, model = owner
    for name in (model, *recognisers.list_heirs(session, model)):
        reestimate.queue(session, engine, name, actor)


def note_decision(
    session: Session, owner: "Owner", version_id: str | None, action: str, actor: str | None
) -> None:
    """Note in a running transaction what was decided about a version; changes nothing else."""
    engine, model = owner
    models.add_promotion(
        session,
        kind=KIND,
        engine=engine,
        model=model,
        version_id=version_id,
        action=action,
        actor=actor,
    )
    payload = {"version_id": version_id or BUILT_IN, "engine": engine, "model": model}
    events.add(session, f"model.{action}", actor=actor, payload=payload)


def _decide(
    runtime: "Runtime", owner: "Owner", version_id: str | None, action: str, actor: str | None
) -> None:
    def work(session: Session) -> bool:
        if _history(models.list_promotions(session), owner)[-1] == version_id:
            return False
        add_promotion(session, owner, version_id, action, actor)
        return True

    if not runtime.database.write(work):
        raise ConflictError(
            "This version serves already.", suggestion="Choose another one.", code="serving"
        )
    runtime.worker.wake()


def _owner_of(version: records.ModelVersion) -> "Owner":
    return version.engine, version.model


def _history(decisions: Sequence[Promotion], owner: "Owner") -> list[str | None]:
    """The versions that lead to the one that serves, oldest first; ``None`` is the built-in one.

    A rollback takes what it undid out, so that rolling back twice goes back twice.
    """
    line: list[str | None] = [None]
    for decision in reversed(decisions):
        if (decision.kind, decision.engine, decision.model) != (KIND, *owner):
            continue
        if decision.action in _TRIALS:
            continue
        if decision.action == "rollback":
            while len(line) > 1 and line[-1] != decision.version_id:
                line.pop()
        else:
            line.append(decision.version_id)
    return line


def find_trial(decisions: Sequence[Promotion], owner: "Owner") -> Promotion | None:
    """The decision that began the trial of a challenger, while it lasts.

    Args:
        decisions: newest first
        owner: whose transcripts the challenger judges
    """
    ended: set[str | None] = set()
    for decision in decisions:
        if (decision.kind, decision.engine, decision.model) != (KIND, *owner):
            continue
        if decision.action == "shadow":
            return None if decision.version_id in ended else decision
        ended.add(decision.version_id)
    return None


def _listed(version: records.ModelVersion, serving: str | None, *, is_tried: bool) -> ModelVersion:
    report = version.report
    state: State = "retired" if report.get("is_passed", False) else "refused"
    if is_tried:
        state = "challenger"
    return ModelVersion(
        id=version.id,
        estimator=version.estimator,
        engine=version.engine,
        model=version.model,
        state="champion" if version.id == serving else state,
        created_at=version.created_at,
        actor=version.actor,
        num_clips=int(version.manifest.get("num_clips", 0)),
        num_reviews=len(report.get("review_ids", ())),
        metrics=report.get("challenger", {}),
        champion_metrics=report.get("champion", {}),
        conditions=_conditions(report),
        left_out=report.get("left_out", {}),
        adaptation=report.get("adaptation"),
        # Those that are older than held-out audits of adaptations do not say.
        is_cross_validated="adaptation" in report and report.get("judged_by") != "held_out",
        lineage={
            **version.manifest,
            "review_ids": report.get("review_ids", []),
            "held_out_review_ids": report.get("held_out_review_ids", []),
        },
    )


def _built_in(runtime: "Runtime", serving: Mapping["Owner", str | None]) -> ModelVersion:
    manifest = (runtime.inherited() or runtime.built_in_estimator()).manifest
    held_out = manifest.metrics.get("held_out", {})
    is_champion = serving.get(runtime.owner()) is None
    return ModelVersion(
        id=BUILT_IN,
        estimator=manifest.id,
        engine=manifest.engine,
        model=manifest.model,
        state="champion" if is_champion else "retired",
        created_at=datetime.fromisoformat(manifest.created_at),
        actor=None,
        num_clips=manifest.num_clips,
        num_reviews=0,
        metrics=held_out.get("estimator", {}),
        champion_metrics={},
        conditions=(),
        left_out={},
        lineage={
            "normaliser": manifest.normaliser,
            "schema": manifest.schema,
            "data_fingerprint": manifest.data_fingerprint,
            "created_at": manifest.created_at,
            "seed": manifest.seed,
            "code_version": manifest.lineage.get("code_version"),
        },
    )


def _conditions(report: Mapping[str, object]) -> tuple[tuple[bool, str], ...]:
    found = report.get("conditions", ())
    if not isinstance(found, list):
        return ()
    return tuple((bool(item["passed"]), str(item["text"])) for item in found)
