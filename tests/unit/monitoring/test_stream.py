"""The stream's WER is right on average, and its interval says how far off it may be."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from qe_core.monitoring.stream import (
    CLUSTER_COLUMNS,
    MIN_AUDITS,
    StreamWer,
    TooFewAudits,
    stream_wer,
    stream_wer_of_clusters,
)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """A stream of which everything is known, so that the estimate can be checked."""

    predicted_errors: Values
    predicted_words: Values
    errors: Values
    words: Values
    recordings: npt.NDArray[np.str_]

    @property
    def wer(self) -> float:
        return float(self.errors.sum() / self.words.sum())

    def estimate(
        self,
        audits: npt.NDArray[np.intp],
        others: npt.NDArray[np.intp] | None = None,
    ) -> StreamWer | TooFewAudits:
        is_audit = np.zeros(len(self.errors), dtype=bool)
        is_audit[audits] = True
        is_reviewed = is_audit.copy()
        if others is not None:
            is_reviewed[others] = True
        return stream_wer(
            predicted_errors=self.predicted_errors,
            predicted_words=self.predicted_words,
            errors=np.where(is_reviewed, self.errors, np.nan),
            words=np.where(is_reviewed, self.words, np.nan),
            is_audit=is_audit,
            recordings=self.recordings,
        )


def stream(
    rng: np.random.Generator, num_clips: int = 400, bias: float = 0.8, clips_per_recording: int = 2
) -> Stream:
    words = rng.integers(5, 40, num_clips).astype(float)
    num_recordings = num_clips // clips_per_recording
    recording = np.arange(num_clips) % num_recordings
    difficulty = rng.beta(1.5, 4.0, num_recordings)[recording]
    errors = rng.binomial(words.astype(int), difficulty).astype(float)
    predicted = np.clip(bias * difficulty + rng.normal(0, 0.08, num_clips), 0, None) * words
    return Stream(predicted, words * 1.05, errors, words, recording.astype(str))


def test_too_few_audits_give_no_interval() -> None:
    rng = np.random.default_rng(1)

    result = stream(rng).estimate(np.arange(MIN_AUDITS - 1))

    assert isinstance(result, TooFewAudits)
    assert (result.num_audits, result.min_audits) == (MIN_AUDITS - 1, MIN_AUDITS)


def test_many_audits_of_few_recordings_are_still_too_few() -> None:
    rng = np.random.default_rng(1)
    few = stream(rng, num_clips=100, clips_per_recording=20)

    result = few.estimate(np.arange(60))

    assert isinstance(result, TooFewAudits)
    assert result.num_recordings == 5


def test_an_empty_stream_has_no_predicted_wer() -> None:
    empty = np.array([])

    result = stream_wer(
        predicted_errors=empty,
        predicted_words=empty,
        errors=empty,
        words=empty,
        is_audit=np.array([], dtype=bool),
        recordings=np.array([], dtype=str),
    )

    assert isinstance(result, TooFewAudits)
    assert result.predicted_wer is None


def test_reviewing_everything_gives_the_pooled_wer() -> None:
    rng = np.random.default_rng(3)
    whole = stream(rng, num_clips=100)

    result = whole.estimate(np.arange(100))

    assert isinstance(result, StreamWer)
    assert result.combined.wer == pytest.approx(whole.wer)
    assert result.classical.wer == pytest.approx(whole.wer)


def test_audits_correct_an_estimator_that_is_too_optimistic() -> None:
    rng = np.random.default_rng(4)
    optimistic = stream(rng, num_clips=1000, bias=0.5)

    result = optimistic.estimate(rng.choice(1000, 150, replace=False))

    assert isinstance(result, StreamWer)
    assert result.predicted_wer < 0.7 * optimistic.wer
    assert result.combined.low <= optimistic.wer <= result.combined.high


def test_estimates_narrow_the_interval() -> None:
    rng = np.random.default_rng(5)
    good = stream(rng, num_clips=2000, bias=1.0)

    result = good.estimate(rng.choice(2000, 100, replace=False))

    assert isinstance(result, StreamWer)
    assert result.combined.width < 0.7 * result.classical.width


def test_recordings_without_an_audit_may_be_pooled_into_groups() -> None:
    rng = np.random.default_rng(6)
    sums = np.abs(rng.normal(5.0, 1.0, (400, len(CLUSTER_COLUMNS))))
    audits = CLUSTER_COLUMNS.index("num_audits")
    sums[:, audits : audits + 5] *= (np.arange(400) < 40)[:, None]
    quiet = sums[40:].reshape(120, 3, -1).sum(axis=1)

    whole = stream_wer_of_clusters(sums)
    pooled = stream_wer_of_clusters(np.concatenate([sums[:40], quiet]))

    assert isinstance(whole, StreamWer)
    assert isinstance(pooled, StreamWer)
    assert pooled.combined.wer == pytest.approx(whole.combined.wer)
    assert pooled.combined.width == pytest.approx(whole.combined.width, rel=0.05)


def test_the_worst_clips_reviewed_on_purpose_do_not_bias_the_stream() -> None:
    rng = np.random.default_rng(7)
    misses = []
    for _ in range(30):
        whole = stream(rng, num_clips=400, bias=0.8)
        worst = np.argsort(whole.predicted_errors / whole.words)[-80:]
        rest = np.setdiff1d(np.arange(400), worst)
        result = whole.estimate(rng.choice(rest, 60, replace=False), worst)
        assert isinstance(result, StreamWer)
        misses.append(result.combined.wer - whole.wer)

    assert abs(np.mean(misses)) < 0.005


def test_a_long_stream_costs_no_more_than_a_short_one() -> None:
    rng = np.random.default_rng(8)
    long = stream(rng, num_clips=20_000, clips_per_recording=1)

    result = long.estimate(rng.choice(20_000, 100, replace=False))

    assert isinstance(result, StreamWer)
    assert result.combined.low < long.wer < result.combined.high


@pytest.mark.slow
def test_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(10)
    combined = classical = 0
    for _ in range(300):
        # The stream is itself a draw from what could have been said: its superpopulation WER is
        # that of a very long one.
        whole = stream(rng, num_clips=600, bias=0.7)
        result = whole.estimate(rng.choice(600, 40, replace=False))
        assert isinstance(result, StreamWer)
        truth = 1.5 / 5.5
        combined += result.combined.low <= truth <= result.combined.high
        classical += result.classical.low <= truth <= result.classical.high

    assert 0.91 <= combined / 300 <= 0.99
    assert 0.91 <= classical / 300 <= 0.99
