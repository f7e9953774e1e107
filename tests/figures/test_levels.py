"""Levels of charts: labels that lie on no data, lines that can be told apart, ticks of counts."""

from itertools import pairwise

import pytest

from kullback.figures.figure import ChartSeries, Figure, TimeMark
from kullback.figures.svg import svg
from kullback.moments import HOUR
from tests.figures.drawings import numbers, points, shapes, words

START = 1_764_547_200.0  # 2025-12-01T00:00:00Z


def chart(*values: float, level: float = 1.0, label: str = "right") -> Figure:
    line = ChartSeries("Y", values)
    levels = [(level, label)]
    return Figure("n", "T", "", "X", "Y", range(len(values)), [line], levels=levels)


@pytest.mark.parametrize("values", [(1.0, 1.1, 2.0), (2.0, 1.1, 1.0), (0.9, 1.6, 0.9)])
def test_a_label_lies_on_no_line(values: tuple[float, ...]) -> None:
    picture = svg(chart(*values))
    (label,) = (each for each in shapes(picture, "text", "tick") if each.text == "right")
    x, y = numbers(label, "x", "y")
    size = 7.6 * len("right")
    left = x - size if "end" in label.attrib["class"] else x
    left = x - size / 2 if "middle" in label.attrib["class"] else left
    (line,) = shapes(picture, "polyline", "curve")
    for (x1, y1), (x2, y2) in pairwise(points(line)):
        for part in range(101):
            at, height = x1 + part / 100 * (x2 - x1), y1 + part / 100 * (y2 - y1)
            assert not (left <= at <= left + size and y - 10 <= height <= y + 2)


def test_a_label_without_a_place_is_left_to_the_legend() -> None:
    figure = chart(*([0.99, 1.01] * 40))
    assert "right" not in words(svg(figure))
    assert len(shapes(svg(figure), "line", "level")) == 1
    assert figure.levels_in_view == [(1.0, "right")]


def test_levels_that_cannot_be_told_apart_are_one_line_that_names_both() -> None:
    line = ChartSeries("Y", [0.8, 1.2])
    levels = [(1.0, "right"), (0.995, "reference"), (5.0, "far")]
    figure = Figure("n", "T", "", "X", "Y", [0, 1], [line], levels=levels)
    assert figure.levels_in_view == [(1.0, "right; reference 0.995")]
    assert len(shapes(svg(figure), "line", "level")) == 1


@pytest.mark.parametrize(
    ("counts", "ticks"), [([0, 0, 1], ["0", "1"]), ([0, 2, 1], ["0", "1", "2"])]
)
def test_what_is_counted_has_whole_ticks(counts: list[float], ticks: list[str]) -> None:
    bars = ChartSeries("Rows", counts, style="bars")
    figure = Figure("n", "T", "", "X", "Y", [0, 1, 2], [bars])
    assert [label for _, label in figure.y_ticks] == ticks
    heights = [each for each in shapes(svg(figure), "text", "end") if each.attrib["x"] == "66"]
    assert [each.text for each in heights] == ticks


def test_shares_have_ticks_between_whole_numbers() -> None:
    bars = ChartSeries("Share", [0.0, 0.4, 1.0], style="bars")
    figure = Figure("n", "T", "", "X", "Y", [0, 1, 2], [bars])
    assert "0.5" in [label for _, label in figure.y_ticks] or len(figure.y_ticks) > 3


def test_an_interval_without_a_width_is_said_once() -> None:
    single = ChartSeries("Log loss", [0.6931], [0.6931], [0.6931])
    figure = Figure("n", "T", "", "X", "Y", [0], [single])
    assert figure.readings() == ["0 · Log loss 0.6931"]


def test_a_chart_over_time_is_a_picture_with_hours_and_what_happened() -> None:
    x = [START + HOUR * at for at in range(24)]
    marks = [TimeMark(x[12], "deploy 41"), TimeMark(x[13], "rolled back"), TimeMark(x[2], "x" * 40)]
    line = ChartSeries("Y", [0.4 + 0.01 * at for at in range(24)])
    figure = Figure("n", "T", "", "Time (UTC)", "Y", x, [line], is_time=True, time_marks=marks)
    picture = svg(figure)
    told = words(picture)
    assert {"1 Dec", "06:00", "12:00", "18:00", "Time (UTC), from 1 Dec 2025"} <= set(told)
    assert "rolled back" in told
    assert "deploy 41" not in told, "there is no room before the later one"
    assert len(shapes(picture, "line", "mark")) == 3
    assert not shapes(picture, "rect", "catch"), "it is for those without scripts, and light"


def test_what_goes_on_beyond_the_axis_is_known() -> None:
    assert not chart(1.0, 2.0).has_arrows
    cut = Figure("n", "T", "", "X", "Y", [0, 1], [ChartSeries("Y", [1.0, 9.0])], y_span=(0.0, 2.0))
    assert cut.has_arrows
