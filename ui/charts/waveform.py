"""The sound of a clip, coloured by where the transcript is probably wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from qe_core.types import FloatArray, Segment
from ui.charts.style import GREY, PALE, VERMILLION, error_color, styled
from ui.formats import chart_text, seconds

__all__ = ["error_rates", "waveform"]

Values = npt.NDArray[np.floating[Any]]

_MAX_BARS = 700
_MAX_HOVER_CHARACTERS = 90


def error_rates(segments: Sequence[Segment], expected_errors: Sequence[float]) -> list[float]:
    """Expected errors per word of each segment, at most 1.

    Args:
        segments: of the transcript
        expected_errors: one per segment, or empty when the estimator gives none

    Returns:
        one rate per segment; 0 where nothing is known
    """
    if len(expected_errors) != len(segments):
        return [0.0] * len(segments)
    return [
        min(errors / max(len(segment.words) or len(segment.text.split()), 1), 1.0)
        for segment, errors in zip(segments, expected_errors, strict=True)
    ]


def waveform(
    peaks: FloatArray,
    duration_s: float,
    segments: Sequence[Segment] = (),
    expected_errors: Sequence[float] = (),
) -> go.Figure:
    """Draw the peaks of a clip with its segments coloured by expected errors per word.

    Args:
        peaks: smallest and largest sample per bin in [-1, 1], shape ``(num_bins, 2)``
        duration_s: length of the clip
        segments: of the transcript, in time order
        expected_errors: one per segment, or empty

    Returns:
        the figure; stretches that no segment covers are pale
    """
    bars = _fewer_bars(peaks)
    width_s = duration_s / max(len(bars), 1)
    middles_s = (np.arange(len(bars)) + 0.5) * width_s
    owner = _owners(middles_s, segments)
    figure = go.Figure()
    uncovered = owner < 0
    figure.add_bar(
        x=middles_s[uncovered],
        y=(bars[:, 1] - bars[:, 0])[uncovered],
        base=bars[uncovered, 0],
        width=width_s,
        marker={"color": PALE, "line": {"width": 0}},
        hovertemplate="%{x:.1f} s: no words<extra></extra>",
    )
    if segments:
        rates = np.asarray(error_rates(segments, expected_errors))
        covered = owner[~uncovered]
        figure.add_bar(
            x=middles_s[~uncovered],
            y=(bars[:, 1] - bars[:, 0])[~uncovered],
            base=bars[~uncovered, 0],
            width=width_s,
            marker={"color": [error_color(rates[index]) for index in covered]},
            customdata=[_hover(segments[index], rates[index]) for index in covered],
            hovertemplate="%{customdata}<extra></extra>",
        )
        figure.add_scatter(**_color_bar())
    styled(
        figure,
        title="Sound by expected errors of each segment",
        x_title="Time (s)",
        y_title="Amplitude (full scale)",
        height=240,
    )
    figure.update_layout(showlegend=False, bargap=0, barmode="overlay")
    figure.update_xaxes(range=[0, duration_s])
    figure.update_yaxes(range=[-1.02, 1.02], tickvals=[-1, 0, 1])
    return figure


def _color_bar() -> dict[str, Any]:
    """A scale beside the chart; bars that are coloured by number fill the console with warnings."""
    return {
        "x": [None],
        "y": [None],
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {
            "color": [0.0],
            "colorscale": [[0.0, GREY], [1.0, VERMILLION]],
            "cmin": 0.0,
            "cmax": 1.0,
            "showscale": True,
            "colorbar": {
                "title": {"text": "Expected errors<br>per word", "side": "top"},
                "thickness": 10,
                "tickvals": [0, 0.5, 1],
                "ticktext": ["0", "0.5", "1"],
            },
        },
    }


def _fewer_bars(peaks: FloatArray) -> FloatArray:
    """Merge neighbouring bins until there is about one bar per pixel."""
    step = int(np.ceil(len(peaks) / _MAX_BARS))
    if step <= 1:
        return peaks
    starts = np.arange(0, len(peaks), step)
    return np.stack(
        [np.minimum.reduceat(peaks[:, 0], starts), np.maximum.reduceat(peaks[:, 1], starts)],
        axis=1,
    )


def _owners(middles_s: Values, segments: Sequence[Segment]) -> npt.NDArray[np.int_]:
    owner = np.full(len(middles_s), -1)
    for index, segment in enumerate(segments):
        owner[(middles_s >= segment.start_s) & (middles_s < segment.end_s)] = index
    return owner


def _hover(segment: Segment, rate: float) -> str:
    text = segment.text
    if len(text) > _MAX_HOVER_CHARACTERS:
        text = f"{text[:_MAX_HOVER_CHARACTERS]}…"
    return (
        f"{seconds(segment.start_s)} – {seconds(segment.end_s)}<br>"
        f"{rate:.2f} expected errors per word<br>{chart_text(text)}"
    )
