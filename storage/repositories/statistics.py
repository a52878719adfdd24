"""Columns for charts and figures over all clips: the database counts, Python gets the result."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import Session

__all__ = [
    "Columns",
    "clips_with_mistake",
    "columns_of",
    "confusions",
    "count_clips",
    "estimates_by_wer",
    "first_clip_at",
    "flagged_at",
    "judged_clips",
    "newest_clip_at",
    "review_work",
    "serving_estimators",
    "stream_clusters",
]

Columns = dict[str, npt.NDArray[Any]]

_NEWEST = "SELECT max(id) FROM reviews GROUP BY clip_id"

# A recording without an audit shares one of so many random groups with others: the interval stays
# right, and a million clips become a thousand rows.
_NUM_GROUPS = 1000


def columns_of(session: Session, query: str, parameters: Sequence[Any] = ()) -> Columns:
    """Run a query and take its result as arrays, without a Python object per value.

    Args:
        session: the session
        query: SQL with ``?`` for parameters
        parameters: their values, in order

    Returns:
        one array per column; numbers that are NULL are NaN, texts that are NULL are ``None``
    """
    result = session.connection().exec_driver_sql(query, tuple(parameters))
    found: dict[str, Any] = result.cursor.fetchnumpy()
    return {name: _filled(values) for name, values in found.items()}


def count_clips(session: Session, threshold: float) -> Columns:
    """How much there is, as columns with one value each.

    Args:
        session: the session
        threshold: predicted WER from which a clip is flagged
    """
    return columns_of(
        session,
        f"""
        SELECT * FROM (
            SELECT count(*) AS num_clips,
                count(*) FILTER (must_review OR predicted_wer >= ?) AS num_flagged,
                coalesce(sum(duration_s), 0) AS duration_s
            FROM assessed_clips
        ), (
            SELECT count(*) AS num_reviewed,
                count(*) FILTER (verdict = 'reject') AS num_rejected,
                count(*) FILTER (policy = 'audit') AS num_audits,
                coalesce(sum(c.duration_s), 0) AS reviewed_s
            FROM reviews r JOIN clips c ON c.id = r.clip_id
            WHERE r.id IN ({_NEWEST})
        ), (
            SELECT coalesce(sum(hits), 0) AS hits, coalesce(sum(substitutions), 0) AS substitutions,
                coalesce(sum(deletions), 0) AS deletions,
                coalesce(sum(insertions), 0) AS insertions
            FROM reviews WHERE id IN ({_NEWEST})
        )
        """,  # noqa: S608 - a constant of this module
        [threshold],
    )


def judged_clips(session: Session) -> Columns:
    """Every clip whose errors were counted, with what had been predicted for it, oldest first.

    ``expected_errors``, ``predicted_wer``, ``low`` and ``high`` are those of the assessment that
    the reviewer saw; NaN when there was none.
    """
    return columns_of(
        session,
        f"""
        SELECT r.id AS review_id, r.clip_id, c.file_name, r.policy, r.normaliser,
            r.created_at AS reviewed_at,
            (r.substitutions + r.deletions + r.insertions)::DOUBLE AS errors,
            (r.hits + r.substitutions + r.deletions)::DOUBLE AS words,
            a.predicted_wer, a.low, a.high, a.expected_errors,
            n.recording, n.speaker, n.source, n.engine || ' ' || n.version AS engine, n.language,
            n.sample_rate_hz, n.created_at, n.duration_s, n.pitch_hz, n.wada_snr_db,
            hour(n.created_at) AS hour
        FROM reviews r
        JOIN clips c ON c.id = r.clip_id
        JOIN assessed_clips n ON n.clip_id = r.clip_id
        LEFT JOIN assessments a ON a.id = r.assessment_id
        WHERE r.hits IS NOT NULL AND r.id IN ({_NEWEST})
        ORDER BY r.id
        """,  # noqa: S608 - a constant of this module
    )


def stream_clusters(
    session: Session, learnt_from: Sequence[str], *, bucket: str | None = None
) -> Columns:
    """What :func:`qe_core.monitoring.stream.stream_wer_of_clusters` needs, summed by recording.

    Args:
        session: the session
        learnt_from: reviews that an estimator was trained on; they are no audits of it
        bucket: ``day``, ``week`` or ``month`` in which clips came in; all in one by default

    Returns:
        :data:`qe_core.monitoring.stream.CLUSTER_COLUMNS`, and the beginning of the ``bucket``
    """
    moment = f"date_trunc('{bucket}', n.created_at)" if bucket else "TIMESTAMP '1970-01-01'"
    return columns_of(
        session,
        f"""
        WITH judged AS (
            SELECT clip_id, (substitutions + deletions + insertions)::DOUBLE AS errors,
                (hits + substitutions + deletions)::DOUBLE AS words,
                policy = 'audit' AND NOT list_contains(?::VARCHAR[], id) AS is_audit
            FROM reviews WHERE hits IS NOT NULL AND id IN ({_NEWEST})
        ), clip AS (
            SELECT {moment} AS bucket, hash(n.recording) AS recording,
                n.expected_errors AS guess, n.expected_words AS guessed_words,
                j.errors, j.words, coalesce(j.is_audit, false) AS is_audit,
                j.clip_id IS NOT NULL AND NOT j.is_audit AS is_known
            FROM assessed_clips n LEFT JOIN judged j ON j.clip_id = n.clip_id
        ), audited AS (SELECT DISTINCT bucket, recording FROM clip WHERE is_audit)
        SELECT c.bucket,
            CASE WHEN a.recording IS NULL THEN c.recording % {_NUM_GROUPS}
                ELSE c.recording END AS recording,
            sum(guess) AS predicted_errors, sum(guessed_words) AS predicted_words,
            sum(CASE WHEN is_known THEN errors ELSE guess END) AS best_errors,
            sum(CASE WHEN is_known THEN words ELSE guessed_words END) AS best_words,
            count(*) FILTER (NOT is_known)::DOUBLE AS num_open,
            count(*) FILTER (is_audit)::DOUBLE AS num_audits,
            coalesce(sum(errors - guess) FILTER (is_audit), 0) AS residual_errors,
            coalesce(sum(words - guessed_words) FILTER (is_audit), 0) AS residual_words,
            coalesce(sum(errors) FILTER (is_audit), 0) AS audit_errors,
            coalesce(sum(words) FILTER (is_audit), 0) AS audit_words,
            coalesce(sum(errors), 0) AS reviewed_errors,
            coalesce(sum(words), 0) AS reviewed_words,
            count(errors)::DOUBLE AS num_reviewed,
            count(*)::DOUBLE AS num_clips
        FROM clip c LEFT JOIN audited a ON a.bucket = c.bucket AND a.recording = c.recording
        GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608 - constants of this module
        [list(learnt_from)],
    )


def confusions(session: Session, limit: int) -> Columns:
    """The most frequent word mistakes of the reviews that count: said, written, how often."""
    return columns_of(
        session,
        f"""
        SELECT reference, hypothesis, sum(num_times)::BIGINT AS num_times,
            count(*) AS num_clips
        FROM mistakes WHERE review_id IN ({_NEWEST})
        GROUP BY reference, hypothesis
        ORDER BY num_times DESC, num_clips DESC, reference NULLS LAST, hypothesis NULLS LAST
        LIMIT ?
        """,  # noqa: S608 - a constant of this module
        [limit],
    )


def clips_with_mistake(
    session: Session, reference: str | None, hypothesis: str | None, limit: int
) -> Columns:
    """Clips in which one word was written for another, those with most of it first."""
    return columns_of(
        session,
        f"""
        SELECT m.clip_id, c.file_name, m.num_times
        FROM mistakes m JOIN clips c ON c.id = m.clip_id
        WHERE m.review_id IN ({_NEWEST}) AND m.reference IS NOT DISTINCT FROM ?
            AND m.hypothesis IS NOT DISTINCT FROM ?
        ORDER BY m.num_times DESC, m.review_id DESC LIMIT ?
        """,  # noqa: S608 - a constant of this module
        [reference, hypothesis, limit],
    )


def estimates_by_wer(
    session: Session, since: datetime | None = None, *, steps: int = 100
) -> Columns:
    """Clips, audio, errors and words by predicted WER, worst first.

    Args:
        session: the session
        since: only clips that came in at or after this time
        steps: groups per unit of WER

    Returns:
        lower edge of the ``wer`` of every group that has clips, infinity for clips that a rule
        flags at any threshold; ``num_clips``, ``duration_s``, ``errors``, ``words``
    """
    moment = datetime.min if since is None else since.replace(tzinfo=None)  # noqa: DTZ901 - the column holds UTC without a zone
    return columns_of(
        session,
        """
        SELECT CASE WHEN must_review THEN 'inf'::DOUBLE
                ELSE floor(predicted_wer * ? + 1e-9) / ? END AS wer,
            count(*)::DOUBLE AS num_clips, sum(duration_s) AS duration_s,
            sum(expected_errors) AS errors, sum(expected_words) AS words
        FROM assessed_clips WHERE created_at >= ?
        GROUP BY 1 ORDER BY 1 DESC
        """,
        [steps, steps, moment],
    )


def flagged_at(session: Session, threshold: float) -> Columns:
    """Clips, seconds and expected errors in all and flagged, as columns with one value each."""
    return columns_of(
        session,
        """
        SELECT count(*) AS num_clips, count(*) FILTER (is_flagged) AS num_flagged,
            coalesce(sum(duration_s), 0) AS duration_s,
            coalesce(sum(duration_s) FILTER (is_flagged), 0) AS flagged_s,
            coalesce(sum(expected_errors), 0) AS errors,
            coalesce(sum(expected_errors) FILTER (is_flagged), 0) AS flagged_errors
        FROM (SELECT *, must_review OR predicted_wer >= ? AS is_flagged FROM assessed_clips)
        """,
        [threshold],
    )


def review_work(session: Session, since: datetime) -> Columns:
    """What every reviewer did per day, rejects included."""
    return columns_of(
        session,
        """
        SELECT r.reviewer, date_trunc('day', r.created_at) AS day, count(*) AS num_reviews,
            sum(r.lead_time_s) AS lead_time_s, sum(c.duration_s) AS audio_s,
            sum(r.listened_share * c.duration_s) AS listened_s
        FROM reviews r JOIN clips c ON c.id = r.clip_id
        WHERE r.created_at >= ?
        GROUP BY ALL ORDER BY day, reviewer
        """,
        [since.replace(tzinfo=None)],
    )


def newest_clip_at(session: Session) -> datetime | None:
    """When the newest assessed clip came in, UTC."""
    return _only_moment(session, "SELECT max(created_at) AS at FROM assessed_clips", [])


def first_clip_at(session: Session, since: datetime) -> datetime:
    """When the first clip from then on came in, UTC; ``since`` when there is none."""
    query = "SELECT min(created_at) AS at FROM assessed_clips WHERE created_at >= ?"
    return _only_moment(session, query, [since.replace(tzinfo=None)]) or since


def serving_estimators(session: Session) -> set[str]:
    """Estimators behind the current estimates."""
    return set(columns_of(session, "SELECT DISTINCT estimator FROM assessed_clips")["estimator"])


def _only_moment(session: Session, query: str, parameters: list[Any]) -> datetime | None:
    at = session.connection().exec_driver_sql(query, tuple(parameters)).scalar()
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else None


def _filled(values: Any) -> npt.NDArray[Any]:
    if not isinstance(values, np.ma.MaskedArray):
        plain: npt.NDArray[Any] = values
    elif values.dtype == object:
        plain = np.array(values.tolist(), dtype=object)
    elif np.issubdtype(values.dtype, np.number):
        plain = np.ma.filled(values.astype(np.float64), np.nan)
    else:
        plain = np.ma.filled(values)
    return plain
