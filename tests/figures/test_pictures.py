"""Pictures of figures: what a pointer reads, which bars lie, and what has a style."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import kullback
from kullback.figures.effects_by_segment import effects_by_segment
from kullback.figures.figure import ChartSeries, Figure, TimeMark
from kullback.figures.svg import svg
from tests.figures.drawings import SVG, numbers, shapes, words
from tests.figures.reports import DOCUMENTS

APP = Path(kullback.__file__).parent
LONG = ["a value whose name is not at all short", "another one of about this length", "missing"]
PARTS = Figure(
    *("feature-1", "Age", "", "Value", "Share of rows"),
    x=[0, 1, 2],
    series=[
        ChartSeries("In the reference", [0.5, 0.25, 0.25], hue=2, style="bars"),
        ChartSeries("Share of rows", [0.25, 0.5, None], style="bars"),
    ],
    x_names=LONG,
)
WILD = Figure(
    *("wild", "Wild", "", "X", "Y"),
    x=[0, 1, 2],
    series=[
        ChartSeries("Points", [1.0, 2.0, math.inf], [-1e9, 1, 1], [1e9, 3, 3], style="points"),
        ChartSeries("Bars", [1.0, 2.0, 1.0], hue=3, style="bars", is_dashed=True),
        ChartSeries("Line", [1.0, 1.5, 2.0], [1, 1, 1], [2, 2, 2], hue=4, is_faint=True),
    ],
    levels=[(0.0, "nothing"), (1.5, "")],
    marks=[(1, 2.0, "here")],
)


def titles(picture: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}title")][1:]  # noqa: S314


def test_a_pointer_reads_every_value_with_its_interval() -> None:
    series = ChartSeries("Loss", [0.4, None, 0.5], [0.38, None, None], [0.42, None, None])
    figure = Figure("name", "Title", "", "X", "Y", [1, 2, 3], [series])
    assert titles(svg(figure)) == ["1 · Loss 0.400 (0.380 to 0.420)", "2", "3 · Loss 0.5"]


def test_strips_that_a_pointer_meets_lie_side_by_side_over_the_whole_axis() -> None:
    strips = [numbers(each, "x", "width") for each in shapes(svg(WILD), "rect", "catch")]
    assert len(strips) == 3
    assert strips[0][0] == 72
    for (x, width), (following, _) in pairwise(strips):
        assert x + width == pytest.approx(following, abs=0.02)
    assert sum(strips[-1]) == pytest.approx(464, abs=0.02)


def test_bars_with_long_names_lie_one_under_another() -> None:
    picture = svg(PARTS)
    past = [numbers(each, "x", "width", "y") for each in shapes(picture, "rect", "c2")]
    now = [numbers(each, "x", "width", "y") for each in shapes(picture, "rect", "c1")]
    assert len(past) == 3
    assert len(now) == 2
    assert len({x for x, _, _ in (*past, *now)}) == 1
    assert past[0][1] == pytest.approx(2 * past[1][1], abs=0.02)
    assert now[1][1] == pytest.approx(past[0][1], abs=0.02)
    tops = [past[0][2], now[0][2], past[1][2], now[1][2], past[2][2]]
    assert all(above + 10 < below for above, below in pairwise(tops))
    assert titles(picture)[2] == "missing · In the reference 0.25"
    assert {"missing"} <= set(words(picture))


def test_short_names_stand_under_upright_bars() -> None:
    picture = svg(replace(PARTS, x_names=["a", "b", "c"]))
    assert len({y for (y,) in (numbers(each, "y") for each in shapes(picture, "rect", "c2"))}) == 2


def test_labels_of_levels_close_to_each_other_can_all_be_read() -> None:
    levels = [(0.0, "no difference"), (-0.008, "lower"), (0.008, "upper"), (0.1, "")]
    line = ChartSeries("Y", [-0.1, 0.1])
    picture = svg(Figure("name", "Title", "", "X", "Y", [0, 1], [line], levels=levels))
    labels = [each for each in shapes(picture, "text", "tick") if float(each.attrib["x"]) > 72]
    named = {"no difference", "lower", "upper", "0.1"}
    places = [numbers(each, "x", "y") for each in labels if each.text in named]
    assert len(places) == 4
    for at, (x, y) in enumerate(places):
        assert all(x != other_x or abs(y - other_y) >= 15 for other_x, other_y in places[:at])


def test_every_shape_has_a_style_in_pages_and_in_reports() -> None:
    segments = effects_by_segment(DOCUMENTS["segmented"], "like")
    assert segments is not None
    pictures = [svg(figure) for figure in (PARTS, WILD, segments)]
    drawn = {name for each in pictures for name in re.findall(r'class="([^"]*)"', each)}
    names = {part for name in drawn for part in name.split()} - {"figure"}
    assert {"catch", "tip", "arrow", "beyond", "column", "sequence", "c3", "faint"} <= names
    pages = (APP / "ui/static/style.css").read_text("utf-8")
    report = (APP / "evaluation/templates/style.css").read_text("utf-8")
    assert {name for name in names if not re.search(rf"\.{name}\b", pages)} == set()
    assert {name for name in names if f".{name}" not in report} <= {"label", "c3"}


def test_data_have_infinity_in_words_and_marks_of_time() -> None:
    marked = replace(WILD, is_time=True, time_marks=[TimeMark(1.0, "deploy")])
    data = marked.data()
    series = data["series"]
    assert isinstance(series, list)
    assert series[0]["y"] == [1.0, 2.0, "inf"]
    assert series[0]["above"] == [0, 2]
    assert series[0]["below"] == [0]
    assert data["timeMarks"] == [{"x": 1.0, "text": "deploy"}]
    assert marked.when(1.0) == "1970-01-01T00:00:01Z"
    assert replace(marked, is_local=True).when(1.0) == "1970-01-01T00:00:01"
