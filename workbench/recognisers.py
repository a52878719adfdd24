"""Which recogniser serves: versions that learnt from corrections, promotion, rollback."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qe_core.errors import ConflictError, NotFoundError
from storage import records
from storage.database import Session
from storage.records import RecogniserPromotion
from storage.repositories import events
from storage.repositories import preferences as stored_preferences
from storage.repositories import recognisers as stored
from workbench import people, preferences
from workbench.finetune_data import model_of

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "RecogniserVersion",
    "State",
    "add_promotion",
    "engine_name_of",
    "promote",
    "rollback",
    "serving_version",
    "versions",
]

State = Literal["champion", "retired", "refused"]

_KEY = "engine.name"


@dataclass(frozen=True, slots=True)
class RecogniserVersion:
    """One line of the list of recognisers.

    Args:
        id: to promote it by
        name: what its transcripts carry as their model
        base: model that it was made from
        state: ``champion`` serves, ``retired`` served or may serve, ``refused`` failed the gate
        created_at: when it was trained, UTC
        actor: who had it trained
        num_clips: clips that it learnt from
        duration_s: seconds of audio in its data set
        wer_before: pooled WER of its base on held-out clips; ``None`` when nothing was to judge
        wer_after: its own on the same clips
        improvement: low and high end of the 95 % interval of the difference
        conditions: what the gate said, sentence by sentence, and whether it held
        left_out: reviewed clips that could not be used, by reason
    """

    id: str
    name: str
    base: str
    state: State
    created_at: datetime
    actor: str | None
    num_clips: int
    duration_s: float
    wer_before: float | None
    wer_after: float | None
    improvement: tuple[float, float] | None
    conditions: tuple[tuple[bool, str], ...]
    left_out: Mapping[str, int]


def versions(runtime: "Runtime") -> list[RecogniserVersion]:
    """All versions, newest first."""
    with runtime.database.session() as session:
        found = stored.list_versions(session)
    serving = serving_version(runtime, found)
    return [_listed(version, serving) for version in found]


def serving_version(
    runtime: "Runtime", found: Sequence[records.RecogniserVersion]
) -> records.RecogniserVersion | None:
    """The version that the settings ask for, whoever chose it; ``None`` when it is another."""
    wanted = model_of(preferences.get(runtime).engine)
    if wanted is None:
        return None
    place = Path(wanted).absolute()
    return next(
        (version for version in found if version.folder and _place(runtime, version) == place), None
    )


def promote(runtime: "Runtime", version_id: str, actor: str | None = None) -> None:
    """Let a version serve that passed the gate: new clips are written by it.

    Raises:
        ForbiddenError: the actor is no admin
        NotFoundError: there is no such version, or its files are gone
        ConflictError: it serves already, or the gate refused it
    """
    people.check(runtime, actor, "admin")
    with runtime.database.session() as session:
        version = stored.get_version(session, version_id)
    if version.folder is None:
        failed = [text for is_met, text in _conditions(version.report) if not is_met]
        raise ConflictError(
            f"This recogniser was refused: {' '.join(failed)}",
            suggestion="Review more clips and fine-tune again.",
            code="refused",
        )
    if serving_version(runtime, [version]) is not None:
        raise ConflictError(
            "This recogniser serves already.", suggestion="Choose another one.", code="serving"
        )
    _require_files(runtime, version)
    before = preferences.get(runtime).engine.name
    runtime.database.write(
        lambda session: add_promotion(
            session, version.id, before, engine_name_of(_place(runtime, version)), actor
        )
    )


def rollback(runtime: "Runtime", actor: str | None = None) -> str:
    """Go back to the recogniser that served before.

    Returns:
        ``engine.name`` of the recogniser that serves now

    Raises:
        ForbiddenError: the actor is no admin
        ConflictError: none was promoted, or another engine was chosen since
        NotFoundError: the files of the one before are gone
    """
    people.check(runtime, actor, "admin")
    with runtime.database.session() as session:
        found = stored.list_versions(session)
        line = _line(stored.list_promotions(session))
    serving = serving_version(runtime, found)
    if serving is None or len(line) == 1:
        raise ConflictError(
            "No fine-tuned recogniser serves; there is none to go back from.",
            suggestion="Choose the recogniser under Engine on the settings page.",
            code="nothing_before",
        )
    now, before = line[-1], line[-2]
    version = next(
        (item for item in found if item.folder and before == engine_name_of(_place(runtime, item))),
        None,
    )
    if version is not None:
        _require_files(runtime, version)

    def work(session: Session) -> None:
        _choose(session, before, actor)
        stored.add_promotion(
            session,
            version_id=version.id if version else None,
            action="rollback",
            engine_before=now,
            engine_after=before,
            actor=actor,
        )
        payload = {"engine_before": now, "engine_after": before, "version_id": serving.id}
        events.add(session, "model.rolled_back", actor=actor, payload=payload)

    runtime.database.write(work)
    return before


def add_promotion(
    session: Session, version_id: str, before: str, after: str, actor: str | None
) -> None:
    """Note in a running transaction that a version takes over, and let the settings ask for it."""
    _choose(session, after, actor)
    stored.add_promotion(
        session,
        version_id=version_id,
        action="promote",
        engine_before=before,
        engine_after=after,
        actor=actor,
    )
    payload = {"version_id": version_id, "engine_before": before, "engine_after": after}
    events.add(session, "model.promoted", actor=actor, payload=payload)


def engine_name_of(folder: Path) -> str:
    """What ``engine.name`` has to be for the model in a folder."""
    return f"whisper:{folder.absolute()}"


def _choose(session: Session, name: str, actor: str | None) -> None:
    stored_preferences.add(session, _KEY, name, actor=actor)


def _place(runtime: "Runtime", version: records.RecogniserVersion) -> Path:
    return (runtime.settings.recognisers_dir / (version.folder or "")).absolute()


def _require_files(runtime: "Runtime", version: records.RecogniserVersion) -> None:
    if not (_place(runtime, version) / "model.bin").is_file():
        raise NotFoundError(
            f"The files of {version.name} are gone from the data folder.",
            suggestion="Restore them from a backup, or fine-tune again.",
        )


def _line(decisions: Sequence[RecogniserPromotion]) -> list[str]:
    """The engines that lead to the one that serves, oldest first.

    A rollback takes what it undid out, so that rolling back twice goes back twice; an engine that
    was chosen by hand in between begins a new line.
    """
    line: list[str] = [""]
    for decision in decisions:
        if decision.action == "rollback":
            line = line[:-1] if len(line) > 1 else [decision.engine_after]
        elif line[-1] == decision.engine_before:
            line.append(decision.engine_after)
        else:
            line = [decision.engine_before, decision.engine_after]
    return line


def _listed(
    version: records.RecogniserVersion, serving: records.RecogniserVersion | None
) -> RecogniserVersion:
    report = version.report
    test = report["outcome"]["test"]
    state: State = "refused" if version.folder is None else "retired"
    return RecogniserVersion(
        id=version.id,
        name=version.name,
        base=version.base,
        state="champion" if serving is not None and version.id == serving.id else state,
        created_at=version.created_at,
        actor=version.actor,
        num_clips=int(report["num_clips"]["train"]),
        duration_s=float(report["duration_s"]),
        wer_before=test["wer_before"] if test else None,
        wer_after=test["wer_after"] if test else None,
        improvement=(test["improvement"]["low"], test["improvement"]["high"]) if test else None,
        conditions=_conditions(report),
        left_out=report["left_out"],
    )


def _conditions(report: Mapping[str, Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((bool(item["passed"]), str(item["text"])) for item in report["conditions"])
