"""What the comparison of the windows says: outcomes first, then what comes in."""

import streamlit as st

from ui.drift_table import DRIFT_COLUMNS, drift_table, in_own_unit, show_evidence, verdict
from ui.formats import capitalised, number
from workbench.drift import DriftReport, FeatureDrift

__all__ = ["show_inputs", "show_outcomes", "show_too_few"]


def show_too_few(report: DriftReport) -> None:
    """Say what is missing."""
    missing = report.too_few
    if missing is not None:
        st.info(
            f"Too few clips to tell: each window needs {missing.min_clips} clips from "
            f"{missing.min_recordings} recordings; the baseline window has "
            f"{missing.num_baseline}, the current one {missing.num_current}.",
            icon=":material/hourglass_empty:",
        )


def show_outcomes(report: DriftReport) -> None:
    """One card per outcome: these are reasons to act."""
    st.subheader("Quality")
    columns = st.columns(len(report.outcomes))
    for column, row in zip(columns, report.outcomes, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(
                capitalised(row.label),
                in_own_unit(row, row.now),
                delta=f"{in_own_unit(row, row.before)} before",
                delta_color="off",
                delta_arrow="off",
            )
            _show_verdict(row)
    for row in report.outcomes:
        show_evidence(row)


def _show_verdict(row: FeatureDrift) -> None:
    if row.is_alarm:
        st.error(verdict(row), icon=":material/notifications_active:")
    elif row.num_moved:
        st.warning(verdict(row), icon=":material/warning:")
    else:
        icon = "check" if row.drift.statistic is not None else "hourglass_empty"
        st.markdown(f":material/{icon}: {verdict(row)}")
    limits = (
        f"Distance {number(row.drift.statistic)}, alert above {number(row.drift.threshold)}; "
        if row.drift.statistic is not None
        else ""
    )
    st.caption(f"{limits}n = {row.drift.num_baseline} + {row.drift.num_current} clips.")


def show_inputs(report: DriftReport) -> None:
    """The watched features, moved ones first, and all of them together."""
    st.subheader("What comes in")
    num_moved = sum(row.num_moved > 0 for row in report.inputs)
    st.caption(
        f"{num_moved} of {len(report.inputs)} features moved more than chance explains. Such "
        "moves explain a change of quality; alone they are no reason to worry. The distance is in "
        "interquartile ranges of the baseline window; its threshold comes from dealing whole "
        "recordings out to the two windows at random. What moves in two of three windows is an "
        "alarm."
    )
    domain = report.domain
    if domain is not None:
        told = "tells" if domain.is_alert else "cannot tell"
        st.markdown(
            f"A classifier that sees all features {told} the windows apart: area under the curve "
            f"{domain.auc:.2f}, where 0.50 is guessing and chance reaches {domain.threshold:.2f}."
        )
    table = drift_table(report.inputs)
    st.dataframe(
        table,
        column_config=DRIFT_COLUMNS,
        key="drift.table",
        hide_index=True,
        height="content",
        placeholder="",
    )
    st.download_button(
        "CSV",
        table.to_csv(index=False),
        file_name="werkbench-drift.csv",
        mime="text/csv",
        key="drift.table.csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )
    for row in report.inputs:
        show_evidence(row)
