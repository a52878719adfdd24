"""Whether what comes in, or what is predicted for it, has changed."""

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qe_core.config import DriftSettings
from qe_core.features import INFO
from qe_core.monitoring.domain import DomainAuc, domain_auc
from qe_core.monitoring.drift import ColumnDrift, TooFewClips, compare, compare_family
from storage.repositories import clips, windows
from storage.repositories.windows import Era
from workbench import preferences
from workbench.drift_evidence import COVERAGE, OUTCOME, RESIDUAL, Stretch, explain, load
from workbench.drift_values import (
    INPUTS,
    OUTCOMES,
    Alarm,
    DriftReport,
    FeatureDrift,
    Period,
    Reset,
)
from workbench.drift_windows import Dates, Point, Series, choose, series
from workbench.remembered import remembered

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = [
    "COVERAGE",
    "INPUTS",
    "OUTCOME",
    "OUTCOMES",
    "RESIDUAL",
    "Alarm",
    "Dates",
    "DriftReport",
    "FeatureDrift",
    "Period",
    "Point",
    "Reset",
    "Series",
    "alarms",
    "report",
]

_LABELS = {
    RESIDUAL: "errors beyond the estimate, in audits",
    OUTCOME: "predicted WER",
    COVERAGE: "audits inside the predicted interval",
}
# The same windows must give the same verdict at every look.
_SEED = 20260101


def alarms(runtime: "Runtime") -> tuple[Alarm, ...]:
    """What is wrong now, outcomes first; cheap while nothing new has come in.

    Args:
        runtime: the process's runtime

    Returns:
        rows of the rolling :func:`report` that are alarms
    """
    found = report(runtime)
    return tuple(
        Alarm(
            name=row.name,
            label=row.label,
            unit=row.unit,
            before=row.before,
            now=row.now,
            is_outcome=row.is_outcome,
            since=row.evidence.since if row.evidence else None,
        )
        for row in (*found.outcomes, *found.inputs)
        if row.is_alarm
    )


def report(
    runtime: "Runtime", *, baseline: Dates | None = None, current: Dates | None = None
) -> DriftReport:
    """Compare two windows of the stream.

    Without dates the windows roll: each of the last three weeks is compared with everything before
    them, so that what moved in two of them is an alarm. While there is too little for that, the
    newer half of the clips is compared with the older half. A new engine or feature schema begins
    a new baseline.

    Args:
        runtime: the process's runtime
        baseline: first and last day of the baseline window, UTC, both included
        current: first and last day of the current window

    Returns:
        rows and charts; a typed "too few clips to tell" where there are too few
    """
    settings = preferences.get(runtime).drift
    return remembered(
        runtime,
        ("drift", baseline, current, settings),
        lambda: _compare(runtime, baseline, current, settings),
    )


def _compare(
    runtime: "Runtime", baseline: Dates | None, current: Dates | None, settings: DriftSettings
) -> DriftReport:
    with runtime.database.session() as session:
        known = windows.eras(session)
        normaliser, changed_at = windows.normaliser_change(session)
        if not known:
            return _nothing(settings)
        chosen = choose(session, known[0], settings, baseline, current)
        judged = windows.audits(session, known[0], normaliser)
        old, *new = [
            load(session, known[0], span, judged, settings.max_clips)
            for span in (chosen.baseline, *chosen.current)
        ]
        charts = series(session, known[0], chosen, (OUTCOME, *INPUTS), _names)
        found = _Comparison(old, new, settings)
        rows = (*found.outcomes(), *found.inputs())
        names = clips.file_names(session, [clip for row in rows for clip in row.clip_ids])
    return DriftReport(
        baseline=_period(old),
        current=_period(new[-1]),
        outcomes=tuple(row.named(names) for row in rows if row.is_outcome),
        inputs=tuple(row.named(names) for row in rows if not row.is_outcome),
        domain=found.domain(),
        too_few=found.too_few,
        series=charts,
        resets=_resets(known, normaliser, changed_at),
        is_rolling=chosen.is_rolling,
        max_clips=settings.max_clips,
    )


class _Comparison:
    """Every window of the current stretch against the baseline window."""

    def __init__(self, old: Stretch, new: list[Stretch], settings: DriftSettings) -> None:
        self._old, self._new, self._settings = old, new, settings
        self._inputs = [
            found
            for stretch in new
            if not isinstance(
                found := compare(old.window(INPUTS), stretch.window(INPUTS), settings, _rng()),
                TooFewClips,
            )
        ]
        newest = compare(old.window(()), new[-1].window(()), settings, _rng())
        self.too_few = newest if isinstance(newest, TooFewClips) else None

    def outcomes(self) -> list[FeatureDrift]:
        """In order; none when there are too few clips."""
        if self.too_few is not None:
            return []
        found = [
            compare_family(
                [
                    (self._old.audits((RESIDUAL, COVERAGE)), new.audits((RESIDUAL, COVERAGE))),
                    (self._old.window((OUTCOME,)), new.window((OUTCOME,))),
                ],
                self._settings,
                _rng(),
            )
            for new in self._new
        ]
        rows = self._rows(found)
        return sorted(rows, key=lambda row: OUTCOMES.index(row.name))

    def inputs(self) -> list[FeatureDrift]:
        """What moved comes first."""
        if self.too_few is not None:
            return []
        return sorted(self._rows(self._inputs), key=_rank)

    def domain(self) -> DomainAuc | None:
        """Whether all features together tell the newest window from the baseline window."""
        return domain_auc(
            self._old.window(INPUTS), self._new[-1].window(INPUTS), self._settings, _rng()
        )

    def _rows(self, found: list[tuple[ColumnDrift, ...]]) -> list[FeatureDrift]:
        """One row per column of the newest window, which is the last of ``found``."""
        rows = []
        for index, newest in enumerate(found[-1]):
            label, unit = _names(newest.name)
            has_moved = [columns[index].is_alert for columns in found]
            rows.append(
                FeatureDrift(
                    name=newest.name,
                    label=label,
                    unit=unit,
                    drift=newest,
                    before=self._old.center(newest.name),
                    now=self._new[-1].center(newest.name),
                    # A move that the newest window no longer shows is over.
                    num_moved=sum(has_moved) if newest.is_alert else 0,
                    num_windows=len(found),
                    evidence=explain(newest.name, self._old, self._new)
                    if newest.is_alert
                    else None,
                )
            )
        return rows


def _rng() -> np.random.Generator:
    return np.random.default_rng(_SEED)


def _nothing(settings: DriftSettings) -> DriftReport:
    missing = TooFewClips(0, 0, settings.min_clips, settings.min_recordings)
    empty = Period(None, None, 0)
    return DriftReport(empty, empty, (), (), None, missing, (), (), True, settings.max_clips)


def _period(stretch: Stretch) -> Period:
    return Period(stretch.start, stretch.end, stretch.num_clips)


def _names(name: str) -> tuple[str, str]:
    return (_LABELS[name], "") if name in _LABELS else (INFO[name].label, INFO[name].unit)


def _rank(row: FeatureDrift) -> tuple[int, float]:
    return -row.num_moved, 1.0 if row.drift.p_value is None else row.drift.p_value


def _resets(
    known: list[Era], normaliser: str | None, changed_at: datetime | None
) -> tuple[Reset, ...]:
    """An engine or schema begins anew for everything, a normaliser for what audits found."""
    found = []
    for newer, older in pairwise(known):
        is_engine = (newer.engine, newer.version) != (older.engine, older.version)
        what = f"{newer.engine} {newer.version}" if is_engine else "features of a new release"
        found.append(
            Reset(
                newer.start,
                f"New engine: {what}" if is_engine else what.capitalize(),
                older.num_clips,
            )
        )
    if changed_at is not None:
        found.append(Reset(changed_at, f"New normaliser: {normaliser}", 0))
    return tuple(sorted(found, key=lambda reset: reset.at, reverse=True))
