"""A recogniser that has no quality model of its own: how far it has come, and what comes next."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from qe_core.estimation.adaptation import STAGES, Accuracy
from qe_core.estimation.training import TrainingPlan
from storage.records import ModelVersion
from storage.repositories import models
from workbench import challengers, preferences, shadow
from workbench.challengers import ADAPT, RETRAIN
from workbench.champions import KIND
from workbench.lessons import LeftOut, survey

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = ["ColdStart", "Stage", "Step", "find", "next_job"]

Step = Literal["wait", "adapt", "train"]

_ACCURACY: TypeAdapter[Accuracy] = TypeAdapter(Accuracy)


@dataclass(frozen=True, slots=True)
class Stage:
    """A number of corrections after which it is worth looking, and what was reached there.

    Args:
        num_corrections: 30, 100, 300
        num_adapted: corrections behind the newest adaptation of this stage; ``None`` without one
        before: cross-validated accuracy without any adaptation; ``None`` without one
        after: the same with it
    """

    num_corrections: int
    num_adapted: int | None = None
    before: Accuracy | None = None
    after: Accuracy | None = None


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Where a recogniser stands that is judged by what others have taught.

    Args:
        recogniser: engine and model
        num_adapted: corrections behind the adaptation that serves; 0 where none does
        num_on_trial: the same of an adaptation on trial; 0 without one
        num_teaching: corrections to learn from
        num_judging: audits that are kept to judge by
        num_missing: corrections to come before adapting (again) is worth it
        num_teaching_needed: corrections that a model of its own takes
        num_judging_needed: audits that it takes
        stages: how far it has come
        left_out: reviews that cannot be used
    """

    recogniser: str
    num_adapted: int
    num_on_trial: int
    num_teaching: int
    num_judging: int
    num_missing: int
    num_teaching_needed: int
    num_judging_needed: int
    stages: tuple[Stage, ...]
    left_out: LeftOut

    @property
    def step(self) -> Step:
        """What to do next: a model of its own where one could pass the gate."""
        has_enough = self.num_teaching >= self.num_teaching_needed
        if has_enough and self.num_judging >= self.num_judging_needed:
            return "train"
        return "wait" if self.num_missing else "adapt"


def find(runtime: "Runtime") -> ColdStart | None:
    """Where the recogniser in use stands; ``None`` where it has a quality model of its own.

    Loads the recogniser when it is not loaded yet.

    Raises:
        EngineError: it cannot be loaded
    """
    engine = runtime.engine().engine
    owner = (engine.name, engine.model)
    serving = runtime.estimator(owner).manifest
    if not serving.is_cold_start:
        return None
    settings = preferences.get(runtime).retrain
    found = survey(runtime, engine, serving.depth)
    adapted = _adapted_versions(runtime, owner)
    trial = shadow.find(runtime, owner)
    tried = None if trial is None else adapted.get(trial.estimator)
    known = challengers.reviews_known_to(
        runtime, {serving.id} if trial is None else {serving.id, trial.estimator}
    )
    num_teaching = len(found.teaching)
    num_new = len(set(found.ids) - known)
    adaptation = serving.adaptation
    return ColdStart(
        recogniser=f"{engine.name}:{engine.model}",
        num_adapted=0 if adaptation is None else adaptation.num_reviews,
        num_on_trial=0 if tried is None else int(tried["num_adapted"]),
        num_teaching=num_teaching,
        num_judging=found.num_judging,
        num_missing=max(0, STAGES[0] - num_teaching, settings.min_new_reviews - num_new),
        num_teaching_needed=TrainingPlan().min_clips,
        num_judging_needed=settings.min_test_clips,
        stages=_stages(list(adapted.values())),
        left_out=found.left_out,
    )


def next_job(runtime: "Runtime") -> str | None:
    """Kind of the job that would bring the estimator in use further.

    Returns:
        ``None`` where there is too little to learn from for any
    """
    cold = find(runtime)
    if cold is None or cold.step == "train":
        return RETRAIN
    return ADAPT if cold.step == "adapt" else None


def _adapted_versions(runtime: "Runtime", owner: "Owner") -> dict[str, dict[str, Any]]:
    """Reports of adaptations that passed, by estimator, newest first."""

    def is_ours(version: ModelVersion) -> bool:
        report = version.report
        return (
            (version.engine, version.model) == owner
            and bool(report.get("is_cold_start"))
            and bool(report.get("is_passed"))
        )

    with runtime.database.session() as session:
        stored = models.list_versions(session, kind=KIND)
    return {item.estimator: dict(item.report) for item in stored if is_ours(item)}


def _stages(reports: list[dict[str, Any]]) -> tuple[Stage, ...]:
    stages = []
    for number, following in zip(STAGES, (*STAGES[1:], None), strict=True):
        inside = [
            report
            for report in reports
            if number <= report["num_adapted"]
            and (not following or report["num_adapted"] < following)
        ]
        if not inside:
            stages.append(Stage(number))
            continue
        newest = inside[0]
        before, after = (
            _ACCURACY.validate_python(newest["cross_validated"][name])
            for name in ("before", "after")
        )
        stages.append(Stage(number, newest["num_adapted"], before, after))
    return tuple(stages)
