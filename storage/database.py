"""The one DuckDB file: one engine per process, a cursor per session, retries on conflicts."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import duckdb
import sqlalchemy as sa
from duckdb_engine import ConnectionWrapper, Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from qe_core.errors import ConflictError, StorageError
from storage.migrations import migrate

__all__ = ["CachingDialect", "Database", "Session", "note_change"]

T = TypeVar("T")

_URL = "duckdb+caching://"
_CHANGED = "changed"
_MAX_ATTEMPTS = 12
_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.2
# DuckDB would look for extensions on the network; everything we use is compiled in.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Database:
    """An open DuckDB database.

    DuckDB lets one process hold the file. Inside it every session works on a cursor of its own,
    because a connection that threads share mixes up their results.

    Args:
        path: the file, created when it is not there; ``None`` keeps everything in memory

    Raises:
        StorageError: another process holds the file, or it is no DuckDB database

    Examples:
        >>> with Database(None) as database:
        ...     applied = database.migrate()
        ...     database.write(
        ...         lambda session: session.connection().exec_driver_sql("SELECT 1").scalar()
        ...     )
        1
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._root = _connect(path)
        self._lock = threading.Lock()
        self._changes: Counter[str] = Counter()
        self._engine = sa.create_engine(_URL, creator=self._cursor, poolclass=NullPool)

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def migrate(self) -> tuple[int, ...]:
        """Bring the schema up to date.

        Returns:
            numbers of the migrations that were applied now

        Raises:
            StorageError: the file was written by a newer Werkbench
        """
        return migrate(self._engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction on a cursor of its own: committed at the end, rolled back on an error.

        Use it for reading; :meth:`write` also tries again when two writers collide.

        Raises:
            ConflictError: another transaction changed the same row
            StorageError: the database failed
        """
        session = Session(self._engine, expire_on_commit=False)
        try:
            yield session
            session.commit()
            with self._lock:
                self._changes.update(session.info.get(_CHANGED, ()))
        except DBAPIError as error:
            session.rollback()
            raise _readable(error) from error
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run a transaction, again from its start when it collides with another.

        Args:
            work: called with a fresh session; has to look before it inserts, and to change nothing
                outside the database, for it may be called several times

        Returns:
            what ``work`` returned the last time

        Raises:
            ConflictError: it still collided after all attempts
            StorageError: the database failed
        """
        for attempt in range(_MAX_ATTEMPTS):
            try:
                with self.session() as session:
                    return work(session)
            except _CollisionError:
                if attempt + 1 == _MAX_ATTEMPTS:
                    raise
                # Jitter, so that the same two do not meet again.
                pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt)
                time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
        raise AssertionError("unreachable")  # pragma: no cover - the loop returns or raises

    def num_changes(self, table: str) -> int:
        """How often a table changed for which :func:`note_change` is called.

        Whoever keeps something made from it asks this whether it still holds.
        """
        with self._lock:
            return self._changes[table]

    def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the file."""
        with self.session() as session:
            session.connection().exec_driver_sql("CHECKPOINT")

    def close(self) -> None:
        """Close the file; other processes may then open it."""
        self._engine.dispose()
        self._root.close()

    def _cursor(self) -> ConnectionWrapper:
        with self._lock:
            try:
                return ConnectionWrapper(self._root.cursor())
            except duckdb.ConnectionException as error:
                raise StorageError(
                    "The database is closed.", suggestion="Start Werkbench again.", code="closed"
                ) from error


def note_change(session: Session, table: str) -> None:
    """Let :meth:`Database.num_changes` count a change once the transaction is committed."""
    session.info.setdefault(_CHANGED, set()).add(table)


class CachingDialect(Dialect):
    """Compiles a statement once instead of every time: that took as long as DuckDB's answer."""

    supports_statement_cache = True


registry.register("duckdb.caching", __name__, "CachingDialect")


class _CollisionError(ConflictError):
    """Two transactions met; a conflict that a use case finds is no reason to try again."""


def _connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    try:
        if path is None:
            return duckdb.connect(":memory:", config=_CONFIG)
        path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), config=_CONFIG)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StorageError(
                f"{path}: another Werkbench uses this data folder.",
                suggestion="Stop the other one, or set WERKBENCH_DATA_DIR to another folder.",
                code="locked",
            ) from error
        raise StorageError(
            f"{path}: cannot be opened as a database ({_first_line(error)}).",
            suggestion="Restore it from a backup, or set WERKBENCH_DATA_DIR to another folder.",
            code="unreadable",
        ) from error
    except (duckdb.Error, OSError) as error:
        raise StorageError(
            f"{path}: cannot be opened as a database ({_first_line(error)}).",
            suggestion="Check that the data folder exists, is writable and holds an intact file.",
            code="unreadable",
        ) from error


def _readable(error: DBAPIError) -> ConflictError | StorageError:
    if isinstance(error.orig, duckdb.TransactionException | duckdb.ConstraintException):
        return _CollisionError(
            f"Somebody else changed the same thing at the same time ({_first_line(error.orig)}).",
            suggestion="Try again.",
        )
    return StorageError(
        f"The database failed ({_first_line(error.orig or error)}).",
        suggestion="Check that the disk has room, then start Werkbench again.",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
