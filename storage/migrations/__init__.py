"""Numbered migrations: each turns the previous schema into its own, in one transaction.

A migration is a module ``mNNNN_name`` with an ``upgrade(connection)``; once released it is never
edited. The numbers that were applied stand in the table ``migrations``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from qe_core.errors import StorageError
from storage.columns import utc_now
from storage.migrations import (
    m0001_initial,
    m0002_alerts,
    m0003_desk,
    m0004_draft_layout,
    m0005_recognisers,
    m0006_lead,
    m0007_models,
    m0008_second_opinions,
)

__all__ = ["MIGRATIONS", "Migration", "migrate"]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from one schema to the next."""

    number: int
    name: str
    upgrade: Callable[[sa.Connection], None]


MIGRATIONS = (
    Migration(1, "initial", m0001_initial.upgrade),
    Migration(2, "alerts", m0002_alerts.upgrade),
    Migration(3, "desk", m0003_desk.upgrade),
    Migration(4, "draft_layout", m0004_draft_layout.upgrade),
    Migration(5, "recognisers", m0005_recognisers.upgrade),
    Migration(6, "lead", m0006_lead.upgrade),
    Migration(7, "models", m0007_models.upgrade),
    Migration(8, "second_opinions", m0008_second_opinions.upgrade),
)

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
)
"""


def migrate(engine: sa.Engine, migrations: tuple[Migration, ...] = MIGRATIONS) -> tuple[int, ...]:
    """Bring a database up to the newest schema.

    Args:
        engine: the database
        migrations: all known migrations, in order

    Returns:
        the numbers that were applied now

    Raises:
        StorageError: the database was written by a newer Werkbench
    """
    with engine.begin() as connection:
        connection.exec_driver_sql(_LEDGER)
        applied = {
            number for (number,) in connection.exec_driver_sql("SELECT number FROM migrations")
        }
    newest = max((migration.number for migration in migrations), default=0)
    if applied and max(applied) > newest:
        raise StorageError(
            f"This data folder has schema {max(applied)}; this Werkbench knows up to {newest}.",
            suggestion="Install the Werkbench that wrote it, or choose another data folder.",
            code="future_schema",
        )
    pending = [migration for migration in migrations if migration.number not in applied]
    for migration in pending:
        with engine.begin() as connection:
            migration.upgrade(connection)
            connection.execute(
                sa.text("INSERT INTO migrations VALUES (:number, :name, :now)"),
                {
                    "number": migration.number,
                    "name": migration.name,
                    "now": utc_now().replace(tzinfo=None),
                },
            )
    return tuple(migration.number for migration in pending)
