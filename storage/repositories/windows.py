"""Columns of stretches of the stream: what the comparison of two windows needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from storage.repositories.narrow import FEATURES
from storage.repositories.statistics import Columns, columns_of

__all__ = [
    "NUMBERS",
    "Era",
    "Span",
    "audits",
    "count",
    "eras",
    "medians",
    "moments",
    "normaliser_change",
    "sample",
]

NUMBERS = ("duration_s", *FEATURES)
"""Columns of which a window can be asked."""

# Recordings are drawn by a hash, so that the same windows give the same sample at every look.
_SHARES = 100_000
_MICROSECOND = timedelta(microseconds=1)
_OF_ERA = "engine = ? AND version = ? AND feature_schema = ?"
_INSIDE = f"{_OF_ERA} AND created_at >= ? AND created_at < ?"


@dataclass(frozen=True, slots=True)
class Era:
    """Clips that compare with each other: written by one engine, described by the same features.

    Args:
        engine: name of the engine
        version: version of the engine and its model
        feature_schema: schema of the features
        estimator: that of its newest clip
        start: when its first clip came in, UTC
        end: when its newest came in
        num_clips: clips in it
    """

    engine: str
    version: str
    feature_schema: str
    estimator: str
    start: datetime
    end: datetime
    num_clips: int


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` on, before ``end``."""

    start: datetime
    end: datetime


def eras(session: Session) -> list[Era]:
    """All eras, that of the newest clip first."""
    found = columns_of(
        session,
        """
        SELECT engine, version, feature_schema, arg_max(estimator, created_at) AS estimator,
            min(created_at) AS start, max(created_at) AS stop, count(*) AS num_clips
        FROM assessed_clips GROUP BY engine, version, feature_schema
        ORDER BY stop DESC, num_clips
        """,
    )
    return [
        Era(
            str(engine),
            str(version),
            str(schema),
            str(estimator),
            _moment(start),
            _moment(stop),
            int(num_clips),
        )
        for engine, version, schema, estimator, start, stop, num_clips in zip(
            *found.values(), strict=True
        )
    ]


def count(session: Session, era: Era, span: Span) -> Columns:
    """How many clips a span holds, and when its first and last came in."""
    return columns_of(
        session,
        f"""
        SELECT count(*) AS num_clips, min(created_at) AS start, max(created_at) AS stop
        FROM assessed_clips WHERE {_INSIDE}
        """,  # noqa: S608 - a constant of this module
        _values(era, span),
    )


def moments(session: Session, era: Era, positions: Sequence[int]) -> list[datetime]:
    """When the clips at these positions of an era came in; the first is 0."""
    shares = [position / max(era.num_clips - 1, 1) for position in positions]
    points = columns_of(
        session,
        f"""
        SELECT unnest(quantile_disc(created_at, {shares!r})) AS at
        FROM assessed_clips WHERE {_OF_ERA}
        """,  # noqa: S608 - constants of this module and numbers
        _values(era),
    )["at"]
    return [_moment(point) for point in points]


def sample(session: Session, era: Era, span: Span, max_clips: int) -> Columns:
    """Clips of whole recordings, about ``max_clips`` of them, in the order in which they came in.

    The predicted WER of a clip that another estimator judged than the era's newest is NaN.
    """
    return columns_of(
        session,
        f"""
        SELECT clip_id, recording, source, created_at, expected_errors, expected_words,
            {", ".join(NUMBERS)}, CASE WHEN estimator = ? THEN predicted_wer END AS predicted_wer
        FROM assessed_clips
        WHERE {_INSIDE} AND hash(recording) % {_SHARES} < ?
        ORDER BY created_at, clip_id
        """,  # noqa: S608 - constants of this module
        [
            era.estimator,
            *_values(era, span),
            _share(max_clips, int(count(session, era, span)["num_clips"][0])),
        ],
    )


def audits(session: Session, era: Era, normaliser: str | None) -> Columns:
    """What audits of an era found: errors beyond the estimate per word, and whether inside it."""
    return columns_of(
        session,
        """
        SELECT n.clip_id, n.recording, n.source, n.created_at,
            (r.substitutions + r.deletions + r.insertions)::DOUBLE AS errors,
            (r.hits + r.substitutions + r.deletions)::DOUBLE AS words,
            a.expected_errors, a.predicted_wer, a.low, a.high
        FROM reviews r
        JOIN assessed_clips n ON n.clip_id = r.clip_id
        JOIN assessments a ON a.id = r.assessment_id
        WHERE r.policy = 'audit' AND r.hits + r.substitutions + r.deletions > 0
            AND r.normaliser IS NOT DISTINCT FROM ? AND n.engine = ? AND n.version = ?
            AND n.feature_schema = ?
            AND r.id IN (SELECT max(id) FROM reviews GROUP BY clip_id)
        ORDER BY n.created_at, n.clip_id
        """,
        [normaliser, *_values(era)],
    )


def normaliser_change(session: Session) -> tuple[str | None, datetime | None]:
    """The normaliser of the newest review, and since when it counts if another did before."""
    found = columns_of(
        session,
        """
        SELECT normaliser, min(created_at) AS start FROM reviews WHERE hits IS NOT NULL
        GROUP BY normaliser ORDER BY max(id) DESC
        """,
    )
    names = found["normaliser"]
    if len(names) == 0:
        return None, None
    return str(names[0]), _moment(found["start"][0]) if len(names) > 1 else None


def medians(session: Session, era: Era, span: Span, width: timedelta, max_clips: int) -> Columns:
    """Medians of all :data:`NUMBERS` and the pooled predicted WER by stretches of time.

    Args:
        session: the session
        era: whose clips
        span: from when until when
        width: length of a stretch
        max_clips: at most about so many clips, of whole recordings, stand for all stretches

    Returns:
        one row per stretch in which clips came in; NaN where nothing is defined
    """
    share = _share(max_clips, int(count(session, era, span)["num_clips"][0]))
    values = [*_values(era, span)]
    return columns_of(
        session,
        f"""
        WITH pooled AS (
            SELECT time_bucket(to_microseconds(?), created_at) AS bucket, min(created_at) AS at,
                count(*) AS num_clips,
                sum(expected_errors) FILTER (estimator = ?)
                    / nullif(sum(expected_words) FILTER (estimator = ?), 0) AS predicted_wer
            FROM assessed_clips WHERE {_INSIDE} GROUP BY 1
        ), drawn AS (
            SELECT time_bucket(to_microseconds(?), created_at) AS bucket,
                {", ".join(f"median({name}) AS {name}" for name in NUMBERS)}
            FROM assessed_clips WHERE {_INSIDE} AND hash(recording) % {_SHARES} < ? GROUP BY 1
        )
        SELECT pooled.*, drawn.* EXCLUDE (bucket)
        FROM pooled LEFT JOIN drawn ON drawn.bucket = pooled.bucket ORDER BY pooled.bucket
        """,  # noqa: S608 - constants of this module
        [
            width // _MICROSECOND,
            era.estimator,
            era.estimator,
            *values,
            width // _MICROSECOND,
            *values,
            share,
        ],
    )


def _share(max_clips: int, num_clips: int) -> int:
    return math.ceil(_SHARES * max_clips / max(num_clips, 1))


def _values(era: Era, span: Span | None = None) -> list[Any]:
    times = [] if span is None else [span.start, span.end]
    return [
        era.engine,
        era.version,
        era.feature_schema,
        *(moment.replace(tzinfo=None) for moment in times),
    ]


def _moment(value: Any) -> datetime:
    moment: datetime = value.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)
