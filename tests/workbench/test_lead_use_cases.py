"""What the lead's pages ask for beside the figures: slices, words, budget, work, annotations."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lead_stream import fill
from qe_core.config import load_settings
from qe_core.errors import ConfigError
from qe_core.monitoring.stream import StreamWer
from storage.columns import utc_now
from tests.stored_clips import store_clip, store_review
from workbench import annotations, budget, drift, preferences, quality, work
from workbench.comparison import SLICES, comparison
from workbench.quality import Confusion
from workbench.runtime import Runtime


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """Four months of clips, a third of them reviewed; nothing writes to it."""
    opened = Runtime(load_settings(data_dir=tmp_path_factory.mktemp("stream") / "data"))
    fill(opened, num_clips=2400, num_reviews=800)
    yield opened
    opened.close()


def test_the_wer_of_the_stream_is_told_week_by_week(stream: Runtime) -> None:
    points = quality.history(stream)
    assert {point.unit for point in points} == {"week"}
    assert sum(point.num_clips for point in points) == 2400
    assert [point.start for point in points] == sorted(point.start for point in points)
    whole = quality.stream(stream)
    assert isinstance(whole, StreamWer)
    assert whole.num_clips == 2400
    assert all(point.naive_wer is not None for point in points if point.num_reviewed)


@pytest.mark.parametrize("kind", SLICES)
def test_every_slice_holds_all_clips_or_says_that_some_are_left_out(
    stream: Runtime, kind: str
) -> None:
    found = comparison(stream)
    table = found.by_slice(kind, only_audits=False)
    num_clips = sum(row.num_clips for row in table.rows)
    assert num_clips == found.num_clips or table.num_left_out > 0


def test_slices_of_audits_hold_audits_alone(stream: Runtime) -> None:
    found = comparison(stream)
    num_audits = int((found.columns["policy"] == "audit").sum())
    table = found.by_slice("language", only_audits=True)
    assert sum(row.num_clips for row in table.rows) == num_audits
    assert {row.name for row in table.rows} == {"de", "en"}


def test_a_budget_flags_what_it_can_pay_for(stream: Runtime) -> None:
    found = budget.simulator(stream)
    assert found is not None
    assert found.is_work_measured
    assert found.work == pytest.approx(3.0)
    small, large = (found.for_budget(share * found.minutes_for_all) for share in (0.2, 0.6))
    assert small.minutes <= 0.2 * found.minutes_for_all
    assert (small.share_of_errors or 0) < (large.share_of_errors or 0)
    assert (small.residual_wer or 0) > (large.residual_wer or 0)
    everything = found.for_budget(found.minutes_for_all + 1)
    assert everything.share_of_errors == pytest.approx(1.0)


def test_nothing_came_in_and_nothing_is_promised(runtime: Runtime) -> None:
    assert budget.simulator(runtime) is None
    assert quality.history(runtime) == ()
    assert work.recent(runtime, timedelta(days=7)).days == ()


def test_a_chosen_budget_becomes_the_threshold(runtime: Runtime) -> None:
    store_clip(runtime, "a")
    budget.choose_threshold(runtime, 0.4567, "lea")
    assert preferences.get(runtime).review.threshold == 0.46
    found = budget.simulator(runtime)
    assert found is not None
    assert (found.threshold, found.is_work_measured, found.wer) == (0.46, False, None)


def test_work_is_told_by_day_and_by_name(runtime: Runtime) -> None:
    for name in ("a", "b"):
        store_review(runtime, store_clip(runtime, name, duration_s=10.0), "one two")
    done = work.recent(runtime, timedelta(days=7))
    assert (done.total.num_reviews, done.total.minutes_per_minute) == (2, 3.0)
    assert (done.total.listened_share, done.num_reviewers) == (1.0, 1)
    assert [row.name for row in done.reviewers] == ["ann"]


def test_a_confusion_opens_its_clips(runtime: Runtime) -> None:
    first = store_clip(runtime, "a", text="too bad too")
    store_review(runtime, first, "two bad two")
    store_review(runtime, store_clip(runtime, "b", text="the end"), "the end")
    assert quality.clips_with(runtime, Confusion("two", "too", 2)) == {first: "a.wav"}
    assert quality.clips_with(runtime, Confusion(None, "uh", 1)) == {}


def test_annotations_are_kept_in_the_order_of_their_moments(runtime: Runtime) -> None:
    later = annotations.add(runtime, datetime(2026, 3, 1, tzinfo=UTC), "release  2", "lea")
    earlier = annotations.add(runtime, datetime(2026, 2, 1, tzinfo=UTC), "new microphone")
    assert annotations.list_all(runtime) == (earlier, later)
    assert later.text == "release 2"
    annotations.remove(runtime, earlier.id, "lea")
    assert annotations.list_all(runtime) == (later,)


@pytest.mark.parametrize("text", ["  ", "x" * 121])
def test_an_annotation_has_a_text_that_fits(runtime: Runtime, text: str) -> None:
    with pytest.raises(ConfigError, match="characters"):
        annotations.add(runtime, utc_now(), text)


def test_a_stream_without_drift_raises_no_alarm(stream: Runtime) -> None:
    report = drift.report(stream)
    assert report.is_rolling
    assert report.too_few is None
    assert [row.num_windows for row in report.inputs] == [3] * 12
    assert [row.name for row in report.outcomes] == list(drift.OUTCOMES)
    assert drift.alarms(stream) == ()
    assert drift.report(stream) is report


def test_a_noisy_source_is_an_alarm_with_evidence(tmp_path: Path) -> None:
    opened = Runtime(load_settings(data_dir=tmp_path / "data"))
    try:
        fill(opened, num_clips=2400, num_reviews=100)
        since = utc_now() - timedelta(days=12)
        opened.database.write(
            lambda session: session.connection().exec_driver_sql(
                "UPDATE assessed_clips SET noise_floor_dbfs = noise_floor_dbfs + 6 "
                "WHERE source = 'api' AND created_at > ?",
                (since.replace(tzinfo=None),),
            )
        )
        (alarm,) = drift.alarms(opened)
        row = next(row for row in drift.report(opened).inputs if row.is_alarm)
    finally:
        opened.close()
    assert (alarm.name, alarm.is_outcome, alarm.unit) == ("noise_floor_dbfs", False, "dBFS")
    assert alarm.since is not None
    assert abs(alarm.since - since) < timedelta(days=3)
    assert row.evidence is not None
    assert row.evidence.source == "api"
    assert len({clip.clip_id for clip in row.evidence.clips}) == 3
    assert all(clip.file_name.startswith("call-") for clip in row.evidence.clips)
    assert np.mean([clip.value for clip in row.evidence.clips]) > 4
