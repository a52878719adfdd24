"""The schema: made, brought up to date, refused when it is from the future."""

from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from qe_core.errors import StorageError
from storage.columns import UtcDateTime
from storage.database import Database
from storage.migrations import MIGRATIONS, Migration, migrate
from storage.repositories import (
    alerts,
    assessments,
    claims,
    clips,
    drafts,
    events,
    hypotheses,
    jobs,
    models,
    preferences,
    reviews,
    statistics,
)

_V1 = Path(__file__).with_name("v1.sql")


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A data file as schema 1 left it."""
    path = tmp_path / "werkbench.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(_V1.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def engine() -> sa.Engine:
    """An empty database."""
    return sa.create_engine("duckdb:///:memory:")


def test_a_new_database_gets_every_migration_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "new.duckdb"
    with Database(path) as database:
        assert database.migrate() == tuple(migration.number for migration in MIGRATIONS)
        assert database.migrate() == ()
    with Database(path) as database:
        assert database.migrate() == ()


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("table", sorted(SQLModel.metadata.tables))
def test_tables_have_the_columns_that_the_migrations_made(table: str, database: Database) -> None:
    expected = {
        column.name: (_type_of(column), bool(column.nullable))
        for column in SQLModel.metadata.tables[table].columns
    }
    with database.session() as session:
        rows = session.connection().exec_driver_sql(f"DESCRIBE {table}")
        made = {name: (kind, null == "YES") for name, kind, null, *_ in rows}
    assert made == expected


def test_an_old_file_opens_with_every_row_in_it(old_file: Path) -> None:
    with Database(old_file) as database:
        database.migrate()
        with database.session() as session:
            assert clips.get(session, "c1").file_name == "a.wav"
            assert jobs.get(session, "j1").payload == {"force": True}
            assert hypotheses.get(session, "h1").transcript.text == "one two"
            assert hypotheses.get(session, "h1").speech[0].end_s == 0.9
            assessment = assessments.get(session, "a1")
            assert assessment is not None
            assert assessment.features["snr_db"] == 20.5
            assert assessment.estimate.predicted_wer == 0.25
            assert reviews.list_for_clip(session, "c1")[0].actual_wer == 0.5
            assert events.list_recent(session)[0].payload == {"n": 1}
            assert preferences.list_current(session)[0].value == 0.4
            assert claims.list_active(session) == []
            assert drafts.list_for_reviewer(session, "ann")[0].text == "one to"
            assert models.list_versions(session)[0].report == {"passed": True}
            assert models.list_promotions(session)[0].version_id == "v1"
            assert alerts.list_recent(session) == []


def test_an_old_file_gets_its_narrow_columns_and_mistakes(old_file: Path) -> None:
    with Database(old_file) as database:
        database.migrate()
        with database.session() as session:
            narrow = statistics.columns_of(session, "SELECT * FROM assessed_clips")
            mistakes = statistics.confusions(session, 5)
    assert (narrow["clip_id"].tolist(), narrow["recording"].tolist()) == (["c1"], ["c1"])
    assert narrow["predicted_wer"].tolist() == [0.25]
    assert mistakes["num_times"].sum() == 1


def test_versions_and_promotions_of_an_old_file_learn_their_model(old_file: Path) -> None:
    with duckdb.connect(str(old_file)) as connection:
        for number, (version, engine, model) in enumerate(
            [("v2", "whisper", "whisper-demo"), ("v3", "pocketsphinx", "en-us")]
        ):
            connection.execute(
                "INSERT INTO model_versions SELECT ?, ?, kind, ?, ?, manifest_json, report_json, "
                "actor, created_at FROM model_versions WHERE id = 'v1'",
                [version, f"quality-{engine}-{model}-{version}", engine, version],
            )
            for place, version_id in enumerate((version, None)):
                action = "promote" if version_id else "rollback"
                connection.execute(
                    "INSERT INTO promotions SELECT ?, kind, ?, ?, ?, actor, created_at "
                    "FROM promotions WHERE id = 'm1'",
                    [f"p{number}{place}", engine, version_id, action],
                )
    with Database(old_file) as database:
        database.migrate()
        with database.session() as session:
            versions = {item.id: item.model for item in models.list_versions(session)}
            promotions = {item.id: item.model for item in models.list_promotions(session)}
    assert versions == {"v1": "any", "v2": "whisper-demo", "v3": "en-us"}
    assert promotions == {
        "m1": "any",
        **dict.fromkeys(("p00", "p01"), "whisper-demo"),
        **dict.fromkeys(("p10", "p11"), "en-us"),
    }


def test_an_old_file_takes_new_rows(old_file: Path) -> None:
    with Database(old_file) as database:
        database.migrate()
        job = database.write(lambda session: jobs.add(session, "assess", clip_id="c1"))
        with database.session() as session:
            assert jobs.get(session, job.id) == job


def test_a_file_from_the_future_is_refused(old_file: Path) -> None:
    with duckdb.connect(str(old_file)) as connection:
        connection.execute("INSERT INTO migrations VALUES (999, 'tomorrow', now()::TIMESTAMP)")
    with Database(old_file) as database, pytest.raises(StorageError, match="schema 999") as caught:
        database.migrate()
    assert caught.value.code == "future_schema"
    assert "Install the Werkbench" in caught.value.suggestion


def test_only_pending_migrations_run_and_keep_the_rows(engine: sa.Engine) -> None:
    def add_note(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE events ADD COLUMN note VARCHAR")

    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO events VALUES ('e', 'noted', NULL, NULL, '{}', TIMESTAMP '2026-01-01')"
        )

    applied = migrate(engine, (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "note", add_note)))

    assert applied == (len(MIGRATIONS) + 1,)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id, note FROM events").all() == [("e", None)]


def test_a_migration_that_fails_leaves_the_schema_as_it_was(engine: sa.Engine) -> None:
    def fail_halfway(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE events ADD COLUMN note VARCHAR")
        raise RuntimeError("power cut")

    migrate(engine)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate(engine, (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "note", fail_halfway)))
    assert migrate(engine) == ()
    with engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql("DESCRIBE events")]
    assert "note" not in names


def _type_of(column: sa.Column[object]) -> str:
    """DuckDB's name of a column's type."""
    if column.name == "size_bytes":
        return "BIGINT"
    names = {
        sa.String: "VARCHAR",
        sa.Integer: "INTEGER",
        sa.Float: "DOUBLE",
        sa.Boolean: "BOOLEAN",
        UtcDateTime: "TIMESTAMP",
    }
    return next(
        name
        for kind, name in names.items()
        if isinstance(column.type, kind) or isinstance(getattr(column.type, "impl", None), kind)
    )
