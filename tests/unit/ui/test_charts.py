"""Charts show the values they are given."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from qe_core.estimation.evaluation import CalibrationBin
from qe_core.monitoring.stream import TooFewAudits
from qe_core.types import Segment, Word
from ui.charts.drift import over_time
from ui.charts.quality import actual_against_predicted, calibration, stream_history
from ui.charts.style import error_color
from ui.charts.waveform import error_rates, waveform
from workbench.comparison import ClipPair
from workbench.drift import Point, Series
from workbench.quality import StreamPoint

PEAKS = np.tile(np.array([[-0.5, 0.5]], np.float32), (2000, 1))


def segment(start_s: float, end_s: float, text: str) -> Segment:
    words = tuple(Word(word, start_s, end_s, 0.5) for word in text.split())
    return Segment(start_s, end_s, text, words)


def pair(predicted: float, actual: float, name: str = "a.wav") -> ClipPair:
    return ClipPair(name, name, 10.0, 20, predicted, predicted - 0.1, predicted + 0.1, actual, "x")


def test_rates_are_errors_per_word_and_at_most_one() -> None:
    segments = [segment(0, 1, "a b"), segment(1, 2, "c")]
    assert error_rates(segments, [1.0, 3.0]) == [0.5, 1.0]


def test_without_expected_errors_all_rates_are_zero() -> None:
    assert error_rates([segment(0, 1, "a b")], []) == [0.0]


def test_the_waveform_colours_segments_and_leaves_the_rest_pale() -> None:
    figure = waveform(PEAKS, 10.0, [segment(2.0, 4.0, "a b")], [2.0])
    pale, coloured = figure.data[0], figure.data[1]
    assert set(coloured.marker.color) == {error_color(1.0)}
    assert min(coloured.x) == pytest.approx(2.0, abs=0.02)
    assert max(coloured.x) == pytest.approx(4.0, abs=0.02)
    assert len(pale.x) + len(coloured.x) <= 700


def test_a_clip_without_transcript_has_a_waveform() -> None:
    assert len(waveform(PEAKS, 10.0).data) == 1


def test_foreign_text_cannot_mark_up_a_chart() -> None:
    hostile = "<a href='javascript:alert(1)'>x</a>"
    figure = waveform(PEAKS, 10.0, [segment(0.0, 10.0, hostile)], [0.0])
    assert "<a" not in figure.data[1].customdata[0]
    scatter = actual_against_predicted([pair(0.2, 0.2, hostile)])
    assert "<a" not in scatter.data[1].customdata[0]


def test_clips_outside_their_interval_are_a_trace_of_their_own() -> None:
    figure = actual_against_predicted([pair(0.2, 0.25), pair(0.2, 0.9)])
    _, inside, outside = figure.data
    assert (list(inside.y), list(outside.y)) == ([25.0], [90.0])


def test_calibration_is_in_percent() -> None:
    figure = calibration([CalibrationBin(0.2, 0.3, 5, 50)])
    assert (list(figure.data[1].x), list(figure.data[1].y)) == ([20.0], [30.0])


def test_windows_are_told_apart_by_colour_and_marker() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    series = Series(
        "wada_snr_db",
        "estimated SNR",
        "dB",
        (Point(moment, 20.0, 5, False), Point(moment, 12.0, 6, True)),
    )
    baseline, current = over_time(series).data
    assert (list(baseline.y), list(current.y)) == ([20.0], [12.0])
    assert baseline.marker.symbol != current.marker.symbol


def test_a_stream_of_one_day_has_an_axis_of_days() -> None:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    few = TooFewAudits(1, 1, 20, 10, 0.4)
    points = [StreamPoint(day + timedelta(days=n), "day", few, 0.5, 1, 1) for n in range(2)]

    axis = stream_history(points[:1]).layout.xaxis

    assert axis.range == (day - timedelta(days=1), day + timedelta(days=1))
    assert axis.tickvals == (day,)
    assert stream_history(points).layout.xaxis.range is None
