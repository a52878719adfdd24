"""Drafts remember where their rows begin and end, when a reviewer cut them otherwise."""

import sqlalchemy as sa

__all__ = ["upgrade"]


def upgrade(connection: sa.Connection) -> None:
    """Add the layout of drafts."""
    connection.exec_driver_sql("ALTER TABLE drafts ADD COLUMN layout_json VARCHAR")
