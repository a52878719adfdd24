"""What was predicted against what reviewers found."""

from collections.abc import Sequence

import plotly.graph_objects as go

from qe_core.estimation.evaluation import CalibrationBin
from ui.charts.style import BLUE, GREY, PALE, VERMILLION, styled
from ui.formats import chart_text, interval, percent
from workbench.quality import ClipPair

__all__ = ["actual_against_predicted", "calibration"]

_MIN_SPAN = 0.5


def actual_against_predicted(pairs: Sequence[ClipPair]) -> go.Figure:
    """One dot per reviewed clip with the interval that was predicted for it.

    Args:
        pairs: predicted and actual WER of reviewed clips

    Returns:
        the figure; dots outside their interval are vermillion
    """
    span = 105 * max([_MIN_SPAN, *(max(pair.predicted_wer, pair.actual_wer) for pair in pairs)])
    figure = go.Figure()
    figure.add_scatter(**_diagonal(span, "exact"))
    inside = [pair for pair in pairs if pair.low <= pair.actual_wer <= pair.high]
    outside = [pair for pair in pairs if not pair.low <= pair.actual_wer <= pair.high]
    for group, name, color in (
        (inside, "inside its interval", BLUE),
        (outside, "outside its interval", VERMILLION),
    ):
        figure.add_scatter(
            x=[100 * pair.predicted_wer for pair in group],
            y=[100 * pair.actual_wer for pair in group],
            mode="markers",
            name=name,
            marker={"color": color, "size": 8},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * max(pair.high - pair.predicted_wer, 0.0) for pair in group],
                "arrayminus": [100 * max(pair.predicted_wer - pair.low, 0.0) for pair in group],
                "color": PALE,
                "thickness": 1.5,
                "width": 0,
            },
            customdata=[_hover(pair) for pair in group],
            hovertemplate="%{customdata}<extra></extra>",
        )
    styled(
        figure,
        title="Actual against predicted WER of each reviewed clip",
        x_title="Predicted WER",
        y_title="Actual WER",
        height=380,
    )
    return _in_percent(figure, span)


def calibration(bins: Sequence[CalibrationBin]) -> go.Figure:
    """Mean prediction against pooled truth, clips grouped by prediction.

    Args:
        bins: lowest prediction first

    Returns:
        the figure; a dot above the diagonal means that errors are underestimated there
    """
    span = 105 * max([_MIN_SPAN, *(max(group.predicted_wer, group.actual_wer) for group in bins)])
    figure = go.Figure()
    figure.add_scatter(**_diagonal(span, "calibrated"))
    figure.add_scatter(
        x=[100 * group.predicted_wer for group in bins],
        y=[100 * group.actual_wer for group in bins],
        mode="lines+markers",
        name="reviewed clips",
        line={"color": BLUE, "width": 1.5},
        marker={"color": BLUE, "size": 8},
        customdata=[group.num_clips for group in bins],
        hovertemplate="%{customdata} clips<br>"
        "predicted %{x:.0f} %, actual %{y:.0f} %<extra></extra>",
    )
    styled(
        figure,
        title="Calibration: actual WER where the same was predicted",
        x_title="Mean predicted WER",
        y_title="Pooled actual WER",
        height=380,
    )
    return _in_percent(figure, span)


def _diagonal(span: float, name: str) -> dict[str, object]:
    return {
        "x": [0, span],
        "y": [0, span],
        "mode": "lines",
        "name": name,
        "line": {"color": GREY, "dash": "dot", "width": 1},
        "hoverinfo": "skip",
    }


def _in_percent(figure: go.Figure, span: float) -> go.Figure:
    figure.update_xaxes(range=[0, span], ticksuffix=" %", dtick=20)
    figure.update_yaxes(range=[-0.02 * span, span], ticksuffix=" %", dtick=20)
    return figure


def _hover(pair: ClipPair) -> str:
    return (
        f"{chart_text(pair.file_name)}<br>"
        f"predicted {percent(pair.predicted_wer)} ({interval(pair.low, pair.high)}), "
        f"actual {percent(pair.actual_wer)} of {pair.num_words} words"
    )
