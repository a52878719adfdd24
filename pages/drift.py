"""Drift: whether what comes in, or what is predicted for it, has changed."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ui.charts.drift import over_time
from ui.charts.frame import show_chart
from ui.drift_annotations import show_annotations
from ui.drift_verdict import show_inputs, show_outcomes, show_too_few
from ui.drift_windows import choose_windows, show_windows
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import annotations, drift
from workbench.annotations import Annotation
from workbench.drift import DriftReport

_CHARTS_PER_ROW = 2


def _show_page() -> None:
    st.title("Drift")
    with shown_errors():
        runtime = open_runtime()
        baseline, current = choose_windows()
        with st.spinner("Comparing the windows …"):
            report = drift.report(runtime, baseline=baseline, current=current)
        show_windows(report)
        if report.too_few is not None:
            show_too_few(report)
        else:
            show_outcomes(report)
            show_inputs(report)
        known = annotations.list_all(runtime)
        _show_charts(report, known)
        show_annotations(runtime, known)


def _show_charts(report: DriftReport, known: Sequence[Annotation]) -> None:
    series = [one for one in report.series if one.points]
    if not series:
        return
    st.subheader("Over time")
    ranked = [row.name for row in (*report.outcomes, *report.inputs)]
    series.sort(key=lambda one: ranked.index(one.name) if one.name in ranked else len(ranked))
    judged = {row.name: row.drift for row in (*report.outcomes, *report.inputs)}
    columns = st.columns(_CHARTS_PER_ROW, gap="medium")
    for index, one in enumerate(series):
        with columns[index % _CHARTS_PER_ROW]:
            show_chart(
                over_time(one, judged.get(one.name), known, report.resets),
                name=f"drift.{one.name}",
                note="Blue diamonds: current window. Grey circles: what came before. Dotted "
                "lines: annotations and new baselines.",
                data=pd.DataFrame(one.points),
            )


_show_page()
