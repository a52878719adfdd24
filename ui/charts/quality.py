"""What was predicted against what reviewers found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import plotly.graph_objects as go

from qe_core.estimation.evaluation import CalibrationBin
from qe_core.monitoring.budget import Plan
from qe_core.monitoring.slices import SliceResidual
from qe_core.monitoring.stream import Interval, StreamWer
from ui.charts.style import BAND, BLUE, GREY, PALE, VERMILLION, styled
from ui.formats import chart_text, counted, interval, percent
from workbench.comparison import ClipPair
from workbench.quality import StreamPoint
from workbench.work import Work

__all__ = [
    "MAX_INTERVALS",
    "actual_against_predicted",
    "budget_curve",
    "calibration",
    "slice_residuals",
    "stream_history",
    "work_per_day",
]

_MIN_SPAN = 0.5
_BESIDE = timedelta(days=1)
# With more dots, intervals hide what they belong to.
MAX_INTERVALS = 150


def actual_against_predicted(pairs: Sequence[ClipPair]) -> go.Figure:
    """One dot per reviewed clip with the interval that was predicted for it.

    Args:
        pairs: predicted and actual WER of reviewed clips

    Returns:
        the figure; dots outside their interval are vermillion; the intervals themselves are left
        out where there are more than :data:`MAX_INTERVALS`
    """
    span = 105 * max([_MIN_SPAN, *(max(pair.predicted_wer, pair.actual_wer) for pair in pairs)])
    figure = go.Figure()
    figure.add_scatter(**_diagonal(span, "exact"))
    has_room = len(pairs) <= MAX_INTERVALS
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
            marker={"color": color, "size": 8 if has_room else 5, "opacity": 0.8},
            error_x={
                "type": "data",
                "visible": has_room,
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
        customdata=[counted(group.num_clips, "clip") for group in bins],
        hovertemplate="%{customdata}<br>predicted %{x:.0f} %, actual %{y:.0f} %<extra></extra>",
    )
    styled(
        figure,
        title="Calibration: actual WER where the same was predicted",
        x_title="Mean predicted WER",
        y_title="Pooled actual WER",
        height=380,
    )
    return _in_percent(figure, span)


def stream_history(points: Sequence[StreamPoint]) -> go.Figure:
    """The stream's WER over time with its interval, beside that of the reviewed clips.

    Args:
        points: oldest first

    Returns:
        the figure; gaps where there are too few audits
    """
    found = [point.wer.combined if isinstance(point.wer, StreamWer) else None for point in points]
    starts = [point.start for point in points]
    figure = go.Figure()
    _add_bands(figure, list(zip(starts, found, strict=True)))
    figure.add_scatter(
        x=starts,
        y=[100 * one.wer if one else None for one in found],
        mode="lines+markers",
        name="all clips",
        line={"color": BLUE, "width": 2},
        marker={"color": BLUE, "size": 7},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (one.high - one.wer) if one else 0 for one in found],
            "arrayminus": [100 * (one.wer - one.low) if one else 0 for one in found],
            "thickness": 1,
            "width": 3,
        },
        customdata=[
            [
                counted(point.num_clips, "clip"),
                counted(point.wer.num_audits, "audit"),
                interval(one.low, one.high) if one else "",
            ]
            for point, one in zip(points, found, strict=True)
        ],
        hovertemplate="%{y:.1f} % (%{customdata[2]})<br>%{customdata[0]}, "
        "%{customdata[1]}<extra></extra>",
    )
    figure.add_scatter(
        x=starts,
        y=[None if point.naive_wer is None else 100 * point.naive_wer for point in points],
        mode="lines+markers",
        name="reviewed clips only",
        line={"color": GREY, "width": 1.5, "dash": "dot"},
        marker={"color": GREY, "size": 6, "symbol": "diamond"},
        customdata=[point.num_reviewed for point in points],
        hovertemplate="%{y:.1f} % of %{customdata} reviewed clips<extra></extra>",
    )
    styled(
        figure,
        title=f"WER of all clips that came in, by {points[0].unit if points else 'day'}",
        x_title="Came in (UTC)",
        y_title="WER",
        height=340,
    )
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    if len(starts) == 1:
        # Left to itself, the axis of a single moment is a millisecond long.
        beside = [starts[0] - _BESIDE, starts[0] + _BESIDE]
        figure.update_xaxes(range=beside, tickvals=starts, tickformat="%b %d, %Y")
    return figure


def _add_bands(figure: go.Figure, found: Sequence[tuple[datetime, Interval | None]]) -> None:
    """One band for each run of stretches with an interval: a single one would bridge the gaps."""
    is_first = True
    for is_known, run in groupby(found, key=lambda pair: pair[1] is not None):
        if not is_known:
            continue
        known = [(at, one) for at, one in run if one is not None]
        moments = [at for at, _ in known]
        figure.add_scatter(
            x=[*moments, *reversed(moments)],
            y=[100 * one.high for _, one in known] + [100 * one.low for _, one in reversed(known)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=BAND,
            name="95 % interval",
            legendgroup="interval",
            showlegend=is_first,
            hoverinfo="skip",
        )
        is_first = False


def slice_residuals(rows: Sequence[SliceResidual], kind: str) -> go.Figure:
    """Errors beyond the prediction by slice, largest on top.

    Args:
        rows: small slices are pale and have no interval
        kind: what the slices are

    Returns:
        the figure
    """
    ordered = list(reversed(rows))
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": GREY, "dash": "dot", "width": 1})
    figure.add_scatter(
        x=[100 * row.residual for row in ordered],
        y=[chart_text(f"{row.name} (n = {row.num_clips})") for row in ordered],
        mode="markers",
        marker={
            "size": 9,
            "color": [
                PALE if row.is_small else VERMILLION if (row.low or 0) > 0 else BLUE
                for row in ordered
            ],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [
                100 * (row.high - row.residual) if row.high is not None else 0 for row in ordered
            ],
            "arrayminus": [
                100 * (row.residual - row.low) if row.low is not None else 0 for row in ordered
            ],
            "color": GREY,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[
            f"actual {percent(row.actual_wer)}, predicted {percent(row.predicted_wer)}<br>"
            f"{counted(row.num_clips, 'clip')} of {counted(row.num_recordings, 'recording')}"
            + (": too few to tell" if row.is_small else "")
            for row in ordered
        ],
        hovertemplate="%{y}: %{x:+.1f} points<br>%{customdata}<extra></extra>",
    )
    styled(
        figure,
        title=f"Errors beyond the prediction, by {kind}",
        x_title="Actual minus predicted WER (points)",
        y_title="",
        height=110 + 30 * max(len(ordered), 2),
    )
    figure.update_layout(showlegend=False)
    figure.update_yaxes(type="category")
    return figure


def budget_curve(plans: Sequence[Plan], chosen: Plan) -> go.Figure:
    """Errors found and WER that remains by minutes of review.

    Args:
        plans: smallest budget first
        chosen: the one that the slider stands at

    Returns:
        the figure
    """
    figure = go.Figure()
    for name, color, dash, values in (
        ("errors found", BLUE, "solid", [plan.share_of_errors for plan in plans]),
        ("WER that remains", VERMILLION, "dash", [plan.residual_wer for plan in plans]),
    ):
        figure.add_scatter(
            x=[plan.minutes for plan in plans],
            y=[None if value is None else 100 * value for value in values],
            mode="lines",
            name=name,
            line={"color": color, "width": 2, "dash": dash},
            customdata=[percent(plan.threshold) for plan in plans],
            hovertemplate="%{x:.0f} minutes: %{y:.0f} %<br>flag from %{customdata}<extra></extra>",
        )
    figure.add_vline(x=chosen.minutes, line={"color": GREY, "dash": "dot", "width": 1})
    styled(
        figure,
        title="What review minutes buy",
        x_title="Review (minutes a day)",
        y_title="Share of errors, WER",
        height=300,
    )
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    figure.update_xaxes(rangemode="tozero")
    return figure


def work_per_day(days: Sequence[Work]) -> go.Figure:
    """Audio reviewed per day, by everybody together.

    Args:
        days: oldest first

    Returns:
        the figure
    """
    figure = go.Figure()
    figure.add_bar(
        x=[day.name for day in days],
        y=[day.audio_s / 60 for day in days],
        marker={"color": BLUE},
        customdata=[
            f"{counted(day.num_reviews, 'review')}, {day.minutes_per_minute or 0:.1f} minutes per "
            f"audio minute, {percent(day.listened_share)} heard"
            for day in days
        ],
        hovertemplate="%{x}: %{y:.1f} min<br>%{customdata}<extra></extra>",
    )
    styled(
        figure,
        title="Audio reviewed per day",
        x_title="Day (UTC)",
        y_title="Audio (min)",
        height=260,
    )
    figure.update_xaxes(type="category", nticks=14)
    return figure


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
        f"actual {percent(pair.actual_wer)} of {counted(pair.num_words, 'word')}"
    )
