"""Drift: whether what comes in, or what is predicted for it, has changed."""

from collections.abc import Sequence

import streamlit as st

from ui.charts.drift import over_time
from ui.drift_table import DRIFT_COLUMNS, drift_table
from ui.drift_windows import choose_windows, show_windows
from ui.formats import number, percent
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import drift
from workbench.drift import DriftReport, Series

_CHARTS_PER_ROW = 3


def _show_page() -> None:
    st.title("Drift")
    with shown_errors():
        runtime = open_runtime()
        baseline, current = choose_windows()
        report = drift.report(runtime, baseline=baseline, current=current)
        show_windows(report)
        if report.too_few is not None:
            _show_too_few(report)
        else:
            _show_outcome(report)
            _show_inputs(report)
        _show_charts(report.series)


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
