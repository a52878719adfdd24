"""What was predicted against what reviewers found."""

import pandas as pd
import streamlit as st

from ui.charts.frame import show_chart
from ui.charts.quality import (
    MAX_INTERVALS,
    actual_against_predicted,
    calibration,
    slice_residuals,
)
from ui.formats import counted, interval, number, percent, plain
from workbench.comparison import SLICES, Comparison, SliceTable

__all__ = ["show_predictions", "show_slices"]

_AUDITS = "Audits"
_ALL = "All reviewed clips"


def show_predictions(found: Comparison) -> None:
    """Clip by clip and by predicted WER."""
    st.subheader("Predictions against reviews")
    columns = st.columns(4)
    columns[0].metric("Compared clips", found.num_clips, border=True)
    columns[1].metric("Mean absolute error", percent(found.mae), border=True)
    columns[2].metric("Rank correlation", number(found.spearman), border=True)
    columns[3].metric("Inside the interval", percent(found.coverage), border=True)
    pairs = found.pairs()
    left, right = st.columns(2, gap="medium")
    with left:
        shown = (
            f"The newest {len(pairs)} of {found.num_clips} clips. "
            if len(pairs) < found.num_clips
            else ""
        )
        show_chart(
            actual_against_predicted(pairs),
            name="quality.pairs",
            note=f"{shown}Dots on the dotted line were predicted exactly; above it the transcript "
            f"was worse than predicted. {_bars(len(pairs))}",
            data=pd.DataFrame(pairs),
        )
    with right:
        if found.bins:
            show_chart(
                calibration(found.bins),
                name="quality.calibration",
                note="Clips with similar predictions are grouped. On the dotted line predictions "
                "can be taken at their word; above it errors are underestimated.",
                data=pd.DataFrame(found.bins),
            )
        else:
            st.info("Calibration appears from ten compared clips on.")


def _bars(num_clips: int) -> str:
    if num_clips <= MAX_INTERVALS:
        return "Bars are the predicted intervals."
    return "Orange dots lie outside the interval that was predicted for them."


def show_slices(found: Comparison) -> None:
    """In which part of the stream the predictions are off."""
    st.subheader("Where predictions are off")
    columns = st.columns([2, 3])
    kind = columns[0].selectbox(
        "Slice by",
        SLICES,
        format_func=str.capitalize,
        key="quality.slice",
        persist_state="session",
    )
    chosen = columns[1].segmented_control(
        "Clips",
        [_AUDITS, _ALL],
        default=_AUDITS,
        key="quality.slice.clips",
        help="Audits are drawn at random. Others were picked because errors were expected: of "
        "what is picked for a high estimate, some is always overestimated.",
    )
    table = found.by_slice(kind, only_audits=chosen != _ALL)
    if not table.rows:
        st.info("No clips yet: audits are clips that the review queue draws at random.")
        return
    _name_worst(table, kind)
    num_small = sum(row.is_small for row in table.rows)
    small = f" Pale: {num_small} slices with too few clips to tell." if num_small else ""
    more = f" {table.num_left_out} smaller slices are left out." if table.num_left_out else ""
    show_chart(
        slice_residuals(table.rows, kind),
        name="quality.slices",
        note="Right of zero the transcripts are worse than predicted, left of it better; the bar "
        f"is the 95 % interval, by recording.{small}{more}",
        data=pd.DataFrame(table.rows),
    )


def _name_worst(table: SliceTable, kind: str) -> None:
    worst = table.worst
    if worst is None:
        st.success(f"No {kind} stands out beyond chance.", icon=":material/check:")
        return
    st.warning(
        f"Worst: **{plain(worst.name)}**. {percent(worst.actual_wer)} of the words are wrong, "
        f"{percent(worst.predicted_wer)} were predicted: {100 * worst.residual:+.0f} points "
        f"({interval(worst.low, worst.high)}), from {counted(worst.num_clips, 'clip')} of "
        f"{counted(worst.num_recordings, 'recording')}.",
        icon=":material/priority_high:",
    )
