"""Colours and layout that all charts share; readable on a light and on a dark page."""

import plotly.graph_objects as go

__all__ = ["BAND", "BLUE", "GREY", "PALE", "VERMILLION", "error_color", "styled"]

GREY = "#8A96A3"
PALE = "rgba(138, 150, 163, 0.35)"
BLUE = "#2E8BC0"
BAND = "rgba(46, 139, 192, 0.22)"
VERMILLION = "#D55E00"


def error_color(rate: float) -> str:
    """From unremarkable grey to vermillion; told apart without telling red from green.

    Args:
        rate: expected errors per word in [0, 1]

    Examples:
        >>> error_color(0.0), error_color(1.0)
        ('#8a96a3', '#d55e00')
    """
    ends = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in (GREY, VERMILLION)]
    mixed = [round(low + rate * (high - low)) for low, high in zip(*ends, strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)


def styled(
    figure: go.Figure, *, title: str, x_title: str, y_title: str, height: int = 320
) -> go.Figure:
    """Give a figure its title, axis titles with units, and the common margins.

    Args:
        figure: with its traces
        title: what the chart shows, as a sentence without a full stop
        x_title: name and unit of the horizontal axis
        y_title: name and unit of the vertical axis
        height: in pixels

    Returns:
        the same figure
    """
    return figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "y": 0.97, "yanchor": "top"},
        xaxis={"title": {"text": x_title}, "zeroline": False},
        yaxis={"title": {"text": y_title}, "zeroline": False},
        height=height,
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
    )
