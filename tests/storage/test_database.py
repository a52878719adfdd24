"""One file, one process, one cursor per session, retries on conflicts."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from qe_core.errors import ConflictError, StorageError
from storage.database import Database, Session
from storage.ids import new_id
from storage.repositories import drafts, events


def test_a_session_commits_at_its_end(database: Database) -> None:
    with database.session() as session:
        events.add(session, "noted", payload={"n": 1})
    with database.session() as session:
        assert [event.payload for event in events.list_recent(session)] == [{"n": 1}]


def test_a_session_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.session() as session:
            events.add(session, "noted")
            raise KeyError("no")

    with pytest.raises(KeyError):
        fail()
    with database.session() as session:
        assert events.list_recent(session) == []


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Database(path) as database:
        database.migrate()
        event = database.write(lambda session: events.add(session, "noted", actor="ann"))
    with Database(path) as database, database.session() as session:
        assert events.list_recent(session) == [event]


def test_sessions_do_not_see_what_others_have_not_committed(database: Database) -> None:
    with database.session() as writing:
        events.add(writing, "noted")
        with database.session() as reading:
            assert events.list_recent(reading) == []


def test_threads_that_change_one_row_all_succeed_by_trying_again(database: Database) -> None:
    def add_one(_: int) -> None:
        def work(session: Session) -> None:
            before = drafts.find(session, "clip", "ann")
            drafts.save(session, "clip", "ann", str(int(before.text) + 1 if before else 1))

        database.write(work)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add_one, range(30)))
    with database.session() as session:
        draft = drafts.find(session, "clip", "ann")
    assert draft is not None
    assert draft.text == "30"


def test_threads_inserting_at_once_lose_nothing(database: Database) -> None:
    def insert(number: int) -> None:
        database.write(lambda session: events.add(session, "noted", payload={"n": number}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(80)))
    with database.session() as session:
        found = {event.payload["n"] for event in events.list_recent(session, limit=1000)}
    assert found == set(range(80))


def test_threads_reading_at_once_each_get_their_own_rows(database: Database) -> None:
    def read(number: int) -> int:
        with database.session() as session:
            query = sa.text("SELECT :n + i * 0 FROM range(50) t(i)")
            rows = session.connection().execute(query, {"n": number}).scalars().all()
        assert set(rows) == {number}
        return len(rows)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(100))) == [50] * 100


def test_a_conflict_that_does_not_go_away_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database._FIRST_PAUSE_S", 0.0)
    attempts = []

    def collide(session: Session) -> None:
        attempts.append(1)
        drafts.save(session, "clip", "ann", "mine")
        with database.session() as other:
            drafts.save(other, "clip", "ann", f"theirs {len(attempts)}")

    with pytest.raises(ConflictError, match="at the same time"):
        database.write(collide)
    assert len(attempts) > 3


def test_a_conflict_that_the_work_itself_finds_is_not_tried_again(database: Database) -> None:
    attempts = []

    def refuse(_session: Session) -> None:
        attempts.append(1)
        raise ConflictError("Taken.", suggestion="Choose another.")

    with pytest.raises(ConflictError, match="Taken"):
        database.write(refuse)
    assert len(attempts) == 1


def test_an_error_of_the_database_is_a_storage_error(database: Database) -> None:
    with pytest.raises(StorageError, match="no_such_table"), database.session() as session:
        session.connection().exec_driver_sql("SELECT * FROM no_such_table")


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.duckdb")
    database.close()
    with pytest.raises(StorageError, match="closed"), database.session() as session:
        events.list_recent(session)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        Database(path)
    assert caught.value.code == "unreadable"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be opened"):
        Database(tmp_path / "file" / "a.duckdb")


@pytest.mark.slow
def test_a_data_folder_in_use_by_another_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match="another Werkbench uses this data folder") as caught:
            Database(path)
        other.communicate("\n")
    assert caught.value.code == "locked"
    assert "WERKBENCH_DATA_DIR" in caught.value.suggestion
    with Database(path) as database:
        database.migrate()


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert {len(made) for made in ids} == {26}


def test_threads_never_make_the_same_id() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    barrier = threading.Barrier(8)

    def make(mine: list[str]) -> None:
        barrier.wait()
        mine.extend(new_id() for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, made))
    assert len({one for mine in made for one in mine}) == 1600


def test_a_checkpoint_moves_everything_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Database(path) as database:
        database.migrate()
        database.write(lambda session: events.add(session, "noted"))
        database.checkpoint()
        assert not path.with_name(path.name + ".wal").exists()
