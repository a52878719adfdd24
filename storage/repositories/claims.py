"""Claims: a clip is with one reviewer at a time, and comes back when it is abandoned."""

import secrets
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage.columns import utc_now
from storage.records import Claim
from storage.repositories.mapping import to_record, to_records
from storage.tables import Claims

__all__ = ["claim", "find_active", "list_active", "release", "renew", "take_over"]


def claim(
    session: Session,
    clip_id: str,
    reviewer: str,
    *,
    lease_s: float,
    policy: str,
    propensity: float | None = None,
) -> Claim | None:
    """Claim a clip unless another reviewer holds it.

    The same reviewer claiming again gets a new token (a second tab takes over) and keeps the draw
    and the time of the first claim, which say how and with which assessment the clip was met.

    Args:
        session: run it in ``Database.write``, because two claims of one clip collide
        clip_id: the clip
        reviewer: who wants it
        lease_s: seconds until the claim expires
        policy: which part of the queue's mix drew the clip
        propensity: probability of the draw

    Returns:
        the claim, or ``None`` when somebody else holds the clip
    """
    now = utc_now()
    row = session.get(Claims, clip_id)
    if row is None:
        row = Claims(
            clip_id=clip_id,
            reviewer=reviewer,
            token="",
            policy=policy,
            claimed_at=now,
            expires_at=now,
        )
    is_active = row.expires_at > now
    if is_active and row.reviewer != reviewer:
        return None
    if not is_active:
        row.reviewer, row.policy, row.propensity = reviewer, policy, propensity
        row.claimed_at = now
    row.token = secrets.token_hex(8)
    row.expires_at = now + timedelta(seconds=lease_s)
    session.add(row)
    session.flush()
    return to_record(Claim, row)


def renew(session: Session, clip_id: str, token: str, *, lease_s: float) -> Claim | None:
    """Extend a claim that is still held under this token.

    Returns:
        the claim, or ``None`` when it expired or somebody took over
    """
    now = utc_now()
    row = session.exec(
        sa.update(Claims)
        .where(
            col(Claims.clip_id) == clip_id,
            col(Claims.token) == token,
            col(Claims.expires_at) > now,
        )
        .values(expires_at=now + timedelta(seconds=lease_s))
        .returning(Claims)
    ).scalar_one_or_none()
    return None if row is None else to_record(Claim, row)


def release(session: Session, clip_id: str, token: str) -> bool:
    """Give a clip back; says whether the token held it."""
    now = utc_now()
    released = session.exec(
        sa.update(Claims)
        .where(
            col(Claims.clip_id) == clip_id,
            col(Claims.token) == token,
            col(Claims.expires_at) > now,
        )
        .values(expires_at=now)
        .returning(col(Claims.clip_id))
    ).all()
    return bool(released)


def take_over(
    session: Session, held: Claim, reviewer: str, *, lease_s: float, policy: str
) -> Claim | None:
    """Pass a claim on to another reviewer, together with the draw that led to it.

    Args:
        session: run it in ``Database.write``, because the holder may renew at the same time
        held: the claim as it was seen
        reviewer: who holds the clip from now on
        lease_s: seconds until the claim expires
        policy: that of the draw, unless it no longer fits the new holder

    Returns:
        the new claim, or ``None`` when the claim has changed since it was seen
    """
    now = utc_now()
    row = session.exec(
        sa.update(Claims)
        .where(col(Claims.clip_id) == held.clip_id, col(Claims.token) == held.token)
        .values(
            reviewer=reviewer,
            token=secrets.token_hex(8),
            policy=policy,
            claimed_at=now,
            expires_at=now + timedelta(seconds=lease_s),
        )
        .returning(Claims)
    ).scalar_one_or_none()
    return None if row is None else to_record(Claim, row)


def find_active(session: Session, clip_id: str) -> Claim | None:
    """The claim on a clip that has not expired."""
    row = session.get(Claims, clip_id)
    return None if row is None or row.expires_at <= utc_now() else to_record(Claim, row)


def list_active(session: Session) -> list[Claim]:
    """All claims that have not expired."""
    query = select(Claims).where(Claims.expires_at > utc_now())
    return to_records(Claim, session.exec(query.order_by(col(Claims.clip_id))))
