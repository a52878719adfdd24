"""Corrections that were not made by listening stand out, whoever made them."""

from dataclasses import replace

import numpy as np
import pytest

from qe_core.config import RetrainSettings
from qe_core.corpus.examples import TrainingExample
from qe_core.estimation.evaluation import Scores
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.trust import Agreement, agreements
from qe_core.estimation.words import WORD_FEATURES
from tests.unit.estimation.clips import made_up_examples

SETTINGS = RetrainSettings()
NUM_CLIPS = 80


@pytest.fixture(scope="module")
def clips() -> list[TrainingExample]:
    return made_up_examples(np.random.default_rng(7), NUM_CLIPS)


def _table(clips: list[TrainingExample], texts: list[str]) -> TrainingTable:
    corrected = [replace(one, reference=text) for one, text in zip(clips, texts, strict=True)]
    return TrainingTable.from_examples(corrected, schema="made-up")


def _judge(table: TrainingTable, who: list[str] | None = None) -> tuple[Agreement, ...]:
    confidence = table.word_features[:, WORD_FEATURES.index("confidence")]
    none = np.zeros(table.num_clips, np.float32)
    scores = Scores(none, none, word_probabilities=1 - confidence)
    reviewers = who or ["ann"] * table.num_clips
    return agreements(table, scores, reviewers, settings=SETTINGS, num_draws=50)


def _of(clips: list[TrainingExample], texts: list[str]) -> Agreement:
    return _judge(_table(clips, texts))[0]


def test_who_listens_keeps_sure_words_and_changes_doubtful_ones(
    clips: list[TrainingExample],
) -> None:
    found = _of(clips, [one.reference for one in clips])
    assert found.sure_changed is not None
    assert found.doubtful_changed is not None
    assert found.sure_changed.high < SETTINGS.max_sure_changed
    assert found.doubtful_changed.low > SETTINGS.min_doubtful_changed
    assert found.length is not None
    assert found.length.low > SETTINGS.min_length_agreement


def test_corrections_of_other_clips_change_what_was_surely_right(
    clips: list[TrainingExample],
) -> None:
    words = ["one", "two", "three", "four", "five", "six"]
    texts = [" ".join(words[: 1 + 5 * index % 6]) for index in range(NUM_CLIPS)]
    found = _of(clips, texts)
    assert found.sure_changed is not None
    assert found.sure_changed.low > 0.9
    assert found.length is not None
    assert found.length.high < 0.5


def test_who_accepts_everything_leaves_what_was_surely_wrong(clips: list[TrainingExample]) -> None:
    found = _of(clips, [one.transcript.text for one in clips])
    assert found.doubtful_changed is not None
    assert found.doubtful_changed.high == 0


def test_one_person_is_told_from_another(clips: list[TrainingExample]) -> None:
    is_lazy = [index % 2 == 0 for index in range(NUM_CLIPS)]
    texts = [
        one.transcript.text if lazy else one.reference
        for one, lazy in zip(clips, is_lazy, strict=True)
    ]
    found = _judge(_table(clips, texts), ["ann" if lazy else "bob" for lazy in is_lazy])
    assert [item.who for item in found] == [None, "ann", "bob"]
    shares = [item.doubtful_changed.value for item in found if item.doubtful_changed is not None]
    assert shares[1] == 0
    assert shares[2] > SETTINGS.min_doubtful_changed > shares[0]


def test_of_few_clips_nothing_is_said(clips: list[TrainingExample]) -> None:
    table = _table(clips, [one.reference for one in clips])
    rows = np.arange(NUM_CLIPS) < 19
    assert _judge(table.select(rows)) == ()


def test_where_all_corrections_are_as_long_their_length_says_nothing(
    clips: list[TrainingExample],
) -> None:
    assert _of(clips, ["one two"] * NUM_CLIPS).length is None


def test_without_a_word_model_only_the_length_counts(clips: list[TrainingExample]) -> None:
    table = _table(clips, [one.reference for one in clips])
    none = np.zeros(table.num_clips, np.float32)
    found = agreements(
        table, Scores(none, none), ["ann"] * NUM_CLIPS, settings=SETTINGS, num_draws=20
    )[0]
    assert found.sure_changed is None
    assert found.doubtful_changed is None
    assert found.length is not None
