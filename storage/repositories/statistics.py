"""Narrow rows for charts and figures over all clips: no transcripts, no estimates in full."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from qe_core.wer import ErrorCounts
from storage.tables import Assessments, Clips, Hypotheses, Reviews

__all__ = ["EstimatedClip", "JudgedClip", "list_estimated", "list_features", "list_judged"]


@dataclass(frozen=True, slots=True)
class EstimatedClip:
    """A clip with its current estimate.

    Args:
        clip_id: the clip
        created_at: when the clip came in
        duration_s: its length
        engine: engine that wrote the hypothesis
        version: version of that engine and its model
        feature_schema: schema of its features
        estimator: id of the estimator
        predicted_wer: predicted WER
        expected_errors: expected word errors
        expected_words: expected reference words
        must_review: a rule flags it whatever the predicted WER
    """

    clip_id: str
    created_at: datetime
    duration_s: float
    engine: str
    version: str
    feature_schema: str
    estimator: str
    predicted_wer: float
    expected_errors: float
    expected_words: float
    must_review: bool

    def is_flagged(self, threshold: float) -> bool:
        """Whether review is recommended at this WER threshold."""
        return self.must_review or self.predicted_wer >= threshold


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """A clip with the review that counts and the estimate that its reviewer saw.

    Args:
        review_id: the review
        clip_id: the clip
        file_name: its name
        duration_s: its length
        verdict: ``accept``, ``correct`` or ``reject``
        policy: how the clip was drawn
        propensity: probability of the draw; ``None`` when somebody chose the clip
        normaliser: version of the normaliser behind the counts
        reference: the corrected text
        hypothesis: what the engine wrote
        hypothesis_id: its id
        engine: engine that wrote it
        version: version of that engine and its model
        estimator: id of the estimator; ``None``, as the next four, when there was no estimate
        predicted_wer: what had been predicted
        low: lower end of its interval
        high: upper end of its interval
        expected_errors: expected word errors
        counts: word errors; ``None`` on a reject
    """

    review_id: str
    clip_id: str
    file_name: str
    duration_s: float
    verdict: str
    policy: str
    propensity: float | None
    normaliser: str
    reference: str
    hypothesis: str
    hypothesis_id: str
    engine: str
    version: str
    estimator: str | None
    predicted_wer: float | None
    low: float | None
    high: float | None
    expected_errors: float | None
    counts: ErrorCounts | None


def list_estimated(session: Session) -> list[EstimatedClip]:
    """Every assessed clip with its current estimate, in the order in which the clips came in."""
    words = sa.func.json_extract_string(col(Assessments.estimate_json), "$.expected_words")
    query = (
        sa.select(
            col(Clips.id),
            col(Clips.created_at),
            col(Clips.duration_s),
            col(Hypotheses.engine),
            col(Hypotheses.version),
            col(Assessments.feature_schema),
            col(Assessments.estimator),
            col(Assessments.predicted_wer),
            col(Assessments.expected_errors),
            sa.cast(words, sa.Double),
            col(Assessments.must_review),
        )
        .join(Assessments, col(Assessments.clip_id) == col(Clips.id))
        .join(Hypotheses, col(Hypotheses.id) == col(Assessments.hypothesis_id))
        .where(col(Assessments.id).in_(_newest_assessments()))
        .order_by(col(Clips.created_at), col(Clips.id))
    )
    return [EstimatedClip(*row) for row in session.connection().execute(query)]


def list_features(session: Session, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Some features of every clip's current assessment.

    Args:
        session: the session
        names: features; NaN where a clip has none of that name

    Returns:
        values in the order of ``names``, by clip
    """
    paths: sa.ColumnClause[Any] = sa.literal_column(
        f"[{', '.join(_quoted(name) for name in names)}]"
    )
    values = sa.func.json_extract(col(Assessments.features_json), paths)
    query = sa.select(col(Assessments.clip_id), values).where(
        col(Assessments.id).in_(_newest_assessments())
    )
    return {
        clip_id: tuple(_number(value) for value in found)
        for clip_id, found in session.connection().execute(query)
    }


def list_judged(session: Session) -> list[JudgedClip]:
    """Every reviewed clip with the review that counts, oldest first."""
    newest = select(sa.func.max(Reviews.id)).group_by(col(Reviews.clip_id))
    query: Any = (
        sa.select(
            col(Reviews.id),
            col(Reviews.clip_id),
            col(Clips.file_name),
            col(Clips.duration_s),
            col(Reviews.verdict),
            col(Reviews.policy),
            col(Reviews.propensity),
            col(Reviews.normaliser),
            col(Reviews.text),
            col(Hypotheses.text),
            col(Hypotheses.id),
            col(Hypotheses.engine),
            col(Hypotheses.version),
            col(Assessments.estimator),
            col(Assessments.predicted_wer),
            col(Assessments.low),
            col(Assessments.high),
            col(Assessments.expected_errors),
            col(Reviews.hits),
            col(Reviews.substitutions),
            col(Reviews.deletions),
            col(Reviews.insertions),
        )
        .join(Clips, col(Clips.id) == col(Reviews.clip_id))
        .join(Hypotheses, col(Hypotheses.id) == col(Reviews.hypothesis_id))
        .outerjoin(Assessments, col(Assessments.id) == col(Reviews.assessment_id))
        .where(col(Reviews.id).in_(newest))
        .order_by(col(Reviews.id))
    )
    judged = []
    for row in session.connection().execute(query):
        *facts, hits, substitutions, deletions, insertions = row
        counts = None if hits is None else ErrorCounts(hits, substitutions, deletions, insertions)
        judged.append(JudgedClip(*[*facts, counts]))
    return judged


def _newest_assessments() -> sa.Select[Any]:
    return sa.select(sa.func.max(col(Assessments.id))).group_by(col(Assessments.clip_id))


def _quoted(name: str) -> str:
    """A JSON path as an SQL literal; a list of paths cannot be a bound parameter."""
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no feature name.")
    return f"'$.{name}'"


def _number(value: str | None) -> float:
    number = None if value is None else json.loads(value)
    return math.nan if number is None else float(number)
