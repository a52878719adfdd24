"""Second opinions are hypotheses of their own; the clip's own hypothesis is never one."""

import sqlalchemy as sa

__all__ = ["upgrade"]


def upgrade(connection: sa.Connection) -> None:
    """Add the column; nothing that is there is a second opinion."""
    connection.exec_driver_sql("ALTER TABLE hypotheses ADD COLUMN is_second BOOLEAN DEFAULT false")
