"""The state of the installation in a few numbers: aggregated in the database, whatever its size."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from storage.columns import UtcDateTime, utc_now

__all__ = [
    "AuditedClip",
    "RecentEstimates",
    "failed_jobs",
    "list_newest_audits",
    "recent_estimates",
    "waiting_jobs",
]


@dataclass(frozen=True, slots=True)
class RecentEstimates:
    """Current estimates of the clips of the last while.

    Args:
        num_clips: assessed clips
        num_flagged: of these, flagged at the threshold
        expected_errors: sum of expected word errors
        expected_words: sum of expected reference words
    """

    num_clips: int
    num_flagged: int
    expected_errors: float
    expected_words: float


@dataclass(frozen=True, slots=True)
class AuditedClip:
    """An audit whose reviewer had an estimate to compare with.

    Args:
        clip_id: the clip
        errors: word errors found
        words: reference words
        expected_errors: word errors that were expected
        low: lower end of the interval of the predicted WER
        high: upper end
        recording: what the clip comes from; the clip itself when it is one of its own
    """

    clip_id: str
    errors: int
    words: int
    expected_errors: float
    low: float
    high: float
    recording: str


_RECENT_ESTIMATES = """
SELECT count(*), count(*) FILTER (must_review OR predicted_wer >= :threshold),
    coalesce(sum(expected_errors), 0.0), coalesce(sum(expected_words), 0.0)
FROM assessed_clips WHERE created_at >= :since
"""
_NEWEST_AUDITS = """
SELECT r.clip_id, r.substitutions + r.deletions + r.insertions,
    r.hits + r.substitutions + r.deletions, a.expected_errors, a.low, a.high,
    coalesce(c.recording, c.id)
FROM (
    SELECT * FROM reviews WHERE policy = 'audit' AND hits IS NOT NULL ORDER BY id DESC LIMIT :limit
) r JOIN assessments a ON a.id = r.assessment_id JOIN clips c ON c.id = r.clip_id
ORDER BY r.id
"""
_FAILED_JOBS = """
SELECT count(*) FILTER (state = 'failed'), count(*)
FROM jobs WHERE state IN ('failed', 'done') AND finished_at >= :since
"""
_WAITING_JOBS = """
SELECT count(*), min(created_at) FROM jobs WHERE state = 'queued' AND kind NOT IN :others
"""


def recent_estimates(session: Session, *, age: timedelta, threshold: float) -> RecentEstimates:
    """What is predicted for the clips that came in within this age, whenever it was estimated."""
    row = _one(session, _dated(_RECENT_ESTIMATES), since=utc_now() - age, threshold=threshold)
    return RecentEstimates(*row)


def list_newest_audits(session: Session, *, limit: int) -> list[AuditedClip]:
    """The newest audits that were not rejected, oldest first."""
    rows = session.connection().execute(sa.text(_NEWEST_AUDITS), {"limit": limit})
    return [AuditedClip(*row) for row in rows]


def failed_jobs(session: Session, *, age: timedelta) -> tuple[int, int]:
    """How many jobs failed, and how many ended at all, within this age."""
    num_failed, num_ended = _one(session, _dated(_FAILED_JOBS), since=utc_now() - age)
    return num_failed, num_ended


def waiting_jobs(
    session: Session, *, others: Collection[str] = ("",)
) -> tuple[int, datetime | None]:
    """How many jobs wait, and when the one that has waited longest was queued.

    Args:
        session: the session
        others: kinds of jobs that do not count
    """
    query = sa.text(_WAITING_JOBS).bindparams(sa.bindparam("others", expanding=True))
    columns = query.columns(sa.column("number", sa.Integer), sa.column("oldest", UtcDateTime))
    number, oldest = session.connection().execute(columns, {"others": list(others)}).one()
    return number, oldest


def _dated(query: str) -> sa.TextClause:
    return sa.text(query).bindparams(sa.bindparam("since", type_=UtcDateTime))


def _one(session: Session, query: sa.TextClause, **values: Any) -> Any:
    return session.connection().execute(query, values).one()
