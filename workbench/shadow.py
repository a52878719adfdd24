"""Trying a challenger: it scores new clips along, unseen, before it may serve."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from qe_core.config import QualitySettings, Settings
from qe_core.errors import ConflictError, WerkbenchError
from qe_core.estimation.evaluation import Metrics, Scores, Truth, evaluate
from qe_core.pipeline import judge
from qe_core.types import SpeechSpan, Transcript
from storage.columns import utc_now
from storage.database import Session
from storage.records import ModelVersion, Promotion, StoredAssessment
from storage.repositories import models, shadows
from storage.repositories.statistics import Columns
from workbench import champions, people, preferences

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = ["Trial", "drop", "find", "is_on", "promote_if_due", "score_along"]

_HOUR_S = 3600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """A challenger on trial beside the champion.

    Args:
        version_id: the challenger
        estimator: id of its estimates
        begun_at: since when it scores along, UTC
        num_clips: new clips that both have scored
        champion_wer: mean WER that the champion predicts for them; ``None`` without any
        challenger_wer: the same of the challenger
        num_audits: of these clips, judged by an audit
        champion: figures of the champion on the audits; ``None`` without any
        challenger: figures of the challenger on the same
        missing: what has to come before it is promoted by itself, sentence by sentence
        is_over: whether all clips and hours have passed
    """

    version_id: str
    estimator: str
    begun_at: datetime
    num_clips: int
    champion_wer: float | None
    challenger_wer: float | None
    num_audits: int
    champion: Metrics | None
    challenger: Metrics | None
    missing: tuple[str, ...]
    is_over: bool


def is_on(settings: QualitySettings) -> bool:
    """Whether a challenger that passed the gate is tried before it serves."""
    return settings.shadow_hours > 0 or settings.shadow_clips > 0


def find(runtime: "Runtime", owner: "Owner | None" = None) -> Trial | None:
    """The challenger on trial for a recogniser, if there is one.

    Args:
        runtime: the runtime
        owner: engine and model; those in use by default
    """
    begun = _begun(runtime, owner or runtime.owner())
    if begun is None or begun.version_id is None:
        return None
    with runtime.database.session() as session:
        version = models.get_version(session, begun.version_id)
        seen = shadows.summarise(session, version.id)
        found = shadows.audited(session, version.id)
    num_clips, num_audits = int(seen["num_clips"][0]), len(found["errors"])
    champion, challenger = (
        (_figures(found, "champion"), _figures(found, "challenger")) if num_audits else (None, None)
    )
    settings = preferences.get(runtime)
    waits = _waits(settings.quality, begun.created_at, num_clips)
    missing = (*waits, *_doubts(settings, num_audits, champion, challenger))
    return Trial(
        version_id=version.id,
        estimator=version.estimator,
        begun_at=begun.created_at,
        num_clips=num_clips,
        champion_wer=float(seen["champion_wer"][0]) if num_clips else None,
        challenger_wer=float(seen["challenger_wer"][0]) if num_clips else None,
        num_audits=num_audits,
        champion=champion,
        challenger=challenger,
        missing=missing,
        is_over=not waits,
    )


def score_along(
    runtime: "Runtime",
    stored: StoredAssessment,
    transcript: Transcript,
    speech: tuple[SpeechSpan, ...],
    features: Mapping[str, float],
    second: Transcript | None,
) -> None:
    """Let the challenger on trial, if there is one, score a clip that has just been assessed.

    Whatever fails here is logged: the assessment that people see is there already.
    """
    begun = _begun(runtime, (transcript.engine, transcript.model))
    if begun is None or begun.version_id is None:
        return
    try:
        with runtime.database.session() as session:
            version = models.get_version(session, begun.version_id)
        estimate, _ = judge(
            features,
            transcript,
            speech,
            duration_s=stored.duration_s,
            estimator=runtime.version(version),
            settings=preferences.get(runtime),
            second=second,
        )
        runtime.database.write(lambda session: shadows.add(session, version.id, stored, estimate))
    except WerkbenchError as error:
        _log.warning("The challenger could not score along: %s", error.message)


def drop(runtime: "Runtime", actor: str | None = None) -> None:
    """End the trial of the challenger; the champion goes on serving.

    Raises:
        ConflictError: none is on trial
        ForbiddenError: the actor is no admin
    """
    people.check(runtime, actor, "admin")
    owner = runtime.owner()
    begun = _begun(runtime, owner)
    if begun is None:
        raise ConflictError(
            "No challenger is on trial.", suggestion="Train one.", code="no_challenger"
        )
    version_id = begun.version_id
    runtime.database.write(
        lambda session: champions.note_decision(session, owner, version_id, "drop", actor)
    )


def promote_if_due(runtime: "Runtime") -> str | None:
    """Promote the challenger when its trial is over and nothing speaks against it.

    Returns:
        id of the version that serves now, or ``None`` when nothing changed
    """
    if runtime.loaded_engine() is None:
        return None
    # Also where trials have been switched off since: the one that has begun comes to its end.
    trial = find(runtime)
    if trial is None or trial.missing:
        return None

    def work(session: Session) -> ModelVersion | None:
        version = models.get_version(session, trial.version_id)
        owner = version.engine, version.model
        begun = champions.find_trial(models.list_promotions(session), owner)
        if begun is None or begun.version_id != version.id:
            return None  # somebody has decided meanwhile
        champions.add_promotion(session, owner, version.id, "promote", None)
        return version

    version = runtime.database.write(work)
    if version is None:
        return None
    runtime.worker.wake()
    _log.info("The trial of %s is over: it serves now.", version.estimator)
    return version.id


def _begun(runtime: "Runtime", owner: "Owner") -> Promotion | None:
    with runtime.database.session() as session:
        return champions.find_trial(models.list_promotions(session), owner)


def _figures(found: Columns, who: str) -> Metrics:
    truth = Truth(found["errors"], found["words"], found["duration_s"])
    wer, errors = (found[f"{who}_{name}"].astype(np.float32) for name in ("wer", "errors"))
    return evaluate(truth, Scores(wer, errors))


def _waits(settings: QualitySettings, begun_at: datetime, num_clips: int) -> tuple[str, ...]:
    waits = []
    hours = (utc_now() - begun_at).total_seconds() / _HOUR_S
    if hours < settings.shadow_hours:
        waits.append(f"{settings.shadow_hours - hours:.1f} of {settings.shadow_hours:g} hours.")
    if num_clips < settings.shadow_clips:
        waits.append(
            f"{settings.shadow_clips - num_clips:,} of {settings.shadow_clips:,} new clips."
        )
    return tuple(waits)


def _doubts(
    settings: Settings, num_audits: int, champion: Metrics | None, challenger: Metrics | None
) -> tuple[str, ...]:
    """What its audits lack or say against it."""
    needed, gate = max(1, settings.quality.shadow_audits), settings.retrain
    if num_audits < needed or champion is None or challenger is None:
        return (f"{needed - num_audits} of {needed} audits of these clips.",)
    doubts = []
    if challenger.er20 < champion.er20 - gate.max_recall_loss:
        doubts.append(
            f"Its audits: it finds {100 * challenger.er20:.1f} % of their errors in the first "
            f"20 % of audio, the champion {100 * champion.er20:.1f} %."
        )
    if champion.mae is None or challenger.mae is None:
        doubts.append("An audit of a clip with words.")
    elif challenger.mae > champion.mae + gate.max_mae_increase:
        doubts.append(
            f"Its audits: the mean error of its WER is {100 * challenger.mae:.1f} %, the "
            f"champion's {100 * champion.mae:.1f} %."
        )
    return tuple(doubts)
