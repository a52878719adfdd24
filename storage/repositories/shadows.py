"""What challengers said about new clips, beside the assessments that people see."""

from sqlmodel import Session

from qe_core.types import Estimate
from storage.columns import utc_now
from storage.ids import new_id
from storage.records import StoredAssessment
from storage.repositories.statistics import Columns, columns_of
from storage.tables import ShadowEstimates

__all__ = ["add", "audited", "summarise"]


def add(session: Session, version_id: str, beside: StoredAssessment, estimate: Estimate) -> None:
    """Store what a challenger says about a clip.

    Args:
        session: the session
        version_id: the challenger
        beside: the champion's assessment of the same transcript
        estimate: the challenger's
    """
    session.add(
        ShadowEstimates(
            id=new_id(),
            version_id=version_id,
            clip_id=beside.clip_id,
            assessment_id=beside.id,
            predicted_wer=estimate.predicted_wer,
            low=estimate.low,
            high=estimate.high,
            expected_errors=estimate.expected_errors,
            created_at=utc_now(),
        )
    )
    session.flush()


def summarise(session: Session, version_id: str) -> Columns:
    """How many clips a challenger has scored, and what both predict for them, as one row."""
    return columns_of(
        session,
        """
        SELECT count(DISTINCT s.clip_id) AS num_clips, avg(a.predicted_wer) AS champion_wer,
            avg(s.predicted_wer) AS challenger_wer
        FROM shadow_estimates s JOIN assessments a ON a.id = s.assessment_id
        WHERE s.version_id = ?
        """,
        [version_id],
    )


def audited(session: Session, version_id: str) -> Columns:
    """What both predicted for clips that an audit has judged since, with what it found.

    One row per clip; what was predicted last before the review counts.
    """
    return columns_of(
        session,
        """
        SELECT r.substitutions + r.deletions + r.insertions AS errors,
            r.hits + r.substitutions + r.deletions AS words, a.duration_s,
            a.predicted_wer AS champion_wer, a.expected_errors AS champion_errors,
            s.predicted_wer AS challenger_wer, s.expected_errors AS challenger_errors
        FROM shadow_estimates s
        JOIN assessments a ON a.id = s.assessment_id
        JOIN reviews r ON r.hypothesis_id = a.hypothesis_id
        WHERE s.version_id = ? AND r.policy = 'audit' AND r.hits IS NOT NULL AND s.id < r.id
            AND r.id IN (SELECT max(id) FROM reviews GROUP BY clip_id)
        QUALIFY row_number() OVER (PARTITION BY s.clip_id ORDER BY s.id DESC) = 1
        ORDER BY s.clip_id
        """,
        [version_id],
    )
