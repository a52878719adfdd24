"""How a feature moved from the baseline window to the current one."""

import plotly.graph_objects as go

from ui.charts.style import BLUE, GREY, styled
from workbench.drift import Series

__all__ = ["over_time"]

_PREDICTED_WER = "predicted_wer"


def over_time(series: Series, *, height: int = 190) -> go.Figure:
    """One feature over time, the two windows told apart by colour and marker.

    Args:
        series: medians per bucket; pooled for the predicted WER
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
            customdata=[point.num_clips for point in points],
            hovertemplate="%{x|%Y-%m-%d %H:%M} UTC<br>%{y:.3g}, %{customdata} clips<extra></extra>",
        )
    title = series.label[0].upper() + series.label[1:]
    styled(
        figure,
        title=f"{title}{', pooled' if is_wer else ', median'}",
        x_title="",
        y_title="" if is_wer else series.unit,
        height=height,
    )
    figure.update_layout(showlegend=False, margin={"t": 40})
    figure.update_yaxes(exponentformat="none", nticks=4)
    if is_wer:
        figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    return figure
