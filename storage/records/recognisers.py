"""Recognisers that learnt from corrections, and what they learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.records.mapping import mapping

__all__ = ["RecogniserPromotion", "RecogniserVersion", "ReviewedClip"]


@dataclass(frozen=True, slots=True)
class RecogniserVersion:
    """A recogniser that learnt from corrections.

    Args:
        id: ULID
        name: what its transcripts carry as their model
        base: model that it was made from
        base_version: engine version of that
        engine_version: its own; empty when training found nothing better than its base
        folder: where it lies, relative to the recognisers folder; ``None`` when it was refused,
            for then it is not kept
        report_json: see :attr:`report`
        actor: who had it trained
        created_at: when it was stored
    """

    id: str
    name: str
    base: str
    base_version: str
    engine_version: str
    folder: str | None
    report_json: str
    actor: str | None
    created_at: datetime

    @property
    def report(self) -> Mapping[str, Any]:
        """What it learnt from, how it did against its base, and what the gate said."""
        return mapping(self.report_json)


@dataclass(frozen=True, slots=True)
class RecogniserPromotion:
    """From when on another recogniser serves.

    Args:
        id: ULID
        version_id: the version; ``None`` for one that was not made here
        action: ``promote`` or ``rollback``
        engine_before: ``engine.name`` of the settings until then
        engine_after: the same from then on
        actor: who decided
        created_at: when
    """

    id: str
    version_id: str | None
    action: str
    engine_before: str
    engine_after: str
    actor: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewedClip:
    """A clip with the review that counts, as a recogniser could learn from it.

    Args:
        clip_id: the clip
        verdict: ``accept``, ``correct`` or ``reject``
        text: the reference; empty on a reject
        speaker: who speaks; ``None`` when nobody said
        language: of the hypothesis, ISO 639-1
        duration_s: length of the clip
        snr_db: its signal-to-noise ratio; ``None`` when it could not be measured
        reviewed_at: when the review was saved
    """

    clip_id: str
    verdict: str
    text: str
    speaker: str | None
    language: str
    duration_s: float
    snr_db: float | None
    reviewed_at: datetime
