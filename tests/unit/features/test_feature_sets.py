import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from qe_core.features import AUDIO_ONLY, DEPTHS, INFO, STANDARD, THOROUGH, deeper, depths_from
from qe_core.features.base import covers, extract, schema_of
from tests.unit.features.sounds import context, noise, said

UNITS = ("s", "dB", "dBFS", "Hz", "1/s", "1/min", "bit", "semitones", "")


@pytest.mark.parametrize("num_samples", [0, 1, 400, 8_000, 16_100, 161_000])
def test_any_length_gives_every_declared_feature_in_order(num_samples):
    sound = 0.1 * np.random.default_rng(1).standard_normal(num_samples)
    values = extract(THOROUGH, context(sound, (0.0, 0.3), transcript=said("hello there")))
    assert list(values) == list(INFO)


def test_groups_without_transcript_are_those_that_need_none():
    assert [group.name for group in STANDARD if not group.needs_transcript] == [
        group.name for group in AUDIO_ONLY
    ]


def test_no_two_groups_name_a_feature_alike():
    assert len(INFO) == sum(len(group.features) for group in THOROUGH)


def test_same_clip_gives_same_numbers():
    clip = context(noise(np.random.default_rng(2), 1), (0.0, 0.5), transcript=said("a b"))
    np.testing.assert_equal(dict(extract(STANDARD, clip)), dict(extract(STANDARD, clip)))


def test_schema_names_every_group_with_its_version():
    for group in THOROUGH:
        assert f"{group.name}@{group.version}" in schema_of(THOROUGH)


def test_every_depth_holds_the_features_of_the_one_before():
    schemas = [schema_of(DEPTHS[depth]) for depth in depths_from("thorough")]
    assert all(covers(deep, shallow) for deep, shallow in pairwise(schemas))
    assert not covers(schema_of(STANDARD), schema_of(THOROUGH))
    assert deeper("fast", "thorough") == deeper("thorough", "fast") == "thorough"


@pytest.mark.parametrize("info", INFO.values(), ids=INFO.keys())
def test_feature_can_be_explained_to_a_reviewer(info):
    assert info.high or info.low
    assert info.unit in UNITS
    assert 0 < len(info.label) <= 40
    for sentence in (info.high, info.low):
        assert not sentence or (sentence[0].isupper() and sentence.endswith("."))
        assert len(sentence) <= 90


@pytest.mark.parametrize("info", INFO.values(), ids=INFO.keys())
def test_unit_stands_in_the_name(info):
    endings = {"s": "_s", "dB": "_db", "dBFS": "_dbfs", "Hz": "_hz"}
    if info.unit in endings:
        assert info.name.endswith(endings[info.unit])


def test_info_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        next(iter(INFO.values())).label = "x"
