"""Figures as SVG: every number stands where the marks of the axes say, and nothing is left out."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.figures import reliability, score_histogram
from kullback.figures.figure import ChartSeries, Figure, Style
from kullback.figures.svg import svg
from tests.figures.drawings import (
    BOTTOM,
    TOP,
    heights,
    logit,
    numbers,
    points,
    shapes,
    widths,
    words,
)
from tests.figures.reports import arm

chance = st.floats(0.0, 1.0)
number = st.none() | st.floats(-1e9, 1e9)
SURE = ((0.2, 0.1, 50.0), (0.4, 0.6, 50.0), (0.7, 0.65, 50.0))
RARE = ((0.002, 0.001, 5000.0), (0.01, 0.02, 500.0), (0.3, 0.25, 50.0))


def figure(*series: ChartSeries, x: tuple[float, ...] = (0, 1, 2)) -> Figure:
    return Figure("name", "Title", "Caption.", "X", "Y", x, series)


@pytest.mark.parametrize(("bins", "straight"), [(SURE, float), (RARE, logit)])
def test_points_and_their_bars_stand_where_the_axes_say(
    bins: tuple[tuple[float, float, float], ...], straight: type[float]
) -> None:
    drawn = reliability.of_arms([arm(*bins)], "name")
    picture = svg(drawn)
    _, observed = drawn.series
    places = [numbers(each, "cx", "cy") for each in shapes(picture, "circle", "point")]
    expected = [[widths(picture, straight)(p), heights(picture, straight)(o)] for p, o, _ in bins]
    assert places == [pytest.approx(place, abs=0.05) for place in expected]
    bars = [numbers(each, "x1", "x2", "y1", "y2") for each in shapes(picture, "line", "bar")]
    assert observed.low is not None
    assert observed.high is not None
    bounds = zip(observed.low, observed.high, strict=True)
    for (x, _), (x1, x2, y1, y2), (low, high) in zip(places, bars, bounds, strict=True):
        assert low is not None
        assert high is not None
        assert x1 == x2 == x
        ends = heights(picture, straight)(low), heights(picture, straight)(high)
        assert (y1, y2) == pytest.approx((min(ends[0], BOTTOM), max(ends[1], TOP)), abs=0.05)


def test_more_observed_stands_higher_and_more_predicted_further_right() -> None:
    places = [
        numbers(each, "cx", "cy")
        for each in shapes(svg(reliability.of_arms([arm(*SURE)], "name")), "circle", "point")
    ]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


@pytest.mark.parametrize("p", [0.002, 0.3])
def test_a_point_that_is_calibrated_stands_on_the_dashed_line(p: float) -> None:
    picture = svg(reliability.of_arms([arm((p, p, 50.0), (0.5, 0.4, 50.0))], "name"))
    x, y = numbers(shapes(picture, "circle", "point")[0], "cx", "cy")
    (guide,) = shapes(picture, "polyline", "dashed")
    (x1, y1), (x2, y2) = points(guide)
    assert (x, y) == pytest.approx((x1, y1), abs=0.02)
    assert x2 > x1
    assert y2 < y1


def test_nothing_observed_is_hollow_where_the_axis_has_no_zero() -> None:
    picture = svg(reliability.of_arms([arm((0.0005, 0.0, 50.0), (0.05, 0.06, 50.0))], "name"))
    assert len(shapes(picture, "circle", "beyond")) == 1
    assert len(shapes(picture, "circle", "point")) == 1


def test_a_band_is_as_high_as_its_bounds_and_lies_around_its_line() -> None:
    series = ChartSeries("Line", [1.0, 2.0, 4.0], [0.5, 1.0, 3.0], [1.5, 3.5, 4.5])
    picture = svg(figure(series))
    place, across = heights(picture), widths(picture)
    (band,) = shapes(picture, "polygon", "band")
    expected = [(0, 1.5), (1, 3.5), (2, 4.5), (2, 3.0), (1, 1.0), (0, 0.5)]
    for point, (x, y) in zip(points(band), expected, strict=True):
        assert point == pytest.approx((across(x), place(y)), abs=0.05)
    (curve,) = shapes(picture, "polyline", "curve")
    assert [y for _, y in points(curve)] == pytest.approx([place(y) for y in (1, 2, 4)], abs=0.05)


def test_a_gap_parts_a_line_and_what_is_alone_is_a_dot() -> None:
    picture = svg(figure(ChartSeries("Line", [1.0, 2.0, None, 3.0]), x=(0, 1, 2, 3)))
    (curve,) = shapes(picture, "polyline", "curve")
    assert len(points(curve)) == 2
    assert len(shapes(picture, "circle", "point")) == 1


def test_bars_stand_on_zero_side_by_side_as_high_as_their_values() -> None:
    up = ChartSeries("Up", [1.0, 2.0], style="bars")
    down = ChartSeries("Down", [-3.0, None], hue=2, style="bars")
    picture = svg(replace(figure(up, down, x=(0, 1)), x_names=("here", "there")))
    place = heights(picture)
    bars = [numbers(each, "x", "width", "y", "height") for each in shapes(picture, "rect", "c1")]
    (first, second) = bars
    (third,) = [
        numbers(each, "x", "width", "y", "height") for each in shapes(picture, "rect", "c2")
    ]
    assert first[2:] == pytest.approx([place(1), place(0) - place(1)], abs=0.05)
    assert second[2:] == pytest.approx([place(2), place(0) - place(2)], abs=0.05)
    assert third[2:] == pytest.approx([place(0), place(-3) - place(0)], abs=0.05)
    assert first[0] + first[1] == pytest.approx(third[0], abs=0.02)
    assert {"here", "there"} <= set(words(picture))


def test_levels_stand_at_their_heights_and_those_beyond_are_left_out() -> None:
    levels = ((1.5, "here"), (1.5001, "the same"), (0.0, "none"), (100.0, "far"))
    picture = svg(replace(figure(ChartSeries("Line", [1.0, 2.0, 3.0])), levels=levels))
    place = heights(picture)
    (level,), (zero,) = shapes(picture, "line", "level"), shapes(picture, "line", "zero")
    assert numbers(level, "y1", "y2") == pytest.approx([place(1.5)] * 2, abs=0.05)
    assert numbers(zero, "y1", "y2") == pytest.approx([place(0)] * 2, abs=0.05)
    assert "none" in words(picture)
    assert not {"the same", "far"} & set(words(picture))


def test_wild_bounds_do_not_make_the_values_flat() -> None:
    wild = ChartSeries("Line", [1.0, 2.0, 3.0], [-1e6, 1.0, 2.0], [1e6, 3.0, 4.0])
    (curve,) = shapes(svg(figure(wild)), "polyline", "curve")
    assert points(curve)[0][1] - points(curve)[-1][1] > 100


def test_what_is_in_view_is_what_the_figure_says() -> None:
    picture = svg(replace(figure(ChartSeries("Line", [1.0, 2.0, 9.0])), y_span=(0.0, 4.0)))
    (curve,) = shapes(picture, "polyline", "curve")
    assert [y for _, y in points(curve)] == pytest.approx([207, 154, 48], abs=0.05)


def test_a_legend_shows_what_a_series_looks_like() -> None:
    line = ChartSeries("Line", [1.0, 2.0, 3.0])
    styles: list[Style] = ["line", "points", "bars"]
    assert [replace(line, style=style).sign for style in styles] == [*("curve", "point", "column")]
    assert ChartSeries("Band", [None], [1.0], [2.0]).sign == "band"


def test_a_picture_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(svg(reliability.of_arms([arm(*SURE)], "name")))  # noqa: S314
    title, description, *_ = root
    assert title.text == "Reliability of new"
    first = "Mean prediction 0.2, Observed = predicted 0.2, new 0.100, new, low 0.04"
    assert (description.text or "").startswith(first)
    assert (description.text or "").count(";") == 2


def test_of_many_points_the_first_and_the_last_are_said() -> None:
    many = figure(ChartSeries("Line", range(100)), x=tuple(range(100)))
    assert many.description() == "X 0, Line 0; X 99, Line 99."


def test_names_are_escaped_and_numbers_have_true_minus_signs() -> None:
    hostile = figure(ChartSeries("<b>&", [-1.0, -2.0, 3.0]), ChartSeries("b", [1.0, 2.0, 3.0]))
    picture = svg(hostile)
    assert "<b>" not in picture
    assert "−2" in words(picture)
    assert "&lt;b&gt;&amp; −2" in picture


def test_nothing_is_no_picture() -> None:
    assert svg(figure(ChartSeries("Line", [None, None, None]))) == ""


@given(st.lists(st.tuples(chance, chance, st.floats(0.1, 1e6)), min_size=1, max_size=10))
def test_any_bins_make_pictures_that_are_whole(bins: list[tuple[float, float, float]]) -> None:
    drawn = arm(*sorted(bins))
    for each in (reliability.of_arms([drawn], "name"), score_histogram.of_arms([drawn], "name")):
        picture = svg(each)
        assert ET.fromstring(picture).attrib["role"] == "img"  # noqa: S314
        assert "nan" not in picture


@given(
    st.lists(st.tuples(number, number, number), min_size=1, max_size=8),
    st.sampled_from(["line", "points", "bars"]),
)
def test_any_numbers_make_a_picture_that_is_whole(
    rows: list[tuple[float | None, float | None, float | None]],
    style: Style,
) -> None:
    y, low, high = (list(column) for column in zip(*rows, strict=True))
    series = ChartSeries("Any", y, low, high, style=style)
    picture = svg(figure(series, x=tuple(range(len(rows)))))
    assert picture == "" if not any(value is not None for value in y) else "nan" not in picture
