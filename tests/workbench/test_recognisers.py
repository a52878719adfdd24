"""Which recogniser serves: promotion, rollback, and engines that are chosen by hand in between."""

import shutil
from pathlib import Path

import pytest

from qe_core.config import load_settings
from qe_core.errors import ConflictError, ForbiddenError, NotFoundError
from storage.database import Session
from storage.repositories import events, jobs
from tests.finetune_fixtures import store_version
from tests.stored_versions import add_version
from workbench import champions, people, preferences, recognisers
from workbench.runtime import Runtime


def engine(runtime: Runtime) -> str:
    return preferences.get(runtime).engine.name.rpartition("/")[2]


def states(runtime: Runtime) -> dict[str, str]:
    return {version.name: version.state for version in recognisers.versions(runtime)}


def test_a_promoted_version_is_what_the_settings_ask_for(runtime: Runtime) -> None:
    first = store_version(runtime, "first")

    recognisers.promote(runtime, first, "ann")

    name, _, folder = preferences.get(runtime).engine.name.partition(":")
    assert name == "whisper"
    assert (Path(folder) / "model.bin").read_bytes() == b"weights"
    assert Path(folder).is_absolute()
    assert states(runtime) == {"first": "champion"}
    with runtime.database.session() as session:
        event = events.list_recent(session, kind="model.promoted")[0]
    assert (event.actor, event.payload["version_id"]) == ("ann", first)


def test_rollback_goes_back_one_recogniser_at_a_time(runtime: Runtime) -> None:
    for name in ("first", "second"):
        recognisers.promote(runtime, store_version(runtime, name))

    assert recognisers.rollback(runtime, "ann").endswith("/first")
    assert states(runtime) == {"second": "retired", "first": "champion"}
    assert recognisers.rollback(runtime) == "pocketsphinx"
    assert states(runtime) == {"second": "retired", "first": "retired"}
    with pytest.raises(ConflictError, match="none to go back from"):
        recognisers.rollback(runtime)
    with runtime.database.session() as session:
        assert len(events.list_recent(session, kind="model.rolled_back")) == 2


def test_after_a_rollback_another_promotion_begins_where_it_is(runtime: Runtime) -> None:
    first, second = store_version(runtime, "first"), store_version(runtime, "second")
    recognisers.promote(runtime, first)
    recognisers.rollback(runtime)
    recognisers.promote(runtime, second)

    assert recognisers.rollback(runtime) == "pocketsphinx"


def test_an_engine_chosen_by_hand_is_no_promotion_to_undo(runtime: Runtime) -> None:
    recognisers.promote(runtime, store_version(runtime, "first"))
    preferences.set(runtime, "engine.name", "auto")
    second = store_version(runtime, "second")

    with pytest.raises(ConflictError, match="none to go back from"):
        recognisers.rollback(runtime)
    recognisers.promote(runtime, second)

    assert recognisers.rollback(runtime) == "auto"
    assert engine(runtime) == "auto"


def test_a_version_chosen_as_the_engine_by_hand_is_champion_too(runtime: Runtime) -> None:
    first = store_version(runtime, "first")
    recognisers.promote(runtime, first)
    folder = preferences.get(runtime).engine.name.partition(":")[2]
    recognisers.rollback(runtime)
    preferences.set(runtime, "engine.whisper_model", folder)
    preferences.set(runtime, "engine.name", "whisper")

    assert states(runtime) == {"first": "champion"}
    with pytest.raises(ConflictError, match="serves already"):
        recognisers.promote(runtime, first)


def test_a_refused_version_says_why_it_cannot_serve(runtime: Runtime) -> None:
    refused = store_version(runtime, "first", is_refused=True)

    with pytest.raises(ConflictError, match="was refused: WER falls by 10 points"):
        recognisers.promote(runtime, refused)
    assert states(runtime) == {"first": "refused"}


def test_a_version_without_files_or_row_cannot_serve(runtime: Runtime) -> None:
    first, second = store_version(runtime, "first"), store_version(runtime, "second")
    recognisers.promote(runtime, first)
    recognisers.promote(runtime, second)
    shutil.rmtree(runtime.settings.recognisers_dir / first)

    with pytest.raises(NotFoundError, match="files of first are gone"):
        recognisers.rollback(runtime)
    with pytest.raises(NotFoundError, match="files of first are gone"):
        recognisers.promote(runtime, first)
    with pytest.raises(NotFoundError, match="no recogniser version"):
        recognisers.promote(runtime, "nope")
    assert engine(runtime) == "second"


def test_only_admins_change_what_serves(runtime: Runtime) -> None:
    first = store_version(runtime, "first")
    people.sign_in(runtime, "ann", is_new_admin=True)
    people.sign_in(runtime, "bob")

    with pytest.raises(ForbiddenError):
        recognisers.promote(runtime, first, "bob")
    recognisers.promote(runtime, first, "ann")
    with pytest.raises(ForbiddenError):
        recognisers.rollback(runtime, "bob")


def test_a_promotion_outlives_a_restart(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data", engine={"name": "pocketsphinx"})
    runtime = Runtime(settings)
    recognisers.promote(runtime, store_version(runtime, "first"))
    runtime.close()

    runtime = Runtime(settings)
    assert states(runtime) == {"first": "champion"}
    runtime.close()


def test_a_fine_tuned_recogniser_is_judged_by_its_parents_estimator_until_it_has_one(
    runtime: Runtime,
) -> None:
    parent, child = ("whisper", "whisper-demo"), ("whisper", "second")
    recognisers.promote(runtime, store_version(runtime, "first", base="whisper-demo"))
    recognisers.promote(runtime, store_version(runtime, "second", base="first"))

    served = runtime.estimator()

    assert runtime.owner() == child
    assert runtime.inherits_from() == parent
    assert served.manifest.id == runtime.estimator(parent).manifest.id
    assert (served.manifest.engine, served.manifest.model) == child
    assert champions.versions(runtime)[-1].estimator == served.manifest.id

    _give(runtime, child)

    assert runtime.inherits_from() is None
    assert runtime.estimator().manifest.id == runtime.built_in_estimator().manifest.id

    recognisers.rollback(runtime)
    recognisers.rollback(runtime)
    preferences.set(runtime, "engine.name", "whisper:models/whisper-demo")

    assert runtime.owner() == parent
    assert runtime.inherits_from() is None
    assert runtime.estimator().manifest.id == served.manifest.id


def test_clips_of_a_fine_tuned_recogniser_are_estimated_again_with_those_of_its_parent(
    runtime: Runtime,
) -> None:
    store_version(runtime, "first", base="whisper-demo")
    store_version(runtime, "second", base="first")
    store_version(runtime, "other", base="whisper-base")
    store_version(runtime, "refused", base="whisper-demo", is_refused=True)

    _give(runtime, ("whisper", "whisper-demo"))

    with runtime.database.session() as session:
        queued = [job.payload["model"] for job in jobs.list_recent(session)]
    assert sorted(queued) == ["first", "second", "whisper-demo"]


def test_a_recogniser_from_elsewhere_inherits_nothing(runtime: Runtime) -> None:
    assert runtime.inherits_from(("whisper", "base")) is None
    assert runtime.inherits_from(("echo", "first")) is None


def _give(runtime: Runtime, owner: tuple[str, str]) -> None:
    """Let a recogniser have an estimator of its own."""
    runtime.built_in_estimator().save(runtime.settings.models_dir / "own")

    def work(session: Session) -> None:
        version = add_version(session, "own", owner=owner)
        champions.add_promotion(session, owner, version.id, "promote", None)

    runtime.database.write(work)
