"""Recognisers that learnt from corrections, and which of them serves."""

import sqlalchemy as sa

__all__ = ["upgrade"]

_SCHEMA = """
CREATE TABLE recogniser_versions (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    base VARCHAR NOT NULL,
    base_version VARCHAR NOT NULL,
    engine_version VARCHAR NOT NULL,
    folder VARCHAR,
    report_json VARCHAR NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE recogniser_promotions (
    id VARCHAR PRIMARY KEY,
    version_id VARCHAR,
    action VARCHAR NOT NULL,
    engine_before VARCHAR NOT NULL,
    engine_after VARCHAR NOT NULL,
    actor VARCHAR,
    created_at TIMESTAMP NOT NULL
);
"""


def upgrade(connection: sa.Connection) -> None:
    """Make the tables."""
    connection.exec_driver_sql(_SCHEMA)
