"""Which clip comes next: the mixture of DESIGN §5.7 over what waits, and the claim on it.

With a filter the same mixture is drawn over the clips that pass it, and the logged probability is
the one within that set. A filter is somebody's choice and not chance, so the uniform part of a
filtered draw is no audit: it is stored as ``filtered`` and never speaks for the stream. A clip that
was drawn as an audit of everything before and given back stays one, with the probability of that
draw, because the draw did not depend on the filter.

Clips that a reviewer put off are left out of their draws until nothing else waits for them. That
would bend the audits if a clip could be put off for ever: it cannot, for an audit that was drawn
is owed until somebody reviews it.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qe_core.config import ReviewSettings
from qe_core.monitoring import sampling
from storage.database import Session
from storage.records import Claim
from storage.repositories import claims, events, pool, skips
from storage.repositories.pool import Choices, QueueFilter
from workbench import people, preferences
from workbench.tasks import AUDIT, FILTERED, SECOND, ReviewTask, make_task

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["QueueItem", "filter_choices", "is_clip_waiting", "next_clip", "num_waiting", "queue"]

# One process owns the database: drawing one at a time spares every thread from losing the same top
# clip to the first and drawing again. The claim itself stays a compare-and-set.
_DRAWING = threading.Lock()
_EVERYTHING = QueueFilter()


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A clip that waits for a review.

    Args:
        clip_id: the clip
        file_name: its name
        duration_s: its length
        predicted_wer: predicted WER
        low: lower end of the interval
        high: upper end of the interval
        expected_errors: expected word errors
        errors_per_minute: what a minute of review buys; the queue's order
        flagged: review recommended at the current threshold
        claimed_by: who holds it at the moment
    """

    clip_id: str
    file_name: str
    duration_s: float
    predicted_wer: float
    low: float
    high: float
    expected_errors: float
    errors_per_minute: float
    flagged: bool
    claimed_by: str | None


@dataclass(frozen=True, slots=True)
class _Wish:
    reviewer: str
    wanted: QueueFilter
    settings: ReviewSettings
    rng: np.random.Generator


def next_clip(
    runtime: "Runtime",
    reviewer: str,
    *,
    wanted: QueueFilter = _EVERYTHING,
    rng: np.random.Generator | None = None,
) -> ReviewTask | None:
    """Give a reviewer the clip they hold already, or draw and claim the next one.

    Clips that wait for a second person are mixed in by chance, in the share in which they are
    asked for, and apart from the draw, whose probabilities they would change.

    Args:
        runtime: the process's runtime
        reviewer: who asks
        wanted: draw only clips that pass, none of them as an audit; see the module
        rng: source of chance; fresh by default

    Returns:
        the task, or ``None`` when nothing waits

    Raises:
        ForbiddenError: they are locked out
    """
    wish = _Wish(reviewer, wanted, preferences.get(runtime).review, rng or np.random.default_rng())

    def work(session: Session) -> Claim | None:
        people.require(session, reviewer, "annotator")
        return _hold(session, wish) or _choose(session, wish)

    with _DRAWING:
        claim = runtime.database.write(work)
    return None if claim is None else make_task(runtime, claim)


def queue(
    runtime: "Runtime", *, wanted: QueueFilter = _EVERYTHING, limit: int = 50
) -> list[QueueItem]:
    """The clips that wait, in the order of what a minute of review buys.

    The draw follows this order for most clips, but not for all: see
    :mod:`qe_core.monitoring.sampling`.
    """
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        waiting = pool.list_waiting(session, wanted, threshold, limit=limit)
        holders = {claim.clip_id: claim.reviewer for claim in claims.list_active(session)}
    return [
        QueueItem(
            clip_id=entry.clip_id,
            file_name=entry.file_name,
            duration_s=entry.duration_s,
            predicted_wer=entry.predicted_wer,
            low=entry.low,
            high=entry.high,
            expected_errors=entry.expected_errors,
            errors_per_minute=60.0 * entry.expected_errors / max(entry.duration_s, 1e-3),
            flagged=entry.is_flagged(threshold),
            claimed_by=holders.get(entry.clip_id),
        )
        for entry in waiting
    ]


def num_waiting(runtime: "Runtime", wanted: QueueFilter = _EVERYTHING) -> int:
    """How many clips without a review pass a filter, held ones included."""
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        return pool.num_waiting(session, wanted, threshold)


def is_clip_waiting(runtime: "Runtime", reviewer: str, wanted: QueueFilter = _EVERYTHING) -> bool:
    """Whether :func:`next_clip` would find something."""
    threshold = preferences.get(runtime).review.threshold
    with runtime.database.session() as session:
        if any(claim.reviewer == reviewer for claim in claims.list_active(session)):
            return True
        return pool.is_any_free(session, reviewer, wanted, threshold)


def filter_choices(runtime: "Runtime") -> Choices:
    """The sources, languages, speakers and reasons that waiting clips have."""
    with runtime.database.session() as session:
        return pool.list_choices(session)


def _hold(session: Session, wish: _Wish) -> Claim | None:
    """The claim that the reviewer has already: a reload shows the same clip again."""
    mine = [claim for claim in claims.list_active(session) if claim.reviewer == wish.reviewer]
    if not mine:
        return None
    newest = max(mine, key=lambda claim: claim.claimed_at)
    return claims.renew(session, newest.clip_id, newest.token, lease_s=wish.settings.claim_s)


def _choose(session: Session, wish: _Wish) -> Claim | None:
    is_second_first = wish.rng.random() < wish.settings.double_share
    ways = (_take_second, _draw) if is_second_first else (_draw, _take_second)
    for way in ways:
        claim = way(session, wish)
        if claim is not None:
            return claim
    # Only what they put off is left: it comes round again.
    if skips.forget(session, wish.reviewer):
        return _draw(session, wish) or _take_second(session, wish)
    return None


def _take_second(session: Session, wish: _Wish) -> Claim | None:
    found = pool.oldest_second(session, wish.reviewer, wish.wanted, wish.settings.threshold)
    return None if found is None else _claim(session, wish, found.clip_id, SECOND, None, 1)


def _draw(session: Session, wish: _Wish) -> Claim | None:
    offered = pool.waiting_pool(session, wish.reviewer, wish.wanted, wish.settings.threshold)
    if not len(offered.rows):
        return None
    drawn = sampling.draw(offered.yields, offered.widths, wish.settings, wish.rng)
    clip_id = pool.clip_in(session, int(offered.rows[drawn.index]))
    policy: str = drawn.policy
    propensity = drawn.propensity
    is_uniform = policy == AUDIT
    if is_uniform and not wish.wanted.is_empty:
        policy = FILTERED
    owed = {claim.clip_id: claim for claim in pool.list_owed_audits(session, wish.reviewer)}
    if owed and is_uniform and wish.wanted.is_empty:
        clip_id = next(iter(owed))
    if clip_id in owed:
        # Drawn as an audit once, an audit for ever, whichever way it comes back.
        policy, propensity = AUDIT, owed[clip_id].propensity or propensity
    return _claim(session, wish, clip_id, policy, propensity, len(offered.rows))


def _claim(
    session: Session,
    wish: _Wish,
    clip_id: str,
    policy: str,
    propensity: float | None,
    num_offered: int,
) -> Claim | None:
    claim = claims.claim(
        session,
        clip_id,
        wish.reviewer,
        lease_s=wish.settings.claim_s,
        policy=policy,
        propensity=propensity,
    )
    if claim is not None:
        payload = {
            "policy": policy,
            "propensity": propensity,
            "num_waiting": num_offered,
            "is_filtered": not wish.wanted.is_empty,
        }
        events.add(session, "review.drawn", clip_id=clip_id, actor=wish.reviewer, payload=payload)
    return claim
