"""When trainings begin by themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qe_core.asr.provider import Resolved
from qe_core.errors import ConflictError
from storage.columns import utc_now
from storage.repositories import jobs
from tests.retrain_fixtures import fill, open_runtime
from tests.small_models import sphinx
from workbench import preferences, retrain_schedule, schedule, shadow
from workbench.runtime import Runtime
from workbench.schedule import Occasion, begin

NIGHT = datetime(2026, 1, 2, 2, 10, tzinfo=UTC)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    opened = open_runtime(tmp_path)
    monkeypatch.setattr(opened, "loaded_engine", lambda: Resolved(sphinx(), "for a test"))
    yield opened
    opened.close()


def num_trainings(runtime: Runtime) -> int:
    with runtime.database.session() as session:
        return len([job for job in jobs.list_recent(session) if job.kind == "retrain"])


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({}, False),
        ({"is_enough": True}, True),
        ({"is_enough": True, "is_new": False}, False),
        ({"schedule": "02:00"}, True),
        ({"schedule": "02:00", "is_new": False}, False),
        ({"schedule": "02:00", "latest": NIGHT - timedelta(minutes=5)}, False),
        ({"schedule": "03:00"}, False),
        ({"every_hours": 6.0, "latest": NIGHT - timedelta(hours=7)}, True),
        ({"every_hours": 6.0, "latest": NIGHT - timedelta(hours=5)}, False),
        ({"every_hours": 6.0}, True),
    ],
)
def test_an_occasion_is_there_or_not(changes: dict[str, object], begins: bool) -> None:
    usual: dict[str, object] = {"is_new": True, "is_enough": False, "schedule": "", "latest": None}
    occasion = Occasion(**{**usual, **changes})  # type: ignore[arg-type]  # by name
    assert begin(occasion, lambda: "job", NIGHT) == ("job" if begins else None)


def test_somebody_who_was_quicker_is_no_error() -> None:
    def start() -> str:
        raise ConflictError("under way", suggestion="Wait.")

    assert begin(Occasion(True, True, "", None), start) is None


def test_nothing_begins_by_itself_unless_it_is_asked_for(runtime: Runtime) -> None:
    fill(runtime, 12)
    schedule.begin_what_is_due(runtime)
    assert num_trainings(runtime) == 0


def test_it_begins_after_so_many_reviews_and_once(runtime: Runtime) -> None:
    preferences.set(runtime, "retrain.every_reviews", 12)
    fill(runtime, 11)
    assert retrain_schedule.begin_if_due(runtime) is None
    fill(runtime, 1, first=2000)

    schedule.begin_what_is_due(runtime)
    schedule.begin_what_is_due(runtime)

    assert num_trainings(runtime) == 1


def test_it_begins_by_the_clock_if_the_gate_would_not_ask_for_more(runtime: Runtime) -> None:
    now = utc_now().astimezone().replace(hour=3, minute=0) + timedelta(days=1)
    preferences.set(runtime, "retrain.schedule", "02:30")
    fill(runtime, 9)
    assert retrain_schedule.begin_if_due(runtime, now) is None
    fill(runtime, 1, first=2000)

    assert retrain_schedule.begin_if_due(runtime, now.replace(hour=2, minute=0)) is None
    job_id = retrain_schedule.begin_if_due(runtime, now)

    assert job_id is not None
    latest = retrain_schedule.latest_start(runtime)
    assert latest is not None
    assert retrain_schedule.begin_if_due(runtime, now) is None


def test_a_challenger_on_trial_is_not_replaced_before_its_time(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    preferences.set(runtime, "retrain.every_hours", 1.0)
    fill(runtime, 12)
    trial = shadow.Trial("v", "e", NIGHT, 0, None, None, 0, None, None, ("24 hours.",), False)
    monkeypatch.setattr(shadow, "find", lambda _runtime: trial)
    assert retrain_schedule.begin_if_due(runtime) is None
    monkeypatch.setattr(shadow, "find", lambda _runtime: None)
    assert retrain_schedule.begin_if_due(runtime) is not None
