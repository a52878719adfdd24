"""The gate: each condition alone can refuse, and says why in a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from qe_core.config import RetrainSettings
from qe_core.estimation.bootstrap import Interval
from qe_core.estimation.duel import Compared, Duel, SliceChange, compare, sense_of
from qe_core.estimation.evaluation import Metrics, Scores, Truth, evaluate
from qe_core.estimation.promotion import decide
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.trust import Agreement
from tests.unit.estimation.clips import made_up_examples

SETTINGS = RetrainSettings(min_slice_clips=20)


def _metrics(*, spearman: float = 0.7, mae: float | None = 0.2) -> Metrics:
    truth = Truth(np.array([1, 0]), np.array([2, 2]), np.array([1.0, 1.0]))
    measured = evaluate(truth, Scores(np.array([0.4, 0.1], np.float32), np.ones(2, np.float32)))
    return replace(measured, num_clips=100, spearman=spearman, mae=mae)


GOOD = Duel(
    champion=_metrics(),
    challenger=_metrics(mae=0.18),
    interval_level=0.9,
    sense=0.7,
    num_audits=40,
    num_recordings=60,
    er20_gain=Interval(0.02, 0.0, 0.04),
    mae_gain=Interval(0.02, 0.01, 0.03),
    coverage=Interval(0.9, 0.88, 0.92),
    slices=(
        SliceChange("source: upload", 40, 0.25, 0.2, -0.05),
        SliceChange("set: audits", 40, 0.2, 0.2, 0.0),
    ),
    too_small=("language: nl",),
)


def _decide(duel: Duel = GOOD, num_new_reviews: int = 25) -> dict[str, str]:
    """Texts of the conditions that failed, by name."""
    result = decide(duel, num_new_reviews=num_new_reviews, settings=SETTINGS)
    assert result.passed == all(condition.passed for condition in result.conditions)
    return {item.name: item.text for item in result.conditions if not item.passed}


def test_a_better_challenger_with_enough_reviews_passes() -> None:
    assert _decide() == {}


def test_too_few_reviews_fail() -> None:
    assert _decide(num_new_reviews=3) == {
        "enough_reviews": "3 new reviews are too few; at least 20 are needed."
    }


def test_too_few_clips_to_judge_by_fail() -> None:
    few = replace(GOOD, challenger=replace(GOOD.challenger, num_clips=29), num_audits=9)
    assert _decide(few) == {
        "enough_clips": "9 audits and 20 reference clips are too few to judge by; at least 30 are "
        "needed together."
    }


def test_a_challenger_that_ranks_badly_fails() -> None:
    failed = _decide(replace(GOOD, challenger=_metrics(spearman=0.39)))
    assert "Spearman 0.39" in failed["spearman"]


@pytest.mark.parametrize(
    ("gain", "text"),
    [
        (-0.0001, "falls from 20.0 % to 18.0 %, a gain of 0.0 points (90 % interval −0.2 to 0.0)"),
        (0.02, "falls from 20.0 % to 18.0 %, a gain of +2.0 points (90 % interval −0.2 to 0.0)"),
    ],
)
def test_a_gain_that_rounds_to_nothing_has_no_sign(gain: float, text: str) -> None:
    duel = replace(GOOD, mae_gain=Interval(gain, -0.002, -0.0002))
    result = decide(duel, num_new_reviews=25, settings=SETTINGS)
    said = {item.name: item.text for item in result.conditions}
    assert text in said["mae"]


@pytest.mark.parametrize("name", ["er20", "mae"])
def test_a_loss_that_may_be_larger_than_allowed_fails(name: str) -> None:
    failed = _decide(replace(GOOD, **{f"{name}_gain": Interval(-0.01, -0.031, 0.01)}))
    assert list(failed) == [name]
    assert "−1.0 points (90 % interval −3.1 to +1.0)" in failed[name]
    assert "cannot be excluded" in failed[name]


def test_a_loss_within_what_is_allowed_passes_if_the_other_figure_gains() -> None:
    assert _decide(replace(GOOD, er20_gain=Interval(-0.01, -0.03, 0.01))) == {}


def test_a_challenger_that_gains_nothing_fails() -> None:
    none = Interval(-0.001, -0.002, 0.0)
    assert list(_decide(replace(GOOD, er20_gain=none, mae_gain=none))) == ["gain"]


@pytest.mark.parametrize(
    ("audits", "passes"),
    [(Interval(0.08, 0.02, 0.14), True), (Interval(0.08, -0.01, 0.17), False), (None, False)],
)
def test_what_is_surely_better_on_the_audits_need_not_show_among_all_clips(
    audits: Interval | None, passes: bool
) -> None:
    little = Interval(-0.001, -0.002, 0.0)
    failed = _decide(replace(GOOD, er20_gain=little, mae_gain=little, audits_gain=audits))
    assert list(failed) == ([] if passes else ["gain"])
    if audits is None:
        assert "too few to tell; 10 recordings are needed" in failed["gain"]


def test_a_gain_on_audits_is_judged_by_audits_alone(table: TrainingTable) -> None:
    groups = list(dict.fromkeys(table.group))
    table = replace(table, is_review=np.isin(table.group, groups[:12]))
    far, close = _scores(table, 0.4), _scores(table, 0.05)
    mixed = replace(far, wer=np.where(table.is_review, close.wer, far.wer))

    duel = compare(Compared(table, far, mixed), settings=SETTINGS, interval_level=0.9, num_draws=50)

    assert duel.audits_gain is not None
    assert duel.audits_gain.low > 0
    assert duel.audits_gain.value > duel.mae_gain.value
    few = replace(table, is_review=np.isin(table.group, groups[:9]))
    duel = compare(Compared(few, far, mixed), settings=SETTINGS, interval_level=0.9, num_draws=2)
    assert duel.audits_gain is None


@pytest.mark.parametrize(
    ("low", "high", "passes"),
    [(0.89, 0.91, True), (0.83, 0.87, True), (0.93, 0.97, True), (0.80, 0.86, False)],
)
def test_intervals_have_to_keep_their_promise_within_three_points_and_chance(
    low: float, high: float, passes: bool
) -> None:
    failed = _decide(replace(GOOD, coverage=Interval((low + high) / 2, low, high)))
    assert list(failed) == ([] if passes else ["coverage"])
    assert passes or "contradicts the promised 90.0 % ± 3.0 points" in failed["coverage"]


def test_a_slice_that_gets_worse_is_named_and_so_are_those_that_are_not_judged() -> None:
    worse = SliceChange("condition: telephone", 31, 0.2, 0.24, 0.01)
    failed = _decide(replace(GOOD, slices=(*GOOD.slices, worse)))
    assert failed == {
        "slices": "The mean error rises by more than 3.0 points, beyond chance, on condition: "
        "telephone (31 clips): 20.0 % before, 24.0 % after. Not judged, with fewer than 20 clips: "
        "language: nl."
    }


def test_a_slice_that_may_be_worse_by_chance_is_named_and_refuses_nobody() -> None:
    chance = SliceChange("condition: telephone", 31, 0.2, 0.24, -0.01)
    gate = decide(
        replace(GOOD, slices=(*GOOD.slices, chance)), num_new_reviews=25, settings=SETTINGS
    )
    assert gate.passed
    assert "It may have on condition: telephone." in gate.conditions[-1].text


@pytest.mark.parametrize(
    ("agreement", "text"),
    [
        (
            Agreement("ann", 40, Interval(0.9, 0.8, 0.95), None, None),
            "The corrections by ann change 90.0 % of the words that the champion takes for right; "
            "30.0 % are plausible.",
        ),
        (
            Agreement("ann", 40, None, Interval(0.1, 0.0, 0.2), None),
            "The corrections by ann leave 90.0 % of the words as they are that the champion takes "
            "for wrong; 50.0 % are plausible.",
        ),
        (
            Agreement(None, 40, None, None, Interval(0.02, -0.1, 0.1)),
            "The corrections are not longer where more was written (a correlation of 0.02; 0.20 "
            "is plausible).",
        ),
    ],
)
def test_corrections_that_nobody_heard_fail_and_the_person_is_named(
    agreement: Agreement, text: str
) -> None:
    everybody = Agreement(None, 80, Interval(0.5, 0.4, 0.6), None, None)
    found = (everybody, agreement) if agreement.who else (agreement,)
    advice = "Have these clips reviewed again by somebody who listens to them."
    assert _decide(replace(GOOD, agreements=found)) == {"heard": f"{text} {advice}"}


def test_what_may_be_chance_accuses_nobody() -> None:
    wide = Agreement(
        "ann", 25, Interval(0.5, 0.3, 0.7), Interval(0.3, 0.1, 0.5), Interval(0.0, -0.3, 0.3)
    )
    assert _decide(replace(GOOD, agreements=(wide,))) == {}


@pytest.mark.parametrize(
    ("sense", "passes"), [(None, True), (0.52, True), (0.51, False), (0, False)]
)
def test_corrections_have_to_confirm_what_the_recogniser_was_sure_of(
    sense: float | None, passes: bool
) -> None:
    assert list(_decide(replace(GOOD, sense=sense))) == ([] if passes else ["sense"])


def test_where_confidence_says_nothing_the_words_count_that_the_champion_is_sure_of() -> None:
    honest = Agreement(None, 500, Interval(0.04, 0.0, 0.12), None, None)
    shuffled = replace(honest, sure_changed=Interval(0.96, 0.86, 1.0))
    unknown = replace(honest, sure_changed=None)
    doubtful = replace(GOOD, sense=0.49)

    assert _decide(replace(doubtful, agreements=(honest,))) == {}
    assert list(_decide(replace(doubtful, agreements=(shuffled,)))) == ["heard"]
    assert list(_decide(replace(doubtful, agreements=(unknown,)))) == ["sense"]
    assert list(_decide(replace(GOOD, sense=0, agreements=(honest,)))) == ["sense"]


def test_without_a_clip_with_words_nothing_is_promoted() -> None:
    assert "mae" in _decide(replace(GOOD, challenger=_metrics(mae=None)))
    assert "coverage" in _decide(replace(GOOD, coverage=None))


@pytest.fixture(scope="module")
def table() -> TrainingTable:
    examples = made_up_examples(np.random.default_rng(1), 120, num_speakers=20)
    return TrainingTable.from_examples(examples, schema="test@1:1")


def _scores(table: TrainingTable, noise: float) -> Scores:
    rng = np.random.default_rng(2)
    words = np.maximum(table.num_reference_words, 1)
    wer = (table.num_errors / words + noise * rng.normal(size=len(words))).astype(np.float32)
    return Scores(wer, (wer * words).astype(np.float32), wer - 0.1, wer + 0.1)


def test_who_guesses_closer_gains_beyond_chance(table: TrainingTable) -> None:
    far, close = _scores(table, 0.4), _scores(table, 0.05)
    duel = compare(Compared(table, far, close), settings=SETTINGS, interval_level=0.9, num_draws=50)
    assert duel.num_recordings == 20
    assert duel.mae_gain.low > 0
    assert duel.coverage is not None
    assert duel.coverage.value == duel.challenger.coverage
    assert duel.er20_gain.low > 0
    assert duel.mae_gain.value == pytest.approx(
        (duel.champion.mae or 0) - (duel.challenger.mae or 0)
    )
    back = compare(Compared(table, close, far), settings=SETTINGS, interval_level=0.9, num_draws=50)
    assert back.er20_gain.value == pytest.approx(-duel.er20_gain.value)
    assert max(item.loss for item in back.slices) > 0.1


def test_random_corrections_make_no_sense_and_honest_ones_do(table: TrainingTable) -> None:
    assert (sense_of(table) or 0) > 0.6
    wrong = np.ones_like(table.word_wrong)
    assert sense_of(replace(table, word_wrong=wrong)) == 0
    assert sense_of(replace(table, word_wrong=wrong * 0)) is None
    shuffled = np.random.default_rng(3).permutation(table.word_wrong)
    assert sense_of(replace(table, word_wrong=shuffled)) == pytest.approx(0.5, abs=0.05)


def test_the_champion_knows_better_than_confidence_which_words_are_right(
    table: TrainingTable,
) -> None:
    known = Scores(
        np.zeros(table.num_clips, np.float32),
        np.zeros(table.num_clips, np.float32),
        word_probabilities=(table.word_wrong == 1).astype(np.float32),
    )
    assert sense_of(table, known) == 1
    assert sense_of(table, replace(known, word_probabilities=None)) == sense_of(table)


def test_audits_say_whether_corrections_make_sense_where_they_hold_enough_words(
    table: TrainingTable,
) -> None:
    is_audit = np.arange(table.num_clips) % 3 == 0
    audited = replace(table, is_uniform_draw=is_audit)
    confidence = table.word_features[:, 0]
    # Chosen for being the worst: what is wrong there does not show in the confidence.
    others = ~is_audit[table.word_clip]
    wrong = np.where(others, confidence > np.median(confidence), table.word_wrong == 1)
    mixed = replace(audited, word_wrong=wrong.astype(np.int8))
    assert (sense_of(mixed) or 0) > 0.6
    few = replace(mixed, is_uniform_draw=np.arange(table.num_clips) == 0)
    assert (sense_of(few) or 1) < 0.5


def test_slices_are_sources_languages_conditions_and_sets(table: TrainingTable) -> None:
    same = _scores(table, 0.1)
    table = replace(table, is_review=np.arange(table.num_clips) < 10)
    duel = compare(Compared(table, same, same), settings=SETTINGS, interval_level=0.9, num_draws=2)
    assert [item.name for item in duel.slices] == [
        "set: reference clips",
        "source: indoors",
        "source: outdoors",
        "language: en",
        "condition: clean",
        "condition: noise",
    ]
    assert duel.too_small == ("set: audits",)
    assert duel.num_audits == 10
