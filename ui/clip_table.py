"""Clips as rows: inert text, numbers that sort."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ui.formats import interval
from workbench.library import ClipRow

__all__ = ["CLIP_COLUMNS", "clip_table"]

# What tells a clip from others comes first: a narrow window shows the first columns only.
CLIP_COLUMNS = {
    "name": st.column_config.TextColumn("Name", width="medium"),
    "wer": st.column_config.NumberColumn("Predicted WER", format="%.0f %%", width=90),
    "flag": st.column_config.TextColumn("Flag", width=70),
    "text": st.column_config.TextColumn("Hypothesis", width=260),
    "review": st.column_config.TextColumn("Review", width=80),
    "actual": st.column_config.NumberColumn("Actual WER", format="%.0f %%", width=80),
    "interval": st.column_config.TextColumn("Interval", width=80),
    "length": st.column_config.NumberColumn("Length (s)", format="%.1f", width=80),
    "source": st.column_config.TextColumn("Source", width=80),
    "created": st.column_config.DatetimeColumn("Added (UTC)", format="YYYY-MM-DD HH:mm"),
}

_VERDICTS = {"accept": "Accepted", "correct": "Corrected", "reject": "Rejected"}
_NOT_READY = {"queued": "Queued", "running": "Under way", "failed": "Failed"}


def clip_table(rows: Sequence[ClipRow]) -> pd.DataFrame:
    """The rows as a table for :data:`CLIP_COLUMNS`."""
    return pd.DataFrame(
        {
            "name": [row.file_name for row in rows],
            "wer": [_percent(row.predicted_wer) for row in rows],
            "flag": [_flag(row) for row in rows],
            "text": [row.text or "" for row in rows],
            "review": [_VERDICTS.get(row.verdict or "", "") for row in rows],
            "actual": [_percent(row.actual_wer) for row in rows],
            "interval": [interval(row.low, row.high) for row in rows],
            "length": [row.duration_s for row in rows],
            "source": [row.source.capitalize() for row in rows],
            "created": [row.created_at for row in rows],
        }
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _flag(row: ClipRow) -> str:
    if row.flagged is None:
        return _NOT_READY.get(row.state, "")
    return "Flagged" if row.flagged else ""
