from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qe_core.errors import TrainingError
from qe_core.estimation.table import TrainingTable
from tests.unit.estimation.clips import made_up_examples


@pytest.fixture
def small(rng: np.random.Generator) -> TrainingTable:
    return TrainingTable.from_examples(made_up_examples(rng, 12, num_speakers=4), schema="test@1:3")


def test_a_saved_table_comes_back_equal(small: TrainingTable, tmp_path: Path) -> None:
    small.save(tmp_path / "examples.npz")
    loaded = TrainingTable.load(tmp_path / "examples.npz")
    assert loaded.fingerprint == small.fingerprint
    assert loaded.feature_names == small.feature_names
    assert loaded.schema == small.schema


def test_a_table_names_no_speaker_and_holds_no_text(small: TrainingTable) -> None:
    assert not any("speaker" in group for group in small.group)
    assert {array.dtype.kind for array in (small.source, small.condition, small.group)} == {"U"}
    assert len(set(small.group)) == 4


def test_conditions_are_kept_by_kind(small: TrainingTable) -> None:
    assert set(small.condition) <= {"noise", "clean"}


def test_selected_clips_keep_their_words(small: TrainingTable) -> None:
    part = small.select(np.array([2, 5]))
    assert part.num_clips == 2
    for place, row in enumerate((2, 5)):
        mine = part.word_features[part.word_clip == place]
        theirs = small.word_features[small.word_clip == row]
        assert np.array_equal(mine, theirs, equal_nan=True)


def test_relatives_judge_nothing_and_do_not_say_which_words_are_wrong(
    small: TrainingTable, tmp_path: Path
) -> None:
    held_out = replace(small, is_held_out=small.group == small.group[0])
    both = small + held_out.as_relatives(weight=0.25)
    both.save(tmp_path / "examples.npz")
    loaded = TrainingTable.load(tmp_path / "examples.npz")
    relatives = loaded.select(loaded.is_relative)

    assert relatives.num_clips == 9
    assert set(relatives.weight) == {0.25}
    assert not (relatives.is_held_out | relatives.is_uniform_draw).any()
    assert len(relatives.word_wrong)
    assert (relatives.word_wrong == -1).all()
    assert loaded.own.fingerprint == small.fingerprint
    assert loaded.fingerprint not in (small.fingerprint, (small + relatives.own).fingerprint)


def test_a_table_is_the_sum_of_its_parts(small: TrainingTable) -> None:
    first = small.group == small.group[0]
    joined = small.select(first) + small.select(~first)
    order = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])
    assert np.array_equal(joined.num_errors, small.num_errors[order])
    counts = np.bincount(small.word_clip, minlength=12)[order]
    assert np.array_equal(np.bincount(joined.word_clip, minlength=12), counts)


def test_tables_of_different_schemas_do_not_mix(small: TrainingTable) -> None:
    with pytest.raises(TrainingError, match="different feature schemas"):
        small + replace(small, schema="test@2:3")


def test_an_example_without_a_feature_is_refused(rng: np.random.Generator) -> None:
    examples = made_up_examples(rng, 3)
    with pytest.raises(TrainingError, match="lacks feature 'new_feature'"):
        TrainingTable.from_examples(examples, schema="x", feature_names=("new_feature",))


def test_no_example_is_refused() -> None:
    with pytest.raises(TrainingError, match="no example"):
        TrainingTable.from_examples([], schema="x")


def test_features_can_be_chosen_by_name(small: TrainingTable) -> None:
    part = small.with_features(["speech_s"], "audio@1:1")
    column = small.features[:, small.feature_names.index("speech_s")]
    assert np.array_equal(part.features[:, 0], column)
    with pytest.raises(TrainingError, match="lacks feature 'none'"):
        small.with_features(["none"], "audio@1:1")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_table_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "examples.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="not a training table"):
        TrainingTable.load(path)
