"""How the recognisers that write here spread their scores: what a cold start reads ranks from."""

import threading
from typing import TYPE_CHECKING

import numpy as np

from qe_core.estimation.profile import MIN_PROFILE_CLIPS, RELATIVE, EngineProfile
from storage.repositories import assessments

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["Profiles"]

_MAX_CLIPS = 1000
_GROWTH = 1.25
_NAMES = tuple(sorted(RELATIVE))


class Profiles:
    """Profiles of recognisers, taken anew when a quarter more clips are there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], EngineProfile] = {}

    def of(self, runtime: "Runtime", owner: tuple[str, str]) -> EngineProfile | None:
        """The profile of a recogniser.

        Args:
            runtime: the process's runtime
            owner: engine and model

        Returns:
            from its newest 1,000 clips; ``None`` as long as it has written fewer than
            :data:`qe_core.estimation.profile.MIN_PROFILE_CLIPS`
        """
        with self._lock:
            known = self._known.get(owner)
            with runtime.database.session() as session:
                count = min(_MAX_CLIPS, assessments.count_transcripts(session, *owner))
                if count < MIN_PROFILE_CLIPS:
                    return None
                if known is not None and count < _GROWTH * known.num_clips:
                    return known
                rows = assessments.list_features(session, *owner, limit=_MAX_CLIPS)
            values = [[row.get(name, np.nan) for name in _NAMES] for row in rows]
            profile = EngineProfile.of(np.array(values, np.float32), _NAMES)
            self._known[owner] = profile
            return profile
