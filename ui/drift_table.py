"""Drift as a table: every outcome and feature in its own unit, with what stands behind a move."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from ui import state
from ui.formats import capitalised, percent, plain, when
from workbench.drift import COVERAGE, OUTCOME, RESIDUAL, FeatureDrift

__all__ = ["DRIFT_COLUMNS", "drift_table", "in_own_unit", "show_evidence", "verdict"]

_LIBRARY = Path(__file__).resolve().parents[1] / "pages" / "library.py"

# Three digits of a larger number would be written with an exponent.
_MANY = 100

DRIFT_COLUMNS = {
    "feature": st.column_config.TextColumn("Feature", width="medium"),
    "baseline": st.column_config.TextColumn("Baseline median"),
    "current": st.column_config.TextColumn("Current median"),
    "clips": st.column_config.TextColumn("Clips", help="baseline window + current window"),
    "distance": st.column_config.NumberColumn("Distance", format="%.2f"),
    "threshold": st.column_config.NumberColumn("Alert above", format="%.2f"),
    "verdict": st.column_config.TextColumn("Verdict", width="medium"),
}


def drift_table(rows: Sequence[FeatureDrift]) -> pd.DataFrame:
    """The rows as a table for :data:`DRIFT_COLUMNS`."""
    return pd.DataFrame(
        {
            "feature": [row.label for row in rows],
            "baseline": [in_own_unit(row, row.before) for row in rows],
            "current": [in_own_unit(row, row.now) for row in rows],
            "clips": [f"{row.drift.num_baseline} + {row.drift.num_current}" for row in rows],
            "distance": [row.drift.statistic for row in rows],
            "threshold": [row.drift.threshold for row in rows],
            "verdict": [verdict(row) for row in rows],
        }
    )


def verdict(row: FeatureDrift) -> str:
    """What became of a row, in a few words."""
    if row.drift.statistic is None:
        return "Too few clips to tell"
    if row.is_alarm:
        return f"Alarm: moved in {row.num_moved} of {row.num_windows} windows"
    if row.num_moved:
        return "Moved in this window"
    return "Steady"


def in_own_unit(row: FeatureDrift, value: float | None) -> str:
    """A value of a row with its unit."""
    if value is None:
        return "–"
    if row.name == RESIDUAL:
        return f"{100 * value:+.1f} points"
    if row.name in (OUTCOME, COVERAGE) or row.name.endswith("_share"):
        return percent(value)
    shown = f"{value:.0f}" if abs(value) >= _MANY else f"{value:.3g}"
    return f"{shown} {row.unit}".strip()


def show_evidence(row: FeatureDrift) -> None:
    """Since when, in which source, and three clips to listen to."""
    evidence = row.evidence
    if evidence is None:
        return
    parts = [
        f"**{plain(capitalised(row.label))}**: "
        f"{in_own_unit(row, row.before)} → {in_own_unit(row, row.now)}"
    ]
    if evidence.since is not None:
        parts.append(f"probably since {when(evidence.since)}")
    if evidence.source is not None:
        parts.append(
            f"most in source “{plain(evidence.source)}” "
            f"({in_own_unit(row, evidence.source_before)} → "
            f"{in_own_unit(row, evidence.source_now)})"
        )
    st.markdown(", ".join(parts) + ". Listen to:")
    with st.container(horizontal=True):
        for clip in evidence.clips:
            st.page_link(
                _LIBRARY,
                label=f"{plain(clip.file_name)} ({in_own_unit(row, clip.value)})",
                query_params={state.CLIP: clip.clip_id},
                icon=":material/graphic_eq:",
            )
