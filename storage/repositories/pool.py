"""What a draw chooses from: numbers of all clips that wait, narrowed by a filter, quickly."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.derived import QueueEntries
from storage.records import Claim, QueueEntry
from storage.repositories.mapping import to_record, to_records
from storage.tables import Claims, Skips

__all__ = [
    "Choices",
    "Pool",
    "QueueFilter",
    "clip_in",
    "is_any_free",
    "list_choices",
    "list_owed_audits",
    "list_waiting",
    "num_waiting",
    "oldest_second",
    "waiting_pool",
]

Values = npt.NDArray[np.float64]
Conditions = list[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which clips somebody wants to work on; ``None`` leaves it open.

    Args:
        source: how the clip came in
        language: of its transcript
        speaker: who speaks, where that is known
        reason: one of the sentences that say why it is expected to be wrong
        min_age_days: came at least so long ago
        max_age_days: came at most so long ago
        min_duration_s: at least so long
        max_duration_s: at most so long
        is_flagged_only: only clips whose review is recommended
    """

    source: str | None = None
    language: str | None = None
    speaker: str | None = None
    reason: str | None = None
    min_age_days: float | None = None
    max_age_days: float | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    is_flagged_only: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether every clip passes."""
        return self == QueueFilter()


@dataclass(frozen=True, slots=True)
class Pool:
    """The clips of one draw; all arrays have the shape ``(num_clips,)``.

    Args:
        rows: where each lies in the table, valid within the transaction
        yields: expected errors per audio second
        widths: width of the prediction interval of the WER
    """

    rows: npt.NDArray[np.int64]
    yields: Values
    widths: Values


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be filtered by: the values that waiting clips have, in alphabetical order."""

    sources: tuple[str, ...]
    languages: tuple[str, ...]
    speakers: tuple[str, ...]
    reasons: tuple[str, ...]


def waiting_pool(session: Session, reviewer: str, wanted: QueueFilter, threshold: float) -> Pool:
    """The clips without a review that nobody holds and that this reviewer has not put off.

    Args:
        session: the session
        reviewer: who draws
        wanted: the filter
        threshold: predicted WER from which a clip is flagged
    """
    row: sa.ColumnClause[int] = sa.literal_column("queue_entries.rowid")
    errors = col(QueueEntries.expected_errors)
    query: Any = sa.select(
        row.label("r"),
        (errors / sa.func.greatest(col(QueueEntries.duration_s), 1e-3)).label("y"),
        (col(QueueEntries.high) - col(QueueEntries.low)).label("w"),
    ).where(col(QueueEntries.stage) == "open", *_conditions(wanted, threshold))
    found = _arrays(session, query)
    # Looking up the few that are not free and taking them out here is three times as fast as a
    # query that compares every clip's id with theirs.
    taken = sa.select(row.label("r")).where(col(QueueEntries.clip_id).in_(_taken_from(reviewer)))
    is_free = ~np.isin(found["r"], _arrays(session, taken)["r"])
    return Pool(found["r"][is_free], found["y"][is_free], found["w"][is_free])


def clip_in(session: Session, row: int) -> str:
    """The clip in a row of the pool."""
    query = sa.text("SELECT clip_id FROM queue_entries WHERE rowid = :row")
    return str(session.connection().execute(query, {"row": row}).scalar_one())


def list_waiting(
    session: Session, wanted: QueueFilter, threshold: float, *, limit: int
) -> list[QueueEntry]:
    """Clips without a review, held ones included, those that repay most first."""
    rate = col(QueueEntries.expected_errors) / sa.func.greatest(col(QueueEntries.duration_s), 1e-3)
    query = (
        select(QueueEntries)
        .where(QueueEntries.stage == "open", *_conditions(wanted, threshold))
        .order_by(rate.desc(), col(QueueEntries.clip_id))
        .limit(limit)
    )
    return to_records(QueueEntry, session.exec(query))


def num_waiting(session: Session, wanted: QueueFilter, threshold: float) -> int:
    """How many clips without a review pass the filter."""
    query = (
        select(sa.func.count())
        .select_from(QueueEntries)
        .where(QueueEntries.stage == "open", *_conditions(wanted, threshold))
    )
    return int(session.exec(query).one())


def oldest_second(
    session: Session, reviewer: str, wanted: QueueFilter, threshold: float
) -> QueueEntry | None:
    """The clip that has waited longest for a second person, if this one can be that person."""
    query = (
        select(QueueEntries)
        .where(
            QueueEntries.stage == "second",
            QueueEntries.first_reviewer != reviewer,
            *_conditions(wanted, threshold),
            col(QueueEntries.clip_id).not_in(_taken_from(reviewer)),
        )
        .order_by(col(QueueEntries.came_at), col(QueueEntries.clip_id))
        .limit(1)
    )
    row = session.exec(query).first()
    return None if row is None else to_record(QueueEntry, row)


def is_any_free(session: Session, reviewer: str, wanted: QueueFilter, threshold: float) -> bool:
    """Whether anything waits for a reviewer that nobody holds, put off or not."""
    held = select(Claims.clip_id).where(Claims.expires_at > utc_now())
    query = (
        select(QueueEntries.clip_id)
        .where(
            sa.or_(
                col(QueueEntries.stage) == "open",
                sa.and_(
                    col(QueueEntries.stage) == "second",
                    col(QueueEntries.first_reviewer) != reviewer,
                ),
            ),
            col(QueueEntries.clip_id).not_in(held),
            *_conditions(wanted, threshold),
        )
        .limit(1)
    )
    return session.exec(query).first() is not None


def list_owed_audits(session: Session, reviewer: str) -> list[Claim]:
    """Audits that were drawn and given back without a review, oldest first.

    If they were forgotten, the audits would be a sample of the clips that reviewers like. Those
    that this reviewer put off are for somebody else, or for later.
    """
    # A join, because for a list DuckDB would collect all clips that wait, not the few claims.
    query = (
        select(Claims)
        .join(QueueEntries, col(QueueEntries.clip_id) == col(Claims.clip_id))
        .where(
            Claims.policy == "audit",
            Claims.expires_at <= utc_now(),
            QueueEntries.stage == "open",
            col(Claims.clip_id).not_in(select(Skips.clip_id).where(Skips.reviewer == reviewer)),
        )
    )
    return to_records(Claim, session.exec(query.order_by(col(Claims.claimed_at))))


def list_choices(session: Session) -> Choices:
    """What the clips that wait can be filtered by."""
    connection = session.connection()

    def distinct(column: Any) -> tuple[str, ...]:
        query = sa.select(column).where(col(QueueEntries.stage) == "open", column.is_not(None))
        return tuple(sorted(connection.execute(query.distinct()).scalars()))

    reasons = sa.text(
        "SELECT DISTINCT unnest(string_split(reasons, chr(10))) FROM queue_entries "
        "WHERE stage = 'open' AND reasons <> ''"
    )
    return Choices(
        sources=distinct(col(QueueEntries.source)),
        languages=distinct(col(QueueEntries.language)),
        speakers=distinct(col(QueueEntries.speaker)),
        reasons=tuple(sorted(connection.execute(reasons).scalars())),
    )


def _conditions(wanted: QueueFilter, threshold: float) -> Conditions:
    entry, now = QueueEntries, utc_now()
    found: Conditions = []
    for column, value in (
        (col(entry.source), wanted.source),
        (col(entry.language), wanted.language),
        (col(entry.speaker), wanted.speaker),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.reason is not None:
        lines = sa.literal("\n") + col(entry.reasons) + sa.literal("\n")
        found.append(sa.func.contains(lines, f"\n{wanted.reason}\n"))
    if wanted.min_age_days is not None:
        found.append(col(entry.came_at) <= now - timedelta(days=wanted.min_age_days))
    if wanted.max_age_days is not None:
        found.append(col(entry.came_at) >= now - timedelta(days=wanted.max_age_days))
    if wanted.min_duration_s is not None:
        found.append(col(entry.duration_s) >= wanted.min_duration_s)
    if wanted.max_duration_s is not None:
        found.append(col(entry.duration_s) <= wanted.max_duration_s)
    if wanted.is_flagged_only:
        found.append(sa.or_(col(entry.must_review), col(entry.predicted_wer) >= threshold))
    return found


def _taken_from(reviewer: str) -> Any:
    """The clips that somebody holds and those that this reviewer has put off."""
    held = select(Claims.clip_id).where(Claims.expires_at > utc_now())
    skipped = select(Skips.clip_id).where(Skips.reviewer == reviewer)
    return sa.union_all(held, skipped)


def _arrays(session: Session, query: Any) -> dict[str, npt.NDArray[Any]]:
    """Columns as arrays: a hundred thousand rows in milliseconds, not one Python object each."""
    result: Any = session.connection().execute(query)
    found: dict[str, npt.NDArray[Any]] = result.cursor.fetchnumpy()
    return found
