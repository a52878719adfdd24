"""Drift: whether what comes in, or what is predicted for it, has changed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from ui.charts.drift import over_time
from ui.drift_table import DRIFT_COLUMNS, drift_table
from ui.formats import number, percent, when
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import drift
from workbench.drift import DriftReport, Period, Series

_CHARTS_PER_ROW = 3


def _show_page() -> None:
    st.title("Drift")
    with shown_errors():
        runtime = open_runtime()
        baseline, current = _choose_windows()
        report = drift.report(runtime, baseline=baseline, current=current)
        _show_windows(report)
        if report.too_few is not None:
            _show_too_few(report)
        else:
            _show_outcome(report)
            _show_inputs(report)
        _show_charts(report.series)


def _choose_windows() -> tuple[drift.Dates | None, drift.Dates | None]:
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


def _show_windows(report: DriftReport) -> None:
    columns = st.columns(2)
    for column, name, period in (
        (columns[0], "Baseline window", report.baseline),
        (columns[1], "Current window", report.current),
    ):
        with column.container(border=True):
            st.metric(name, f"{period.num_clips} clips")
            st.caption(_span(period))
    if report.num_left_out:
        st.caption(
            f"{report.num_left_out} clips of another engine version are left out: "
            "a new engine begins a new baseline."
        )


def _span(period: Period) -> str:
    if period.start is None:
        return "Nothing came in."
    return f"{when(period.start)} to {when(period.end)}"


def _show_too_few(report: DriftReport) -> None:
    missing = report.too_few
    if missing is not None:
        st.info(
            f"Too few clips to tell: each window needs {missing.min_clips} clips; the baseline "
            f"window has {missing.num_baseline}, the current one {missing.num_current}.",
            icon=":material/hourglass_empty:",
        )


def _show_outcome(report: DriftReport) -> None:
    if report.outcome is None:
        return
    moved = report.outcome.drift
    text = (
        f"median {percent(moved.baseline_median)} before, {percent(moved.current_median)} now; "
        f"distance {number(moved.statistic)}, alert above {number(moved.threshold)}."
    )
    if moved.is_alert:
        st.warning(f"Predicted WER has moved: {text}", icon=":material/warning:")
    else:
        st.success(f"Predicted WER has not moved beyond chance: {text}", icon=":material/check:")


def _show_inputs(report: DriftReport) -> None:
    st.subheader("What comes in")
    num_alerts = sum(row.drift.is_alert for row in report.inputs)
    st.caption(
        f"{num_alerts} of {len(report.inputs)} features moved more than chance explains. Such "
        "moves explain a change of the predicted WER; alone they are no reason to worry. The "
        "distance is in interquartile ranges of the baseline window; its threshold comes from "
        "dealing the clips out to the two windows at random."
    )
    st.dataframe(
        drift_table(report.inputs),
        column_config=DRIFT_COLUMNS,
        key="drift.table",
        hide_index=True,
        height="content",
        placeholder="",
    )


def _show_charts(series: Sequence[Series]) -> None:
    known = [one for one in series if one.points]
    if not known:
        return
    st.subheader("Over time")
    st.caption("Grey circles: baseline window. Blue diamonds: current window.")
    columns = st.columns(_CHARTS_PER_ROW)
    for index, one in enumerate(known):
        columns[index % _CHARTS_PER_ROW].plotly_chart(
            over_time(one), key=f"drift.{one.name}", config={"displayModeBar": False}
        )


_show_page()
