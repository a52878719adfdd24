"""How a feature moved from the baseline window to the current one."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from qe_core.monitoring.drift import ColumnDrift
from ui.charts.style import BLUE, GREY, VERMILLION, styled
from ui.formats import capitalised, chart_text, counted
from workbench.annotations import Annotation
from workbench.drift import Reset, Series

__all__ = ["over_time"]

_PREDICTED_WER = "predicted_wer"
_MAX_LABEL = 24
# From here on a label on the right of its line would leave the chart.
_LATE = 0.6


def over_time(
    series: Series,
    judged: ColumnDrift | None = None,
    annotations: Sequence[Annotation] = (),
    resets: Sequence[Reset] = (),
    *,
    height: int = 256,
) -> go.Figure:
    """One feature over time, the two windows told apart by colour and marker.

    Args:
        series: medians per stretch of time; pooled for the predicted WER
        judged: what the comparison says; shown with its threshold and sizes
        annotations: named moments
        resets: where the baseline began anew
        height: in pixels

    Returns:
        the figure
    """
    is_wer = series.name == _PREDICTED_WER
    scale = 100 if is_wer else 1
    figure = go.Figure()
    for is_current, name, color, symbol in (
        (False, "baseline", GREY, "circle"),
        (True, "current", BLUE, "diamond"),
    ):
        points = [point for point in series.points if point.is_current == is_current]
        figure.add_scatter(
            x=[point.at for point in points],
            y=[scale * point.value for point in points],
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 1.5},
            marker={"color": color, "size": 6, "symbol": symbol},
            customdata=[counted(point.num_clips, "clip") for point in points],
            hovertemplate="%{x|%Y-%m-%d %H:%M} UTC<br>%{y:.3g}, %{customdata}<extra></extra>",
        )
    _mark(figure, series, annotations, resets)
    title = capitalised(series.label)
    styled(
        figure,
        title=f"{title}{', pooled' if is_wer else ', median'}{_subtitle(judged)}",
        x_title="Came in (UTC)",
        y_title="WER" if is_wer else series.unit or "Share",
        height=height,
    )
    # The second line of the title would push the first one out of the picture.
    figure.update_layout(showlegend=False, margin={"t": 76}, title={"y": 0.9})
    figure.update_yaxes(exponentformat="none", nticks=4)
    if not (is_wer or series.unit):
        figure.update_yaxes(rangemode="nonnegative")
    if is_wer:
        figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    return figure


def _subtitle(judged: ColumnDrift | None) -> str:
    if judged is None:
        return ""
    size = f"n = {judged.num_baseline} + {judged.num_current}"
    if judged.statistic is None or judged.threshold is None:
        return f"<br><sub>{size}: too few clips to tell</sub>"
    moved = "moved" if judged.is_alert else "steady"
    return (
        f"<br><sub>{moved}: distance {judged.statistic:.2f}, alert above "
        f"{judged.threshold:.2f}; {size}</sub>"
    )


def _mark(
    figure: go.Figure,
    series: Series,
    annotations: Sequence[Annotation],
    resets: Sequence[Reset],
) -> None:
    """Lines only where the chart is: a line from last year would stretch it."""
    marks: list[tuple[datetime, str, str]] = [
        *((one.at, one.text, GREY) for one in annotations),
        *((one.at, one.what, VERMILLION) for one in resets),
    ]
    first, last = (series.points[index].at for index in (0, -1))
    late = first + (last - first) * _LATE
    for at, text, color in marks:
        if first.date() <= at.date() <= last.date():
            label = text if len(text) <= _MAX_LABEL else f"{text[:_MAX_LABEL]}…"
            moment = max(at, first)
            figure.add_shape(
                type="line",
                x0=moment,
                x1=moment,
                y0=0,
                y1=1,
                yref="paper",
                line={"color": color, "dash": "dot", "width": 1.5},
            )
            figure.add_annotation(
                x=moment,
                y=1,
                yref="paper",
                text=chart_text(label),
                showarrow=False,
                xanchor="right" if moment > late else "left",
                yanchor="top",
                font={"size": 10, "color": color},
            )
