"""Drift as a table: every feature in its own unit."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.drift import FeatureDrift

__all__ = ["DRIFT_COLUMNS", "drift_table"]

_NUMBER = "%.3g"

DRIFT_COLUMNS = {
    "feature": st.column_config.TextColumn("Feature", width="medium"),
    "unit": st.column_config.TextColumn("Unit", width=60),
    "baseline": st.column_config.NumberColumn("Baseline median", format=_NUMBER),
    "current": st.column_config.NumberColumn("Current median", format=_NUMBER),
    "shift": st.column_config.NumberColumn("Shift", format="%+.3g"),
    "distance": st.column_config.NumberColumn("Distance", format="%.2f"),
    "threshold": st.column_config.NumberColumn("Alert above", format="%.2f"),
    "verdict": st.column_config.TextColumn("Verdict", width="small"),
}


def drift_table(rows: Sequence[FeatureDrift]) -> pd.DataFrame:
    """The rows as a table for :data:`DRIFT_COLUMNS`."""
    return pd.DataFrame(
        {
            "feature": [row.label for row in rows],
            "unit": [row.unit for row in rows],
            "baseline": [row.drift.baseline_median for row in rows],
            "current": [row.drift.current_median for row in rows],
            "shift": [row.drift.shift for row in rows],
            "distance": [row.drift.statistic for row in rows],
            "threshold": [row.drift.threshold for row in rows],
            "verdict": [_verdict(row) for row in rows],
        }
    )


def _verdict(row: FeatureDrift) -> str:
    if row.drift.statistic is None:
        return "Too few clips"
    return "Moved" if row.drift.is_alert else "Steady"
