"""A clip is with one reviewer at a time, and comes back."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage.database import Database
from storage.records import Claim
from storage.repositories import claims


def _claim(
    database: Database, reviewer: str, clip_id: str = "clip", *, lease_s: float = 60.0
) -> Claim | None:
    return database.write(
        lambda session: claims.claim(
            session, clip_id, reviewer, lease_s=lease_s, policy="audit", propensity=0.15
        )
    )


def _held(database: Database, reviewer: str, *, lease_s: float = 60.0) -> Claim:
    claim = _claim(database, reviewer, lease_s=lease_s)
    assert claim is not None
    return claim


def test_a_claimed_clip_is_not_given_to_another(database: Database) -> None:
    claim = _held(database, "ann")
    assert (claim.reviewer, claim.policy, claim.propensity) == ("ann", "audit", 0.15)
    assert _claim(database, "bob") is None


def test_the_holder_claiming_again_gets_a_new_token_for_the_same_draw(database: Database) -> None:
    first = _held(database, "ann")
    second = database.write(
        lambda session: claims.claim(session, "clip", "ann", lease_s=60.0, policy="opened")
    )
    assert second is not None
    assert second.token != first.token
    assert (second.policy, second.claimed_at) == (first.policy, first.claimed_at)
    renewed = database.write(
        lambda session: claims.renew(session, "clip", first.token, lease_s=60.0)
    )
    assert renewed is None


def test_an_expired_claim_comes_back(database: Database) -> None:
    abandoned = _held(database, "ann", lease_s=0.01)
    time.sleep(0.02)
    assert (
        database.write(lambda session: claims.renew(session, "clip", abandoned.token, lease_s=60.0))
        is None
    )
    taken = _held(database, "bob")
    assert taken.reviewer == "bob"
    assert taken.claimed_at > abandoned.claimed_at


def test_renewing_extends_a_claim(database: Database) -> None:
    claim = _held(database, "ann", lease_s=1.0)
    renewed = database.write(
        lambda session: claims.renew(session, "clip", claim.token, lease_s=100.0)
    )
    assert renewed is not None
    assert renewed.expires_at > claim.expires_at


def test_releasing_needs_the_token_and_gives_the_clip_back(database: Database) -> None:
    claim = _held(database, "ann")
    assert not database.write(lambda session: claims.release(session, "clip", "guessed"))
    assert database.write(lambda session: claims.release(session, "clip", claim.token))
    assert not database.write(lambda session: claims.release(session, "clip", claim.token))
    with database.session() as session:
        assert claims.find_active(session, "clip") is None
        assert claims.list_active(session) == []
    assert _held(database, "bob").reviewer == "bob"


def test_active_claims_are_listed(database: Database) -> None:
    claim = _held(database, "ann")
    _claim(database, "bob", "other")
    with database.session() as session:
        assert claims.find_active(session, "clip") == claim
        assert [active.clip_id for active in claims.list_active(session)] == ["clip", "other"]


def test_twenty_threads_racing_for_clips_never_share_one(tmp_path: Path) -> None:
    num_clips, num_reviewers = 12, 20
    barrier = threading.Barrier(num_reviewers)
    with Database(tmp_path / "a.duckdb") as database:
        database.migrate()

        def take_all(reviewer: int) -> list[str]:
            barrier.wait()
            return [
                clip_id
                for clip_id in (str(number) for number in range(num_clips))
                if _claim(database, f"reviewer {reviewer}", clip_id) is not None
            ]

        with ThreadPoolExecutor(num_reviewers) as pool:
            taken = Counter(
                clip_id for mine in pool.map(take_all, range(num_reviewers)) for clip_id in mine
            )
    assert taken == {str(number): 1 for number in range(num_clips)}
