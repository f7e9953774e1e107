"""What is in view: every value, every usual interval, and an arrow for whatever goes on beyond."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kullback.figures.figure import ChartSeries, Figure, ScaleName, Style
from kullback.figures.in_view import in_view
from kullback.figures.svg import svg
from tests.figures.drawings import shapes

Row = tuple[float | None, float | None, float | None]
hostile = st.none() | st.floats(allow_nan=False) | st.sampled_from([0.0, 1e67, -4.249e67, 1e-300])
mild = st.floats(-10.0, 10.0)
anything = st.lists(st.tuples(hostile, hostile, hostile), min_size=1, max_size=12)
styles = st.sampled_from(["line", "points", "bars"])
scales = st.sampled_from(["linear", "logit"])


def figure(rows: list[Row], style: Style = "points", scale: ScaleName = "linear") -> Figure:
    y, low, high = (list(column) for column in zip(*rows, strict=True))
    series = ChartSeries("Any", y, low, high, style=style)
    return Figure("name", "Any", "", "X", "Y", range(len(rows)), [series], y_scale=scale)


def sorted_row(value: float, below: float, above: float) -> Row:
    return value, value - below, value + above


@given(anything, styles, scales)
@example([(0.0, -4.249e67, 4.249e67)], "points", "linear")
@example([(1.0, -math.inf, math.inf)] * 4, "line", "linear")
@example([(None, None, None)], "line", "linear")
@example([(math.inf, math.inf, math.inf)], "bars", "linear")
@example([(1.7e308, -1.7e308, 1.7e308), (-1.7e308, None, None)], "line", "linear")
@example([(5e-324, 5e-324, 5e-324)] * 2, "bars", "linear")
@example([(1e16, 1e16, 1e16)] * 2, "line", "linear")
def test_whatever_is_drawn_lies_inside_the_axis_or_ends_in_an_arrow(
    rows: list[Row], style: Style, scale: ScaleName
) -> None:
    drawn = figure(rows, style, scale)
    low, high = drawn.y_range
    data = drawn.data()
    series = data["series"]
    assert isinstance(series, list)
    (line,) = series
    assert data["yRange"] == [low, high]
    assert -1e307 < low < high < 1e307
    for at, row in enumerate(rows):
        ends = [end for end in row if end is not None]
        assert (at in line["below"]) == any(end < low for end in ends)
        assert (at in line["above"]) == any(end > high for end in ends)


@given(st.lists(st.tuples(hostile, hostile, hostile), min_size=1, max_size=8), styles, scales)
def test_there_are_arrows_in_the_picture_where_there_are_in_the_data(
    rows: list[Row], style: Style, scale: ScaleName
) -> None:
    drawn = figure(rows, style, scale)
    low, high = drawn.y_range
    numbers = [end for row in rows for end in row if end is not None]
    wanted = any(end < low for end in numbers) or any(end > high for end in numbers)
    if not drawn.is_empty:
        picture = svg(drawn)
        assert bool(shapes(picture, "polygon", "arrow")) == wanted
        assert not any(word in picture for word in ("nan", "inf"))


@given(anything.filter(lambda rows: any(y is not None for y, _, _ in rows)))
def test_every_finite_value_is_in_view(rows: list[Row]) -> None:
    low, high = figure(rows).y_range
    values = [y for y, _, _ in rows if y is not None and abs(y) <= 1e300]
    assert all(low <= value <= high for value in values)


@given(st.lists(st.tuples(mild, st.floats(0.5, 1.0), st.floats(0.5, 1.0)), min_size=1))
def test_intervals_of_like_size_are_all_in_view(found: list[tuple[float, float, float]]) -> None:
    rows = [sorted_row(*row) for row in found]
    low, high = figure(rows).y_range
    ends = [end for _, *both in rows for end in both if end is not None]
    assert low <= min(ends) <= max(ends) <= high


@given(mild, st.floats(1e-9, 1e3))
def test_one_interval_alone_decides_the_axis(value: float, half: float) -> None:
    low, high = figure([(value, value - half, value + half)]).y_range
    assert low <= value - half
    assert value + half <= high


def test_effects_close_to_each_other_keep_their_wide_intervals() -> None:
    rows: list[Row] = [(-0.0012, -0.0117, 0.0093), (-0.0006, -0.0149, 0.0136)]
    low, high = figure(rows).y_range
    assert -0.02 < low < -0.0149
    assert 0.0136 < high < 0.02


def test_a_wild_interval_among_usual_ones_is_cut() -> None:
    rows: list[Row] = [(1.0, 0.9, 1.1), (1.1, -50.0, 60.0), (1.05, 1.0, 1.1)]
    drawn = figure(rows)
    low, high = drawn.y_range
    assert 0.8 < low < 0.9
    assert 1.1 < high < 1.2
    assert len(shapes(svg(drawn), "polygon", "arrow")) == 2


def test_an_interval_that_says_nothing_leaves_an_axis_of_its_value() -> None:
    drawn = figure([(-0.13, -4.249e67, 4.249e67)])
    low, high = drawn.y_range
    assert -0.2 < low < -0.13 < high < 0.05
    assert len(shapes(svg(drawn), "polygon", "arrow")) == 2
    ticks = shapes(svg(drawn), "text", "tick")
    assert len(ticks) > 3
    assert all(len(tick.text or "") < 12 for tick in ticks)


@pytest.mark.parametrize("level", [0.0, 1e67])
def test_levels_nearby_are_in_view_and_those_far_away_are_not(level: float) -> None:
    drawn = replace(figure([(1.0, 0.0, 2.0), (2.0, 1.0, 3.0)]), levels=[(level, "here")])
    low, high = drawn.y_range
    assert (low <= level <= high) == (level == 0.0)


def test_numbers_that_must_be_in_view_are() -> None:
    low, high = in_view([(1.0, None, None)], holds=[-3.0, 8.0])
    assert low < -3.0
    assert high > 8.0


def test_ticks_of_every_size_are_words_that_can_be_read() -> None:
    for size in (1e-200, 1e-9, 1e-3, 1.0, 1e3, 1e15, 4.249e67, 1e299):
        drawn = figure([(size, None, None), (3 * size, None, None)])
        ticks = drawn.data()["yTicks"]
        assert isinstance(ticks, list)
        assert 3 <= len(ticks) <= 7
        assert len({word for _, word in ticks}) == len(ticks)
        assert all(len(word) <= 10 for _, word in ticks)


@pytest.mark.parametrize("young", [0.45, 9.0])
def test_values_that_are_not_yet_mature_are_in_view_where_they_are_near(young: float) -> None:
    firm = ChartSeries("Log loss", [0.40, 0.42, 0.38, None])
    tail = ChartSeries("Not yet mature", [None, None, 0.38, young], is_dashed=True)
    chart = replace(figure([(0.0, None, None)]), x=range(4), series=[firm, tail], is_time=True)
    low, high = chart.y_range
    assert (low <= young <= high) == (young < 1.0)
    assert high < 1.0, "the mature values stay apart"
    assert replace(chart, series=[tail]).y_range[1] >= young, "where there are no others"
