"""The quality page's figures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qe_core.config import load_settings
from qe_core.monitoring.stream import MIN_AUDITS, StreamWer, TooFewAudits
from storage.database import Session
from storage.repositories import reviews
from tests.stored_clips import add_clip, add_review, store_clip, store_review
from tests.stored_versions import add_version
from workbench import preferences, quality
from workbench.quality import Confusion
from workbench.runtime import Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = Runtime(load_settings(data_dir=tmp_path))
    yield opened
    opened.close()


def test_an_empty_installation_has_counts_and_nothing_else(runtime: Runtime) -> None:
    result = quality.summary(runtime)

    assert result.counts == quality.Counts(0, 0, 0, 0, 0, 0.0, 0.0)
    assert (result.comparison.pairs(), result.comparison.bins, result.confusions) == ((), (), ())
    found = result.comparison
    assert (found.mae, found.spearman, found.coverage, result.errors.wer) == (None,) * 4
    assert isinstance(result.stream, TooFewAudits)
    assert result.stream.predicted_wer is None


def test_pooled_wer_sums_errors_and_is_no_mean_of_rates(runtime: Runtime) -> None:
    store_review(runtime, store_clip(runtime, "a", text="one"), "two")
    store_review(runtime, store_clip(runtime, "b", text="a b c d e f g h i"), "a b c d e f g h i")

    result = quality.summary(runtime)

    assert result.errors.wer == pytest.approx(0.1)
    assert (result.errors.substitutions, result.errors.hits) == (1, 9)


def test_only_the_newest_review_of_a_clip_counts(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text="one two")
    store_review(runtime, clip_id, "three four")
    store_review(runtime, clip_id, "one two")

    result = quality.summary(runtime)

    assert (result.errors.wer, result.counts.num_reviewed) == (0.0, 1)


def test_rejected_clips_are_counted_but_have_no_rate(runtime: Runtime) -> None:
    store_review(runtime, store_clip(runtime, "a"), "", verdict="reject")

    result = quality.summary(runtime)

    assert (result.counts.num_reviewed, result.counts.num_rejected) == (1, 1)
    assert (result.errors.wer, result.comparison.pairs()) == (None, ())


def test_a_clip_in_which_nothing_is_said_counts_its_insertions_but_is_no_pair(
    runtime: Runtime,
) -> None:
    store_review(runtime, store_clip(runtime, "a", text="ghost"), "")

    result = quality.summary(runtime)

    assert (result.errors.insertions, result.comparison.pairs()) == (1, ())


def test_counts_follow_the_threshold_of_the_moment(runtime: Runtime) -> None:
    store_clip(runtime, "a", expected_errors=1.0, duration_s=1800.0)  # predicted WER 0.25
    store_clip(runtime, "b", expected_errors=2.0, duration_s=1800.0)

    before = quality.summary(runtime).counts
    preferences.set(runtime, "review.threshold", 0.2)

    assert (before.num_clips, before.num_flagged, before.hours) == (2, 1, 1.0)
    assert quality.summary(runtime).counts.num_flagged == 2


def test_pairs_hold_the_prediction_that_stood_before_the_review(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text="one two three four", expected_errors=1.0)
    store_review(runtime, clip_id, "one two three")

    (pair,) = quality.summary(runtime).comparison.pairs()

    assert (pair.clip_id, pair.file_name, pair.num_words) == (clip_id, "a.wav", 3)
    assert pair.predicted_wer == pytest.approx(0.25)
    assert pair.actual_wer == pytest.approx(1 / 3)
    assert quality.summary(runtime).comparison.mae == pytest.approx(1 / 3 - 0.25)
    assert quality.summary(runtime).comparison.coverage == 1.0


def many(runtime: Runtime, num_clips: int, *, policy: str = "audit", num_reviews: int) -> None:
    rng = np.random.default_rng(1)

    def work(session: Session) -> None:
        for index in range(num_clips):
            wrong = int(rng.integers(0, 9))
            text = " ".join(["ok"] * (10 - wrong) + ["bad"] * wrong)
            clip_id = add_clip(
                session, f"c{index}", text=text, expected_errors=0.8 * wrong, width=0.6
            )
            if index < num_reviews:
                add_review(session, clip_id, " ".join(["ok"] * 10), policy=policy)

    runtime.database.write(work)


def test_correlation_and_calibration_wait_for_ten_clips(runtime: Runtime) -> None:
    many(runtime, 10, num_reviews=9)
    before = quality.summary(runtime)
    store_review(runtime, store_clip(runtime, "last", expected_errors=0.0), "one two three four")

    after = quality.summary(runtime)

    assert (before.comparison.spearman, before.comparison.bins) == (None, ())
    assert after.comparison.spearman is not None
    assert after.comparison.spearman > 0.9
    assert len(after.comparison.bins) == 10


def test_enough_audits_give_the_stream_an_interval(runtime: Runtime) -> None:
    many(runtime, MIN_AUDITS + 10, num_reviews=MIN_AUDITS)

    stream = quality.summary(runtime).stream

    assert isinstance(stream, StreamWer)
    assert stream.num_clips == MIN_AUDITS + 10
    assert stream.combined.low < stream.combined.wer < stream.combined.high
    assert quality.summary(runtime).stream == stream


def test_clips_that_somebody_chose_are_no_audits(runtime: Runtime) -> None:
    many(runtime, MIN_AUDITS, policy="opened", num_reviews=MIN_AUDITS)

    stream = quality.summary(runtime).stream

    assert isinstance(stream, TooFewAudits)
    assert stream.num_audits == 0


def test_audits_that_the_estimator_learnt_from_do_not_correct_it(runtime: Runtime) -> None:
    many(runtime, MIN_AUDITS, num_reviews=MIN_AUDITS)

    def work(session: Session) -> None:
        learnt = [review.id for review in reviews.list_latest(session)]
        add_version(session, "x", estimator="builtin", report={"review_ids": learnt})

    runtime.database.write(work)
    stream = quality.summary(runtime).stream

    assert isinstance(stream, TooFewAudits)
    assert stream.num_audits == 0


def test_the_most_frequent_mistakes_come_first(runtime: Runtime) -> None:
    store_review(runtime, store_clip(runtime, "a", text="too bad too"), "two bad two")
    store_review(runtime, store_clip(runtime, "b", text="the end uh"), "the end")

    first, second, *rest = quality.summary(runtime).confusions

    assert first == Confusion("two", "too", 2)
    assert second == Confusion(None, "uh", 1)
    assert rest == []
