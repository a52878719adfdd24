"""Audits that teach and judge all the same, by trees that never saw them."""

from dataclasses import replace

import numpy as np
import pytest

from qe_core.config import RetrainSettings
from qe_core.estimation.duel import MIN_AUDITS, Compared, audits_that_teach, compare
from qe_core.estimation.evaluation import Scores
from qe_core.estimation.promotion import decide
from qe_core.estimation.scoring import score_table
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import Trained

SETTINGS = RetrainSettings(min_slice_clips=20)


@pytest.fixture
def reviewed(trained: Trained) -> Trained:
    """The last 40 clips are reviews, every second of them an audit."""
    places = np.arange(trained.table.num_clips)
    is_review = places >= trained.table.num_clips - 40
    return replace(
        trained,
        table=replace(
            trained.table, is_review=is_review, is_uniform_draw=~is_review | (places % 2 == 0)
        ),
    )


def test_only_audits_that_the_champion_does_not_know_judge(reviewed: Trained) -> None:
    table, champion = reviewed.table, reviewed.estimator
    is_new = np.arange(40) >= 10
    rows = [row for row in np.flatnonzero(table.is_review)[10:] if table.is_uniform_draw[row]]

    audits = audits_that_teach(reviewed, champion, is_new, level=0.9)

    assert audits is not None
    assert audits.table.num_clips == len(rows) == 15
    assert list(audits.table.group) == list(table.group[rows])
    np.testing.assert_array_equal(audits.challenger.wer, reviewed.unseen.wer[rows])
    said = score_table(champion, table.select(np.array(rows)), level=0.9)
    np.testing.assert_array_equal(audits.champion.wer, said.wer)


def test_where_the_champion_knows_every_audit_none_of_them_judges(reviewed: Trained) -> None:
    knows_all = np.zeros(40, np.bool_)
    assert audits_that_teach(reviewed, reviewed.estimator, knows_all, level=0.9) is None


def _off_by(table: TrainingTable, gap: float) -> Scores:
    words = np.maximum(table.num_reference_words, 1)
    wer = (table.num_errors / words + gap).astype(np.float32)
    return Scores(wer, (wer * words).astype(np.float32), wer - gap - 0.1, wer + 0.1)


def _audits(table: TrainingTable, first: int, num: int) -> TrainingTable:
    """Of so many speakers, reviewed."""
    speakers = list(dict.fromkeys(table.group))[first : first + num]
    part = table.select(np.isin(table.group, speakers))
    return replace(part, is_review=np.ones(part.num_clips, np.bool_))


def test_audits_that_teach_tell_what_too_few_held_out_ones_cannot(table: TrainingTable) -> None:
    few, more = _audits(table, 0, 3), _audits(table, 3, MIN_AUDITS - 3)
    judged = Compared(few, _off_by(few, 0.1), _off_by(few, 0.11))
    teaching = Compared(more, _off_by(more, 0.3), _off_by(more, 0.1))

    alone = compare(judged, settings=SETTINGS, interval_level=0.9, num_draws=20)
    duel = compare(
        judged, settings=SETTINGS, interval_level=0.9, teaching_audits=teaching, num_draws=20
    )

    assert (alone.audits_gain, alone.num_teaching_audits) == (None, 0)
    assert duel.num_teaching_audits == more.num_clips
    assert duel.audits_gain is not None
    expected = (0.2 * more.num_clips - 0.01 * few.num_clips) / (more.num_clips + few.num_clips)
    assert duel.audits_gain.value == pytest.approx(expected, abs=1e-6)
    # All other figures are of what taught nobody.
    assert replace(duel, audits_gain=None, num_teaching_audits=0) == alone
    said = {
        item.name: item for item in decide(duel, num_new_reviews=50, settings=SETTINGS).conditions
    }
    assert said["gain"].passed
    assert (
        f"On the {few.num_clips + more.num_clips} audits alone ({more.num_clips} of them judged by "
        "trees that never saw them) the gain in mean error is"
    ) in said["gain"].text
