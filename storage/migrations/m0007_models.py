"""Estimators belong to an engine and a model; estimates of challengers lie apart.

The model stood in the id of an estimator only: ``quality-<engine>-<model>-<id of the version>``.
"""

import sqlalchemy as sa

__all__ = ["upgrade"]

_SCHEMA = """
ALTER TABLE model_versions ADD COLUMN model VARCHAR DEFAULT 'any';
ALTER TABLE model_versions ALTER COLUMN model SET NOT NULL;
ALTER TABLE promotions ADD COLUMN model VARCHAR DEFAULT 'any';
ALTER TABLE promotions ALTER COLUMN model SET NOT NULL;
CREATE TABLE shadow_estimates (
    id VARCHAR PRIMARY KEY,
    version_id VARCHAR NOT NULL,
    clip_id VARCHAR NOT NULL,
    assessment_id VARCHAR NOT NULL,
    predicted_wer DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    expected_errors DOUBLE NOT NULL,
    created_at TIMESTAMP NOT NULL
);
"""

_OF_VERSIONS = """
UPDATE model_versions
SET model = substr(
    estimator, length(engine) + 10, length(estimator) - length(engine) - length(id) - 10
)
WHERE kind = 'transcript' AND starts_with(estimator, 'quality-' || engine || '-')
    AND ends_with(estimator, '-' || id);
"""

# A return to the built-in estimator names no version: it undid the promotion before it.
_OF_PROMOTIONS = """
UPDATE promotions
SET model = coalesce(
    (SELECT v.model FROM model_versions v WHERE v.id = promotions.version_id),
    (
        SELECT v.model FROM promotions p JOIN model_versions v ON v.id = p.version_id
        WHERE p.kind = promotions.kind AND p.engine = promotions.engine AND p.id < promotions.id
        ORDER BY p.id DESC LIMIT 1
    ),
    model
);
"""


def upgrade(connection: sa.Connection) -> None:
    """Add the columns and the table, and say whose the versions of today are."""
    for statement in (_SCHEMA, _OF_VERSIONS, _OF_PROMOTIONS):
        connection.exec_driver_sql(statement)
