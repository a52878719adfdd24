"""Everything there is to know about one clip: the same on the intake and the library page."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from qe_core.types import Estimate, Segment, Transcript
from ui.charts.waveform import waveform
from ui.formats import interval, percent, plain
from ui.player import show_player
from workbench.library import ClipDetails

__all__ = ["show_clip", "show_flag", "show_verdict"]

_TABLE_ROWS = 8
_ROW_HEIGHT = 35
_PLAIN = {"displayModeBar": False}


def show_clip(details: ClipDetails, *, key: str) -> None:
    """Show transcript, estimate, sound and segments of a clip.

    Args:
        details: from the library use case
        key: makes the widgets of this view unique on the page
    """
    transcript, assessment = details.transcript, details.assessment
    if transcript is None or assessment is None:
        st.plotly_chart(
            waveform(details.peaks, details.clip.duration_s), key=f"{key}.waveform", config=_PLAIN
        )
        show_player(details.clip.id, details.media_path)
        return
    show_verdict(assessment.estimate, is_flagged=assessment.flagged)
    _show_transcript(transcript)
    st.plotly_chart(
        waveform(
            details.peaks,
            details.clip.duration_s,
            transcript.segments,
            assessment.estimate.segment_expected_errors,
        ),
        key=f"{key}.waveform",
        config=_PLAIN,
    )
    _show_segments(details, transcript.segments, assessment.estimate, key)


def show_verdict(estimate: Estimate, *, is_flagged: bool) -> None:
    """Show predicted WER, interval, flag and reasons in one line and a list."""
    with st.container(horizontal=True, gap="large", vertical_alignment="center"):
        st.metric("Predicted WER", percent(estimate.predicted_wer), width="content")
        st.metric(
            f"{percent(estimate.interval_level)} interval",
            interval(estimate.low, estimate.high),
            width="content",
        )
        st.metric(
            "Expected errors",
            f"{estimate.expected_errors:.1f} of {estimate.expected_words:.0f} words",
            width="content",
        )
        show_flag(is_flagged=is_flagged)
    if estimate.reasons:
        st.caption("Why it is flagged" if is_flagged else "What speaks against it")
        st.markdown("\n".join(f"- {plain(reason.text)}" for reason in estimate.reasons))


def show_flag(*, is_flagged: bool) -> None:
    """Say whether review is recommended."""
    if is_flagged:
        st.badge("Flagged for review", icon=":material/flag:", color="orange")
    else:
        st.badge("Not flagged", icon=":material/check:", color="gray")


def _show_transcript(transcript: Transcript) -> None:
    with st.container(border=True):
        if transcript.text:
            st.text(transcript.text)
        else:
            st.caption("The engine wrote no words.")
    st.caption(
        f"Hypothesis by {plain(transcript.engine)} ({plain(transcript.model)}), "
        f"language {plain(transcript.language)}."
    )


def _show_segments(
    details: ClipDetails, segments: Sequence[Segment], estimate: Estimate, key: str
) -> None:
    if not segments:
        show_player(details.clip.id, details.media_path)
        return
    st.caption("Choose a row to hear that segment.")
    event = st.dataframe(
        pd.DataFrame(_segment_rows(segments, estimate.segment_expected_errors)),
        key=f"{key}.segments",
        hide_index=True,
        height=_ROW_HEIGHT * (min(len(segments), _TABLE_ROWS) + 1) + 3,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "start": st.column_config.NumberColumn("Start (s)", format="%.1f", width=70),
            "end": st.column_config.NumberColumn("End (s)", format="%.1f", width=70),
            "text": st.column_config.TextColumn("Hypothesis", width="large"),
            "confidence": st.column_config.NumberColumn(
                "Confidence", format="%.0f %%", width=90, help="Mean of the engine's own."
            ),
            "errors": st.column_config.NumberColumn("Expected errors", format="%.1f", width=120),
        },
    )
    rows = event["selection"]["rows"]
    if rows:
        segment = segments[rows[0]]
        show_player(
            details.clip.id, details.media_path, start_s=segment.start_s, end_s=segment.end_s
        )
    else:
        show_player(details.clip.id, details.media_path)


def _segment_rows(
    segments: Sequence[Segment], expected_errors: Sequence[float]
) -> list[dict[str, Any]]:
    known = expected_errors if len(expected_errors) == len(segments) else [None] * len(segments)
    return [
        {
            "start": segment.start_s,
            "end": segment.end_s,
            "text": segment.text,
            "confidence": _mean_confidence(segment),
            "errors": errors,
        }
        for segment, errors in zip(segments, known, strict=True)
    ]


def _mean_confidence(segment: Segment) -> float | None:
    if not segment.words:
        return None
    return 100 * sum(word.confidence for word in segment.words) / len(segment.words)
