"""How good all transcripts are, reviewed or not."""

import pandas as pd
import streamlit as st

from qe_core.monitoring.stream import StreamWer, TooFewAudits
from ui.charts.frame import show_chart
from ui.charts.quality import stream_history
from ui.formats import counted, interval, percent
from workbench import quality
from workbench.quality import StreamPoint
from workbench.runtime import Runtime

__all__ = ["show_stream"]


def show_stream(runtime: Runtime) -> None:
    """The WER of the stream as a whole and over time."""
    st.subheader("WER of all transcripts")
    stream = quality.stream(runtime)
    if isinstance(stream, StreamWer):
        _show_figures(stream)
    else:
        _show_too_few(stream)
    points = quality.history(runtime)
    if any(point.num_reviewed for point in points):
        show_chart(
            stream_history(points),
            name="quality.stream",
            note="Blue: every clip, by estimates that audits correct; the band holds the truth 19 "
            "times out of 20. Where it is missing, fewer than 20 audits are in. Grey: only the "
            "clips that happened to be reviewed. They were mostly chosen because errors were "
            "expected, so the grey line says little about the stream.",
            data=_table(points),
        )


def _show_figures(stream: StreamWer) -> None:
    combined, classical = stream.combined, stream.classical
    columns = st.columns(3)
    level = percent(combined.level)
    columns[0].metric("WER of the stream", percent(combined.wer), border=True)
    columns[1].metric(f"{level} interval", interval(combined.low, combined.high), border=True)
    columns[2].metric(
        f"From {counted(stream.num_audits, 'audit')} alone",
        f"{percent(classical.wer)} ({interval(classical.low, classical.high)})",
        border=True,
    )


def _show_too_few(stream: TooFewAudits) -> None:
    predicted = (
        f" The estimates alone say {percent(stream.predicted_wer)}, unchecked."
        if stream.predicted_wer is not None
        else ""
    )
    st.info(
        f"Too few audits to tell: {stream.num_audits} of {stream.min_audits} audits, from "
        f"{stream.num_recordings} of {stream.min_recordings} recordings.{predicted} "
        "Audits are clips that the review queue draws at random; those that taught the model in "
        "use do not count.",
        icon=":material/hourglass_empty:",
    )


def _table(points: tuple[StreamPoint, ...]) -> pd.DataFrame:
    rows = []
    for point in points:
        found = point.wer.combined if isinstance(point.wer, StreamWer) else None
        rows.append(
            {
                f"{point.unit} from (UTC)": point.start.date(),
                "clips": point.num_clips,
                "audits": point.wer.num_audits,
                "reviewed clips": point.num_reviewed,
                "stream WER": found.wer if found else None,
                "low": found.low if found else None,
                "high": found.high if found else None,
                "WER of reviewed clips": point.naive_wer,
            }
        )
    return pd.DataFrame(rows)
