"""How the recognisers that write here spread their scores: what a cold start reads ranks from."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qe_core.estimation.profile import MIN_PROFILE_CLIPS, RELATIVE, EngineProfile
from storage.repositories import assessments

if TYPE_CHECKING:
    from workbench.runtime import Owner, Runtime

__all__ = ["Profiles", "Taken", "take"]

_MAX_CLIPS = 1000
_GROWTH = 1.25
_NAMES = tuple(sorted(RELATIVE))


@dataclass(frozen=True, slots=True)
class Taken:
    """A profile and what it was taken from.

    Args:
        profile: of the recogniser
        until: newest of the assessments that it was taken from
    """

    profile: EngineProfile
    until: str


class Profiles:
    """Profiles of recognisers, taken anew when about a quarter more clips are there.

    Always from the first clips that a recogniser wrote here, and from the same numbers of them: so
    a profile is the same after a restart, and sound that gets worse later shows in the ranks
    instead of moving the scale that they are read from.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Owner, EngineProfile] = {}

    def of(self, runtime: "Runtime", owner: "Owner") -> EngineProfile | None:
        """The profile of a recogniser.

        Args:
            runtime: the process's runtime
            owner: engine and model

        Returns:
            from its first clips, 1,000 at most; ``None`` as long as it has written fewer than
            :data:`qe_core.estimation.profile.MIN_PROFILE_CLIPS`
        """
        with self._lock:
            known = self._known.get(owner)
            if known is not None and known.num_clips == _MAX_CLIPS:
                return known
            with runtime.database.session() as session:
                count = assessments.count_transcripts(session, *owner)
            if count < MIN_PROFILE_CLIPS:
                return None
            size = _size(count)
            if known is None or known.num_clips != size:
                known = self._known[owner] = take(runtime, owner, size).profile
            return known


def take(runtime: "Runtime", owner: "Owner", size: int, until: str | None = None) -> Taken:
    """Take a profile from the first clips that a recogniser wrote here.

    Args:
        runtime: the process's runtime
        owner: engine and model
        size: from so many clips
        until: the newest assessment that counts, to take the same profile again
    """
    with runtime.database.session() as session:
        rows = assessments.list_first_features(session, *owner, limit=size, until=until)
    values = [[row.get(name, np.nan) for name in _NAMES] for row in rows.values()]
    profile = EngineProfile.of(np.array(values, np.float32).reshape(-1, len(_NAMES)), _NAMES)
    return Taken(profile, max(rows, default=""))


def _size(count: int) -> int:
    """The largest step, each a quarter above the one before, that so many clips reach."""
    size = MIN_PROFILE_CLIPS
    while size < (following := min(_MAX_CLIPS, int(_GROWTH * size))) <= count:
        size = following
    return size
