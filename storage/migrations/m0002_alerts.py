"""Alerts: what the rules found, when, and who took note of it."""

import sqlalchemy as sa

__all__ = ["upgrade"]

_SCHEMA = """
CREATE TABLE alerts (
    id VARCHAR PRIMARY KEY,
    rule VARCHAR NOT NULL,
    signal VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    summary VARCHAR NOT NULL,
    advice VARCHAR NOT NULL,
    bound DOUBLE NOT NULL,
    state VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    worst DOUBLE NOT NULL,
    started_at TIMESTAMP NOT NULL,
    measured_at TIMESTAMP NOT NULL,
    fired_at TIMESTAMP,
    clear_since TIMESTAMP,
    resolved_at TIMESTAMP,
    acknowledged_at TIMESTAMP,
    acknowledged_by VARCHAR,
    note VARCHAR NOT NULL,
    delivered_state VARCHAR
)
"""


def upgrade(connection: sa.Connection) -> None:
    """Create the table."""
    connection.exec_driver_sql(_SCHEMA)
