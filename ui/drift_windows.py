"""The two windows of the stream that are compared."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from ui.formats import counted, plain, when
from workbench import drift
from workbench.drift import DriftReport, Period

__all__ = ["choose_windows", "show_windows"]


def choose_windows() -> tuple[drift.Dates | None, drift.Dates | None]:
    """The days of both windows; ``None`` leaves the choice to the report."""
    if not st.toggle("Choose the windows", key="drift.choose", persist_state="session"):
        return None, None
    columns = st.columns(2)
    first = columns[0].date_input("Baseline window (UTC)", value=[], key="drift.baseline")
    second = columns[1].date_input("Current window (UTC)", value=[], key="drift.current")
    return _dates(first), _dates(second)


def _dates(chosen: Any) -> drift.Dates | None:
    """The browser sends one date while the second is being chosen."""
    if isinstance(chosen, Sequence) and len(chosen) == 2:  # noqa: PLR2004 - first and last day
        first, last = chosen
        if isinstance(first, date) and isinstance(last, date):
            return first, last
    return None


def show_windows(report: DriftReport) -> None:
    """Say which clips are compared with which, and where the baseline began anew."""
    columns = st.columns(2)
    for column, name, period in (
        (columns[0], "Baseline window", report.baseline),
        (columns[1], "Current window", report.current),
    ):
        with column.container(border=True):
            st.metric(name, counted(period.num_clips, "clip"))
            st.caption(_span(period, report.max_clips))
    for reset in report.resets:
        left_out = (
            f" Compared with nothing since: {counted(reset.num_left_out, 'clip')} from before."
            if reset.num_left_out
            else ""
        )
        st.info(
            f"{plain(reset.what)} since {when(reset.at)}: the baseline begins there.{left_out}",
            icon=":material/restart_alt:",
        )


def _span(period: Period, max_clips: int) -> str:
    if period.start is None:
        return "Nothing came in."
    drawn = (
        f"; about {max_clips} of them, by whole recordings, are looked at"
        if period.num_clips > max_clips
        else ""
    )
    return f"{when(period.start)} to {when(period.end)}{drawn}"
