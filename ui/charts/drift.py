"""How a feature moved from the baseline window to the current one."""

import plotly.graph_objects as go

from ui.charts.style import BLUE, GREY, styled
from workbench.drift import Series

__all__ = ["over_time"]

_PREDICTED_WER = "predicted_wer"


def over_time(series: Series, *, height: int = 210) -> go.Figure:
    """One feature over time, the two windows told apart by colour and marker.

    Args:
        series: medians per bucket; pooled for the predicted WER
        height: in pixels

    Returns:
        the figure
    """
    figure = go.Figure()
    for is_current, name, color, symbol in (
        (False, "baseline", GREY, "circle"),
        (True, "current", BLUE, "diamond"),
    ):
        points = [point for point in series.points if point.is_current == is_current]
        figure.add_scatter(
            x=[point.at for point in points],
            y=[point.value for point in points],
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 1.5},
            marker={"color": color, "size": 6, "symbol": symbol},
            customdata=[point.num_clips for point in points],
            hovertemplate="%{x|%Y-%m-%d %H:%M} UTC<br>%{y:.3g}, %{customdata} clips<extra></extra>",
        )
    is_wer = series.name == _PREDICTED_WER
    title = series.label[0].upper() + series.label[1:]
    styled(
        figure,
        title=f"{title}{', pooled' if is_wer else ', median'}",
        x_title="",
        y_title="" if is_wer else series.unit,
        height=height,
    )
    figure.update_layout(showlegend=False, margin={"t": 40})
    if is_wer:
        figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure
