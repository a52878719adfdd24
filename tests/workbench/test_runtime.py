"""What a process holds: opened once, swept, with a champion that always loads."""

import hashlib
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qe_core.asr.base import Progress
from qe_core.asr.provider import Resolved
from qe_core.config import EngineSettings, Settings, bundled_path
from qe_core.errors import EngineError, StorageError
from storage.database import Database
from storage.records import ModelVersion
from storage.repositories import events, hypotheses, models
from tests.builders import add_assessment, add_clip, add_hypothesis
from tests.stored_versions import add_version, promote
from workbench import champions, intake, preferences, profiles
from workbench import runtime as runtime_module
from workbench.runtime import (
    BUILT_IN_AUDIO,
    BUILT_IN_TRANSCRIPT,
    Runtime,
    close_runtime,
    get_runtime,
)


class _Engine:
    model = "test"
    version = "1"

    def __init__(self, name: str) -> None:
        self.name = name


def _promote(
    runtime: Runtime, folder: str, *, owner: tuple[str, str] = ("pocketsphinx", "en-us")
) -> ModelVersion:
    with runtime.database.session() as session:
        version = add_version(session, folder, owner=owner)
        promote(session, version)
    return version


def test_a_crash_between_file_and_row_is_swept_at_the_next_start(
    settings: Settings, speech_wav: bytes
) -> None:
    first = Runtime(settings)
    kept = intake.submit(first, speech_wav, file_name="a.wav")
    orphan = b"its row was never written" * 100
    with first.media.receive(orphan, name="b.wav", max_bytes=10**6) as incoming:
        place = first.media.keep(incoming)
    (settings.media_dir / "incoming" / "half.part").write_bytes(b"half an upload")
    first.close()

    second = Runtime(settings)
    try:
        assert not place.exists()
        assert list((settings.media_dir / "incoming").iterdir()) == []
        assert second.media.path(kept.clip_id).read_bytes() == speech_wav
    finally:
        second.close()


def test_a_lost_database_does_not_take_the_audio_with_it(
    settings: Settings, speech_wav: bytes
) -> None:
    first = Runtime(settings)
    clip_id = intake.submit(first, speech_wav, file_name="a.wav").clip_id
    first.close()
    settings.database_path.unlink()

    second = Runtime(settings)
    try:
        assert second.media.path(clip_id).exists()
        assert not intake.submit(second, speech_wav, file_name="a.wav").is_duplicate
    finally:
        second.close()


def test_a_clip_without_its_file_does_not_keep_werkbench_from_starting(settings: Settings) -> None:
    first = Runtime(settings)
    with first.database.session() as session:
        add_clip(session, hashlib.sha256(b"gone").hexdigest())
    first.close()
    Runtime(settings).close()


def test_a_start_that_fails_lets_go_of_the_database(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.media_dir.write_text("in the way")
    with pytest.raises(StorageError):
        Runtime(settings)
    Database(settings.database_path).close()


def test_the_process_has_one_runtime(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.setenv("WERKBENCH_DATA_DIR", str(tmp_path / "own"))
    monkeypatch.setattr(runtime_module, "configure_logging", lambda _settings: None)
    barrier = threading.Barrier(4)

    def get(_: int) -> Runtime:
        barrier.wait()
        return get_runtime()

    try:
        with ThreadPoolExecutor(4) as pool:
            opened = set(pool.map(get, range(4)))
        assert len(opened) == 1
        assert opened.pop().settings.data_dir == tmp_path / "own"
    finally:
        close_runtime()
    close_runtime()
    Database(tmp_path / "own" / "werkbench.duckdb").close()


def test_the_recogniser_is_loaded_once_and_again_when_another_is_chosen(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def resolve(settings: EngineSettings, on_progress: Progress | None = None) -> Resolved:
        loaded.append(settings.name)
        return Resolved(_Engine(settings.name), "because")  # type: ignore[arg-type]  # names only

    monkeypatch.setattr(runtime_module, "resolve_engine", resolve)
    assert runtime.loaded_engine() is None
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: runtime.engine(), range(8)))
    assert len({id(engine) for engine in engines}) == 1
    preferences.set(runtime, "engine.name", "whisper")
    assert runtime.engine().engine.name == "whisper"
    assert loaded == ["pocketsphinx", "whisper"]
    assert runtime.loaded_engine() is runtime.engine()


def test_a_recogniser_that_cannot_be_loaded_is_told_each_time(runtime: Runtime) -> None:
    preferences.set(runtime, "engine.name", "ghost")
    for _ in range(2):
        with pytest.raises(EngineError, match="ghost"):
            runtime.engine()


def test_without_a_promotion_the_built_in_estimator_serves(runtime: Runtime) -> None:
    built_in = runtime.estimator()
    assert built_in.manifest.kind == "transcript"
    assert built_in.manifest.engine == "pocketsphinx"
    assert runtime.estimator(("pocketsphinx", "en-us")) is built_in


def test_a_recogniser_without_an_estimator_gets_the_one_for_any(runtime: Runtime) -> None:
    serving = runtime.estimator(("whisper", "base"))
    assert serving.manifest.id.startswith("quality-any-any")
    assert serving.profile is None
    assert runtime.audio_estimator().manifest.kind == "audio"
    preferences.set(runtime, "engine.name", "whisper:base")
    assert runtime.estimator() == serving
    assert runtime.built_in_estimator().manifest.id == serving.manifest.id
    (listed,) = champions.versions(runtime)
    assert (listed.estimator, listed.state) == (serving.manifest.id, "champion")


def test_ranks_are_taken_from_the_recognisers_own_clips_once_there_are_thirty(
    runtime: Runtime,
) -> None:
    def write(numbers: range) -> None:
        with runtime.database.session() as session:
            for number in numbers:
                clip_id = f"{number:064}"
                add_clip(session, clip_id)
                written = add_hypothesis(session, clip_id, engine="whisper", model="base")
                for confidence in (0.0, number / 100):
                    features = {"confidence_mean": confidence, "duration_s": 1.0}
                    add_assessment(session, written, features=features)

    def median() -> float | None:
        profile = runtime.estimator(("whisper", "base")).profile
        return None if profile is None else profile.quantiles["confidence_mean"][32]

    write(range(29))
    assert median() is None
    write(range(29, 31))
    assert median() == pytest.approx(0.145)
    assert runtime.estimator(("whisper", "tiny")).profile is None
    write(range(31, 36))
    assert median() == pytest.approx(0.145)  # not worth another look yet
    assert runtime.estimator(("whisper", "base")).id.endswith("@30")
    write(range(36, 41))
    assert median() == pytest.approx(0.18)
    assert runtime.estimator(("whisper", "base")).id.endswith("@37")


def test_a_profile_is_the_same_after_a_restart_and_whatever_comes_later(runtime: Runtime) -> None:
    with runtime.database.session() as session:
        for number in range(40):
            clip_id = f"{number:064}"
            add_clip(session, clip_id)
            written = add_hypothesis(session, clip_id, engine="whisper", model="base")
            add_assessment(session, written, features={"confidence_mean": number / 100})
    owner = ("whisper", "base")
    taken = profiles.take(runtime, owner, 37)
    with runtime.database.session() as session:
        for number in range(40):
            written = hypotheses.find_latest(session, f"{number:064}")
            assert written is not None
            add_assessment(session, written, features={"confidence_mean": 0.9})

    assert profiles.Profiles().of(runtime, owner) != taken.profile  # estimated again since
    assert profiles.take(runtime, owner, 37, taken.until) == taken


def test_under_auto_the_built_in_estimator_is_shown_until_an_engine_is_loaded(
    runtime: Runtime,
) -> None:
    preferences.set(runtime, "engine.name", "auto")
    assert runtime.estimator().manifest.engine == "pocketsphinx"


def test_the_promoted_estimator_serves_until_it_is_rolled_back(runtime: Runtime) -> None:
    built_in = runtime.estimator()
    shutil.copytree(bundled_path("models", BUILT_IN_TRANSCRIPT), runtime.settings.models_dir / "v1")
    version = _promote(runtime, "v1")
    promoted = runtime.estimator()
    assert promoted is not built_in
    assert runtime.model_folder(version) == runtime.settings.models_dir / "v1"
    assert runtime.estimator(("whisper", "base")).manifest.engine == "any"
    with runtime.database.session() as session:
        models.add_promotion(
            session,
            kind="transcript",
            engine="pocketsphinx",
            model="en-us",
            version_id=None,
            action="rollback",
        )
    assert runtime.estimator() is built_in


def test_a_promoted_estimator_serves_its_own_model_alone(runtime: Runtime) -> None:
    shutil.copytree(bundled_path("models", BUILT_IN_TRANSCRIPT), runtime.settings.models_dir / "v1")
    version = _promote(runtime, "v1", owner=("whisper", "base"))
    assert runtime.estimator(("whisper", "base")) is runtime.version(version)
    demo = runtime.estimator(("whisper", "whisper-demo")).manifest
    assert (demo.engine, demo.model) == ("whisper", "whisper-demo")
    assert demo.id != version.estimator


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("auto", ("pocketsphinx", "en-us")),
        ("pocketsphinx", ("pocketsphinx", "en-us")),
        ("whisper:models/whisper-demo", ("whisper", "whisper-demo")),
        ("whisper", ("whisper", "base")),
    ],
)
def test_the_settings_say_whose_transcripts_there_will_be(
    runtime: Runtime, name: str, owner: tuple[str, str]
) -> None:
    preferences.set(runtime, "engine.name", name)
    assert runtime.owner() == owner


@pytest.mark.parametrize("damage", ["missing", "broken manifest", "broken trees", "other features"])
def test_a_damaged_champion_is_replaced_by_the_built_in_one_and_noted_once(
    runtime: Runtime, damage: str
) -> None:
    folder = runtime.settings.models_dir / "v1"
    shutil.copytree(bundled_path("models", BUILT_IN_TRANSCRIPT), folder)
    if damage == "missing":
        shutil.rmtree(folder)
    elif damage == "broken manifest":
        (folder / "manifest.json").write_text("{")
    elif damage == "other features":
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["schema"] = "acoustic@0:1"
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    else:
        (folder / "errors.ubj").write_bytes(b"broken")
    version = _promote(runtime, "v1")

    for _ in range(2):
        assert runtime.estimator().manifest.engine == "pocketsphinx"

    with runtime.database.session() as session:
        (event,) = events.list_recent(session, kind="champion_damaged")
    assert event.payload["version_id"] == version.id


def test_a_promotion_of_a_version_that_is_gone_falls_back(runtime: Runtime) -> None:
    with runtime.database.session() as session:
        models.add_promotion(
            session,
            kind="audio",
            engine="any",
            model="any",
            version_id="gone",
            action="promote",
        )
    assert runtime.audio_estimator().manifest.kind == "audio"


def test_built_in_models_travel_with_werkbench() -> None:
    for name in (BUILT_IN_TRANSCRIPT, BUILT_IN_AUDIO):
        assert bundled_path("models", name, "manifest.json").is_file()
