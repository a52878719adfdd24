"""Promotion of a fine-tuned recogniser: only beyond chance, and only without forgetting."""

from pathlib import Path

import pytest

from qe_core.config import FinetuneSettings
from qe_core.recogniser.dataset import SpokenClip
from qe_core.recogniser.finetune_judge import Comparison, compare, decide

TEXT = "one two three four five"
WRONG = "one two three four six"
SETTINGS = FinetuneSettings(min_test_clips=10)


def clips(num_clips: int = 40, num_speakers: int | None = 10) -> list[SpokenClip]:
    return [
        SpokenClip(
            f"{number}",
            Path("a.wav"),
            TEXT,
            speaker=None if num_speakers is None else f"speaker-{number % num_speakers}",
        )
        for number in range(num_clips)
    ]


def compared(num_wrong_before: int, num_wrong_after: int, **of_clips: int | None) -> Comparison:
    made = clips(**of_clips)
    before = [WRONG if number < num_wrong_before else TEXT for number in range(len(made))]
    after = [WRONG if number < num_wrong_after else TEXT for number in range(len(made))]
    return compare(made, before, after)


def failed(*comparisons: Comparison | None) -> list[str]:
    test, replay = (*comparisons, None)[:2]
    return [item.name for item in decide(test, replay, SETTINGS).conditions if not item.passed]


def test_wers_are_pooled_and_their_difference_is_the_improvement() -> None:
    found = compared(33, 10)

    assert (found.wer_before, found.wer_after) == pytest.approx((33 / 200, 10 / 200))
    assert found.improvement.value == pytest.approx(23 / 200)
    assert found.improvement.low < found.improvement.value < found.improvement.high
    assert (found.num_clips, found.num_words, found.num_speakers) == (40, 200, 10)


def test_speakers_are_resampled_where_there_are_enough_and_clips_elsewhere() -> None:
    assert (compared(20, 10).grouped_by, compared(20, 10).num_groups) == ("speakers", 10)
    few = compared(20, 10, num_speakers=3)
    assert (few.grouped_by, few.num_groups) == ("clips", 40)
    unknown = compared(20, 10, num_speakers=None)
    assert (unknown.grouped_by, unknown.num_groups) == ("clips", 40)


def test_a_clear_improvement_passes_with_its_figures() -> None:
    gate = decide(compared(40, 5), None, SETTINGS)

    assert gate.passed
    assert "20.0 % before, 2.5 % after" in gate.conditions[1].text
    assert "over 10 speakers" in gate.conditions[1].text


def test_an_improvement_that_may_be_chance_is_refused_and_says_why() -> None:
    gate = decide(compared(12, 11), None, SETTINGS)

    assert not gate.passed
    assert "may be chance" in gate.conditions[1].text


def test_a_recogniser_that_gets_worse_is_refused() -> None:
    assert failed(compared(5, 30)) == ["improvement"]


def test_too_few_clips_promote_nothing() -> None:
    assert "enough_clips" in failed(compared(9, 0, num_clips=9, num_speakers=9))


def test_what_is_forgotten_is_allowed_only_within_bounds() -> None:
    better = compared(40, 5)

    assert failed(better, compared(10, 11)) == []
    assert failed(better, compared(10, 15)) == ["replay"]


def test_old_weights_that_are_best_end_it_without_a_comparison() -> None:
    assert failed(None) == ["validation"]
