"""Searching all clips: one query for a page of rows, whatever the filter."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

import sqlalchemy as sa
from sqlmodel import Session

from qe_core.errors import NotFoundError
from qe_core.wer import ErrorCounts

__all__ = ["SORTS", "FoundClip", "Query", "Sort", "find_clips"]

Sort = Literal["newest", "oldest", "worst", "longest", "name"]
SORTS: tuple[Sort, ...] = get_args(Sort)

_SNIPPET_CHARS = 200
_ORDERS: dict[Sort, str] = {
    "newest": "c.created_at DESC",
    "oldest": "c.created_at",
    "worst": "a.predicted_wer DESC NULLS LAST",
    "longest": "c.duration_s DESC",
    "name": "lower(c.file_name)",
}
# The latest row of a clip is the one with the greatest ULID.
_JOINS = {
    "a": """
LEFT JOIN (
    SELECT * FROM assessments WHERE id IN (SELECT max(id) FROM assessments GROUP BY clip_id)
) a ON a.clip_id = c.id""",
    "h": """
LEFT JOIN hypotheses h ON h.id = a.hypothesis_id""",
    "r": """
LEFT JOIN (
    SELECT * FROM reviews WHERE id IN (SELECT max(id) FROM reviews GROUP BY clip_id)
) r ON r.clip_id = c.id""",
}
_NOT_BLIND = """r.clip_id NOT IN (
    SELECT clip_id FROM queue_entries WHERE stage = 'second' AND first_reviewer <> :blind_for
)"""
# The page is found first, with no more joins than the filter needs; only its rows are filled in.
_FILL = """
SELECT c.id, c.file_name, c.source, c.created_at, c.duration_s, h.engine,
    left(h.text, :num_chars) AS text,
    a.predicted_wer, a.low, a.high, a.expected_errors, a.must_review,
    r.verdict, r.hits, r.substitutions, r.deletions, r.insertions, r.reviewer,
    j.state, j.error
FROM clips c
LEFT JOIN (
    SELECT * FROM assessments WHERE clip_id IN :ids
    QUALIFY row_number() OVER (PARTITION BY clip_id ORDER BY id DESC) = 1
) a ON a.clip_id = c.id
LEFT JOIN (SELECT * FROM hypotheses WHERE clip_id IN :ids) h ON h.id = a.hypothesis_id
LEFT JOIN (
    SELECT * FROM reviews r WHERE clip_id IN :ids AND {visible}
    QUALIFY row_number() OVER (PARTITION BY clip_id ORDER BY id DESC) = 1
) r ON r.clip_id = c.id
LEFT JOIN (
    SELECT * FROM jobs WHERE kind = 'assess' AND clip_id IN :ids
    QUALIFY row_number() OVER (PARTITION BY clip_id ORDER BY id DESC) = 1
) j ON j.clip_id = c.id
WHERE c.id IN :ids
"""


@dataclass(frozen=True, slots=True)
class Query:
    """Which clips, in which order.

    Args:
        text: has to occur in the file name, the hypothesis or the correction, in any case
        is_flagged: only clips that are flagged, or only assessed ones that are not
        threshold: predicted WER from which a clip is flagged
        is_reviewed: only clips with a review, or only ones without
        source: only clips that came this way
        sort: order of the rows
        limit: rows at most
        offset: rows to pass over
        blind_for: somebody who does not see first reviews of clips that wait for a second person,
            unless they are their own
    """

    text: str = ""
    is_flagged: bool | None = None
    threshold: float = 0.0
    is_reviewed: bool | None = None
    source: str | None = None
    sort: Sort = "newest"
    limit: int = 50
    offset: int = 0
    blind_for: str | None = None


@dataclass(frozen=True, slots=True)
class FoundClip:
    """One row; what does not exist yet is ``None``.

    Args:
        clip_id: the clip
        file_name: its name
        source: how it came
        created_at: when it came, UTC
        duration_s: its length
        engine: engine of the current hypothesis
        text: beginning of the current hypothesis
        predicted_wer: current estimate
        low: lower end of its interval
        high: upper end of its interval
        expected_errors: expected word errors
        must_review: a rule flags the clip
        verdict: of the review that counts
        counts: word errors by that review; ``None`` on a reject
        reviewer: whose review it is
        state: of the newest job that assesses the clip
        error: why that job failed
    """

    clip_id: str
    file_name: str
    source: str
    created_at: datetime
    duration_s: float
    engine: str | None
    text: str | None
    predicted_wer: float | None
    low: float | None
    high: float | None
    expected_errors: float | None
    must_review: bool | None
    verdict: str | None
    counts: ErrorCounts | None
    reviewer: str | None
    state: str | None
    error: str | None


def find_clips(session: Session, query: Query) -> tuple[list[FoundClip], int]:
    """Search all clips.

    Args:
        session: the session
        query: which and in which order

    Returns:
        the rows of the page, and how many rows there are on all pages

    Raises:
        NotFoundError: there is no such order
    """
    if query.sort not in _ORDERS:
        raise NotFoundError(
            f"sort = {query.sort!r}: there is no such order.",
            suggestion=f"Use one of: {', '.join(_ORDERS)}.",
        )
    source, values = _source(query)
    connection = session.connection()
    total = int(connection.execute(sa.text(f"SELECT count(*) {source}"), values).scalar_one())
    page = sa.text(
        f"SELECT c.id {source} ORDER BY {_ORDERS[query.sort]}, c.id LIMIT :limit OFFSET :offset"
    )
    values |= {"limit": query.limit, "offset": query.offset}
    ids = list(connection.execute(page, values).scalars())
    if not ids:  # DuckDB cannot compare with an empty list
        return [], total
    visible = "true" if query.blind_for is None else _NOT_BLIND
    fill = sa.text(_FILL.format(visible=visible)).bindparams(sa.bindparam("ids", expanding=True))
    bound: dict[str, object] = {"ids": ids, "num_chars": _SNIPPET_CHARS}
    if query.blind_for is not None:
        bound["blind_for"] = query.blind_for
    found = {row.id: _found(row) for row in connection.execute(fill, bound)}
    return [found[clip_id] for clip_id in ids], total


def _source(query: Query) -> tuple[str, dict[str, str | float]]:
    """FROM and WHERE; only constants become SQL, what a person typed is bound."""
    parts: list[str] = []
    values: dict[str, str | float] = {}
    if query.text.strip():
        values["text"] = query.text.strip()
        name, hypothesis, correction = (
            f"contains(lower({field}), lower(:text))"
            for field in ("c.file_name", "h.text", "r.text")
        )
        if query.blind_for is not None:
            correction = f"({correction} AND {_NOT_BLIND})"
            values["blind_for"] = query.blind_for
        parts.append(f"({name} OR {hypothesis} OR {correction})")
    if query.is_flagged is not None:
        values["threshold"] = query.threshold
        test = "(a.must_review OR a.predicted_wer >= :threshold)"
        parts.append(test if query.is_flagged else f"NOT {test}")
    if query.is_reviewed is not None:
        parts.append("r.id IS NOT NULL" if query.is_reviewed else "r.id IS NULL")
    if query.source is not None:
        values["source"] = query.source
        parts.append("c.source = :source")
    needed = " ".join((*parts, _ORDERS[query.sort]))
    # A hypothesis is found through its assessment.
    joins = "".join(
        join
        for alias, join in _JOINS.items()
        if f"{alias}." in needed or (alias == "a" and "h." in needed)
    )
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    return f"FROM clips c{joins}{where}", values


def _found(row: "sa.Row[tuple[object, ...]]") -> FoundClip:
    fields = dict(row._mapping)
    counts = [fields.pop(name) for name in ("hits", "substitutions", "deletions", "insertions")]
    return FoundClip(
        clip_id=fields.pop("id"),
        created_at=fields.pop("created_at").replace(tzinfo=UTC),
        counts=None if counts[0] is None else ErrorCounts(*counts),
        **fields,
    )
