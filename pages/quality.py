"""Quality: how good the transcripts are, and how good the predictions about them."""

from pathlib import Path

import pandas as pd
import streamlit as st

from qe_core.monitoring.stream import StreamWer
from ui.agreement import show_agreement
from ui.charts.quality import actual_against_predicted, calibration
from ui.formats import clock, interval, number, percent
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import quality
from workbench.quality import QualitySummary

_REVIEW = Path(__file__).with_name("review.py")


def _show_page() -> None:
    st.title("Quality")
    with shown_errors():
        runtime = open_runtime()
        summary = quality.summary(runtime)
        _show_counts(summary)
        _show_stream(summary)
        if not summary.pairs:
            st.info("Nothing to compare yet: review a few clips, and this page fills.")
            st.page_link(_REVIEW, label="Go to review", icon=":material/edit_note:")
            return
        _show_predictions(summary)
        _show_errors(summary)
        show_agreement(runtime)


def _show_counts(summary: QualitySummary) -> None:
    counts = summary.counts
    columns = st.columns(5)
    columns[0].metric("Clips", counts.num_clips, border=True)
    columns[1].metric("Flagged", counts.num_flagged, border=True)
    columns[2].metric("Reviewed", counts.num_reviewed, border=True)
    columns[3].metric("Audio", clock(3600 * counts.hours), border=True)
    columns[4].metric("Audio reviewed", clock(3600 * counts.reviewed_hours), border=True)


def _show_stream(summary: QualitySummary) -> None:
    st.subheader("WER of all transcripts")
    stream = summary.stream
    if not isinstance(stream, StreamWer):
        predicted = (
            f" The estimates alone say {percent(stream.predicted_wer)}, unchecked."
            if stream.predicted_wer is not None
            else ""
        )
        st.info(
            f"Too few audits to tell: {stream.num_audits} of {stream.min_audits} audits, from "
            f"{stream.num_recordings} of {stream.min_recordings} recordings.{predicted} "
            "Audits are clips that the review queue draws at random.",
            icon=":material/hourglass_empty:",
        )
        return
    combined, classical = stream.combined, stream.classical
    columns = st.columns(3)
    level = percent(combined.level)
    columns[0].metric("WER of the stream", percent(combined.wer), border=True)
    columns[1].metric(f"{level} interval", interval(combined.low, combined.high), border=True)
    columns[2].metric(
        f"From {stream.num_audits} audits alone",
        f"{percent(classical.wer)} ({interval(classical.low, classical.high)})",
        border=True,
    )
    st.caption(
        "Estimates of all clips, corrected by what audits found. This speaks for every clip, "
        "reviewed or not; the figures below speak only for reviewed clips."
    )


def _show_predictions(summary: QualitySummary) -> None:
    st.subheader("Predictions against reviews")
    columns = st.columns(4)
    columns[0].metric("Compared clips", len(summary.pairs), border=True)
    columns[1].metric("Mean absolute error", percent(summary.mae), border=True)
    columns[2].metric("Rank correlation", number(summary.spearman), border=True)
    columns[3].metric("Inside the interval", percent(summary.coverage), border=True)
    left, right = st.columns(2, gap="medium")
    with left:
        st.plotly_chart(actual_against_predicted(summary.pairs), key="quality.pairs")
        st.caption(
            "Dots on the dotted line were predicted exactly; above it the transcript was worse "
            "than predicted. Bars are the predicted intervals."
        )
    with right:
        if summary.bins:
            st.plotly_chart(calibration(summary.bins), key="quality.calibration")
            st.caption(
                "Clips with similar predictions are grouped. On the dotted line predictions can "
                "be taken at their word; above it errors are underestimated."
            )
        else:
            st.info("Calibration appears from ten compared clips on.")


def _show_errors(summary: QualitySummary) -> None:
    st.subheader("Word errors in reviewed clips")
    errors = summary.errors
    columns = st.columns(5)
    columns[0].metric("Pooled WER", percent(errors.wer), border=True)
    columns[1].metric("Substitutions", errors.substitutions, border=True)
    columns[2].metric("Deletions", errors.deletions, border=True)
    columns[3].metric("Insertions", errors.insertions, border=True)
    columns[4].metric("Reference words", errors.num_reference_words, border=True)
    st.caption(
        "All errors over all reference words, never a mean of rates. Reviewed clips were mostly "
        "chosen because errors were expected, so they tend to be worse than the stream."
    )
    rows = [(m.reference or "–", m.hypothesis or "–", m.num_times) for m in summary.confusions]
    st.dataframe(pd.DataFrame(rows, columns=["Said", "Written", "Times"]), hide_index=True)


_show_page()
