"""Depths of assessment: what is computed, who is asked, and whose words are whose."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qe_core.asr.provider import Resolved
from qe_core.asr.second import SECOND
from qe_core.config import load_settings
from qe_core.features import DEPTHS
from qe_core.features.base import schema_of
from storage.records import Hypothesis
from storage.repositories import hypotheses
from tests.stored_clips import store_review
from tests.stored_versions import add_version, promote
from tests.typist import Typist
from workbench import intake, lessons, library, preferences, second_opinion
from workbench.assess import assess_clip, reassess
from workbench.runtime import Runtime

pytestmark = pytest.mark.slow


@pytest.fixture
def runtime(
    tmp_path: Path, ships_both_depths: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runtime]:
    settings = load_settings(
        data_dir=tmp_path, engine={"name": "pocketsphinx"}, quality={"depth": "thorough"}
    )
    opened = Runtime(settings)
    typist = Typist(("pocketsphinx", "en-us"), "one two three")
    monkeypatch.setattr(opened, "engine", lambda _progress=None: Resolved(typist, "for a test"))
    yield opened
    opened.close()


@pytest.fixture
def other(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """The recogniser that gives second opinions."""
    typist = Typist(SECOND, "one too three")
    monkeypatch.setattr(runtime, "second_engine", lambda: typist)
    return typist


@pytest.fixture
def clip_id(runtime: Runtime, speech_wav: bytes) -> str:
    return intake.submit(runtime, speech_wav, file_name="a.wav").clip_id


def latest(runtime: Runtime, clip_id: str, *, is_second: bool = False) -> Hypothesis | None:
    with runtime.database.session() as session:
        return hypotheses.find_latest(session, clip_id, is_second=is_second)


def test_a_second_opinion_is_heard_kept_and_never_taken_for_the_clips_own_words(
    runtime: Runtime, other: Typist, clip_id: str
) -> None:
    stored = assess_clip(runtime, clip_id)
    assert stored.feature_schema == schema_of(DEPTHS["thorough"])
    assert stored.features["second_disagreement"] == pytest.approx(2 / 6)
    assert "second_opinion" in stored.timings_s
    own, second = latest(runtime, clip_id), latest(runtime, clip_id, is_second=True)
    assert own is not None
    assert second is not None
    assert (own.text, second.text) == ("one two three", "one too three")
    assert library.details(runtime, clip_id).transcript == own.transcript
    assert second_opinion.find(runtime, clip_id, "pocketsphinx") == second.transcript

    again, once_more = assess_clip(runtime, clip_id), reassess(runtime, clip_id)
    assert other.num_calls == 1
    assert again.hypothesis_id == once_more.hypothesis_id == own.id
    assert once_more.predicted_wer == pytest.approx(stored.predicted_wer)


def test_the_depth_of_the_settings_holds_from_the_next_estimate_on(
    runtime: Runtime, other: Typist, clip_id: str
) -> None:
    preferences.set(runtime, "quality.depth", "standard")
    assert assess_clip(runtime, clip_id).feature_schema == schema_of(DEPTHS["standard"])
    assert other.num_calls == 0
    preferences.set(runtime, "quality.depth", "thorough")
    assert reassess(runtime, clip_id).features["second_disagreement"] > 0
    assert other.num_calls == 1


def test_what_the_settings_ask_for_is_computed_though_no_model_looks_at_it(
    runtime: Runtime,
    other: Typist,
    clip_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped = tmp_path / "shipped"
    folder = runtime.built_in_folder("standard")
    shutil.copytree(folder, shipped / "models" / folder.name)
    monkeypatch.setattr("workbench.runtime.bundled_path", shipped.joinpath)
    assert runtime.estimator().manifest.depth == "standard"
    assert (runtime.depth(), runtime.training_depth()) == ("thorough", "standard")
    stored = assess_clip(runtime, clip_id)
    assert stored.features["second_disagreement"] > 0
    store_review(runtime, clip_id, "one two tree")
    # The built-in examples know of no second opinion, and training goes on with them.
    assert len(lessons.gather(runtime, runtime.engine().engine).examples) == 1


def test_without_an_estimator_of_that_depth_another_one_serves(
    runtime: Runtime, other: Typist, clip_id: str
) -> None:
    preferences.set(runtime, "quality.depth", "fast")
    assert runtime.depth() == "standard"
    assert assess_clip(runtime, clip_id).feature_schema == schema_of(DEPTHS["standard"])


def test_an_estimate_does_without_a_second_recogniser_that_fails(
    runtime: Runtime, other: Typist, clip_id: str
) -> None:
    other.words = ""
    stored = assess_clip(runtime, clip_id)
    assert np.isnan(stored.features["second_disagreement"])
    assert latest(runtime, clip_id, is_second=True) is None


def test_a_champion_of_another_depth_keeps_its_features(
    runtime: Runtime, other: Typist, clip_id: str, both_depths: Path
) -> None:
    standard = runtime.built_in_estimator("standard")
    standard.save(runtime.settings.models_dir / "v1")
    owner = ("pocketsphinx", "en-us")
    with runtime.database.session() as session:
        promote(session, add_version(session, "v1", owner=owner))
    assert runtime.estimator(owner).manifest.depth == "standard"
    # What the settings ask for is computed, too: the next estimator may learn from it.
    assert runtime.depth(owner) == "thorough"
    stored = assess_clip(runtime, clip_id)
    assert stored.estimator == standard.manifest.id
    assert stored.feature_schema == schema_of(DEPTHS["thorough"])


def test_corrections_teach_with_their_second_opinion(
    runtime: Runtime, other: Typist, clip_id: str
) -> None:
    assess_clip(runtime, clip_id)
    store_review(runtime, clip_id, "one two tree")
    engine = runtime.engine().engine
    [example] = lessons.gather(runtime, engine).examples
    assert example.second is not None
    assert example.second.text == other.words
    preferences.set(runtime, "quality.depth", "standard")
    assert len(lessons.gather(runtime, engine).examples) == 1  # it holds what standard needs
