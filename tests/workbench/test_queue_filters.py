"""Filters of the queue: what passes, and what a filtered draw may be called."""

import numpy as np
import pytest

from storage.repositories import events
from tests.desk_work import audit_only, drawn, save
from tests.stored_clips import store_clip
from workbench import preferences, review
from workbench.review import QueueFilter
from workbench.runtime import Runtime

NOISE, FAST = "The speech is close to the noise.", "Somebody speaks fast."


@pytest.fixture
def stream(runtime: Runtime) -> dict[str, str]:
    """Three clips that differ in everything that can be filtered by."""
    return {
        "call": store_clip(
            runtime,
            "call",
            source="api",
            speaker="Bo",
            reasons=(NOISE, FAST),
            duration_s=5.0,
            days_ago=10.0,
            expected_errors=2.0,
        ),
        "talk": store_clip(
            runtime, "talk", speaker="Cy", language="de", reasons=(FAST,), duration_s=90.0
        ),
        "memo": store_clip(runtime, "memo", duration_s=20.0, expected_errors=0.0, days_ago=2.0),
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (QueueFilter(), {"call", "talk", "memo"}),
        (QueueFilter(source="api"), {"call"}),
        (QueueFilter(language="de"), {"talk"}),
        (QueueFilter(speaker="Bo"), {"call"}),
        (QueueFilter(reason=FAST), {"call", "talk"}),
        (QueueFilter(reason=NOISE), {"call"}),
        (QueueFilter(reason="speaks fast"), set()),
        (QueueFilter(max_age_days=7.0), {"talk", "memo"}),
        (QueueFilter(min_age_days=7.0), {"call"}),
        (QueueFilter(min_duration_s=10.0, max_duration_s=60.0), {"memo"}),
        (QueueFilter(is_flagged_only=True), {"call"}),
        (QueueFilter(reason=FAST, max_duration_s=10.0), {"call"}),
    ],
)
def test_only_what_passes_waits(
    runtime: Runtime, stream: dict[str, str], wanted: QueueFilter, names: set[str]
) -> None:
    expected = {stream[name] for name in names}
    assert {item.clip_id for item in review.queue(runtime, wanted=wanted)} == expected
    assert review.num_waiting(runtime, wanted) == len(expected)
    assert review.is_clip_waiting(runtime, "ann", wanted) == bool(expected)
    task = review.next_clip(runtime, "ann", wanted=wanted)
    assert (task.clip.id if task else None) in (expected or {None})


def test_what_waiting_clips_have_can_be_chosen(runtime: Runtime, stream: dict[str, str]) -> None:
    found = review.filter_choices(runtime)
    assert found.sources == ("api", "upload")
    assert found.languages == ("de", "en")
    assert found.speakers == ("Bo", "Cy")
    assert found.reasons == (FAST, NOISE)
    save(runtime, review.open_clip(runtime, stream["call"], "ann"))
    assert review.filter_choices(runtime).speakers == ("Cy",)


def test_the_probability_is_that_within_the_filter(runtime: Runtime) -> None:
    for index in range(4):
        store_clip(runtime, f"a{index}", speaker="Bo", expected_errors=1.0)
    for index in range(12):
        store_clip(runtime, f"b{index}", speaker="Cy", expected_errors=3.0)
    task = drawn(runtime, wanted=QueueFilter(speaker="Bo"), rng=np.random.default_rng(1))
    result = save(runtime, task)
    # All four tie in every part of the mixture.
    assert result.review.propensity == pytest.approx(0.25)
    with runtime.database.session() as session:
        (event,) = events.list_recent(session, kind="review.drawn")
    assert (event.payload["num_waiting"], event.payload["is_filtered"]) == (4, True)


def test_a_filtered_draw_is_never_an_audit_of_the_stream(runtime: Runtime) -> None:
    for index in range(6):
        store_clip(runtime, f"a{index}", speaker="Bo")
    audit_only(runtime)
    wanted = QueueFilter(speaker="Bo")
    policies = {save(runtime, drawn(runtime, wanted=wanted)).review.policy for _ in range(6)}
    assert policies == {"filtered"}


def test_an_audit_owed_by_the_stream_stays_one_when_a_filter_finds_it(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", speaker="Bo")
    store_clip(runtime, "b", speaker="Cy")
    audit_only(runtime)
    task = review.next_clip(runtime, "ann", rng=np.random.default_rng(0))
    while task is not None and task.clip.id != clip_id:
        save(runtime, task)
        task = review.next_clip(runtime, "ann")
    assert task is not None
    logged = _propensity(runtime, clip_id)
    review.release(runtime, clip_id, task.claim_token)
    again = save(runtime, drawn(runtime, "bob", wanted=QueueFilter(speaker="Bo")), reviewer="bob")
    assert (again.review.policy, again.review.propensity) == ("audit", logged)


def test_a_filtered_draw_does_not_pass_on_audits_that_the_filter_leaves_out(
    runtime: Runtime,
) -> None:
    first, second = store_clip(runtime, "a", speaker="Bo"), store_clip(runtime, "b", speaker="Cy")
    audit_only(runtime)
    owed = drawn(runtime)
    review.release(runtime, owed.clip.id, owed.claim_token)
    other = second if owed.clip.id == first else first
    speaker = "Cy" if other == second else "Bo"
    assert drawn(runtime, "bob", wanted=QueueFilter(speaker=speaker)).clip.id == other


def test_every_clip_that_passes_has_its_own_probability(runtime: Runtime) -> None:
    best = store_clip(runtime, "best", speaker="Bo", expected_errors=9.0)
    others = {store_clip(runtime, f"o{index}", speaker="Bo", width=0.1) for index in range(3)}
    store_clip(runtime, "hidden", speaker="Cy", expected_errors=50.0)
    preferences.set(runtime, "review.share_uncertain", 0.0)
    preferences.set(runtime, "review.share_audit", 0.3)
    expected = {best: 0.7 + 0.3 / 4} | dict.fromkeys(others, 0.3 / 4)
    wanted = QueueFilter(speaker="Bo")
    for seed in range(5):
        task = drawn(runtime, wanted=wanted, rng=np.random.default_rng(seed))
        assert _propensity(runtime, task.clip.id) == pytest.approx(expected[task.clip.id])
        review.release(runtime, task.clip.id, task.claim_token)


def _propensity(runtime: Runtime, clip_id: str) -> float:
    with runtime.database.session() as session:
        event = events.list_recent(session, kind="review.drawn", clip_id=clip_id)[0]
    value: float = event.payload["propensity"]
    return value
