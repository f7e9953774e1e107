"""Forest: effects one under another, with their intervals around them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.experiments.verdict import VerdictWord
from kullback.figures.forest import MOST_ROWS, forest
from kullback.figures.shapes import shortened
from tests.experiments.documents import HOSTILE
from tests.figures.drawings import numbers, points, shapes, words
from tests.figures.reports import DOCUMENTS, comparison, report


def test_a_larger_effect_stands_further_right_with_its_intervals_around_it() -> None:
    svg = forest(report(comparison(-0.3, 0.1), comparison(0.2, 0.05)))
    (first, second) = (points(one) for one in shapes(svg, "polygon", "estimate"))
    assert first[0][0] < second[0][0]
    assert first[0][1] < second[0][1]
    for mark, bar in zip((first, second), shapes(svg, "rect", "fixed"), strict=True):
        left, width = numbers(bar, "x", "width")
        assert left + width / 2 == pytest.approx(mark[0][0], abs=0.02)
    lines = [numbers(one, "x1", "x2") for one in shapes(svg, "line", "sequence")]
    bars = [numbers(one, "x", "width") for one in shapes(svg, "rect", "fixed")]
    for (start, stop), (_, width) in zip(lines, bars, strict=True):
        assert stop - start == pytest.approx(2 * width, abs=0.05)


def test_zero_stands_between_worse_and_better() -> None:
    svg = forest(report(comparison(-0.3, 0.1), comparison(0.2, 0.05)))
    zero, _ = shapes(svg, "line", "zero")
    first, second = (points(one)[0][0] for one in shapes(svg, "polygon", "estimate"))
    assert first < float(zero.attrib["x1"]) < second
    margin, _ = shapes(svg, "rect", "margin")
    left, width = numbers(margin, "x", "width")
    assert left + width / 2 == pytest.approx(float(zero.attrib["x1"]), abs=0.02)
    assert {"← better", "worse →"} <= set(words(svg))


def test_no_words_of_a_row_lie_on_the_line_at_zero_or_on_the_margin() -> None:
    svg = forest(report(comparison(-0.3, 0.1), comparison(0.2, 0.05)))
    rows = [float(each.attrib["y"]) for each in shapes(svg, "text", "label")]
    for zero, margin in zip(
        shapes(svg, "line", "zero"), shapes(svg, "rect", "margin"), strict=True
    ):
        start, stop = numbers(zero, "y1", "y2")
        assert float(margin.attrib["y"]) == start
        assert not [y for y in rows if start - 4 < y < stop + 12]


def test_where_higher_is_better_the_right_is_better() -> None:
    found = replace(report(comparison(0.2, 0.05)), design="parallel", metric="base_rate")
    assert {"← worse", "better →"} <= set(words(forest(found)))


def test_a_sequence_beyond_the_picture_ends_in_an_arrow() -> None:
    endless = replace(comparison(0.1, 0.1), verdict=VerdictWord.INVALID, sequence=(-1e6, 1e6))
    svg = forest(report(endless))
    tips = [points(one) for one in shapes(svg, "polyline", "sequence")]
    assert tips[0][0][0] > tips[0][1][0]
    assert tips[1][0][0] < tips[1][1][0]


def test_a_forest_has_every_segment_under_its_arm() -> None:
    svg = forest(DOCUMENTS["segmented"])
    assert len(shapes(svg, "polygon", "estimate")) == 6
    assert words(svg).count("all rows") == 2
    assert any(one.startswith(HOSTILE[:20]) for one in words(svg))


def test_a_forest_of_many_rows_is_cut() -> None:
    many = report(*(comparison(at / 100, 0.1) for at in range(60)))
    assert len(shapes(forest(many), "polygon", "estimate")) == MOST_ROWS


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5)), min_size=1, max_size=5))
def test_any_effects_make_a_picture_that_is_whole(found: list[tuple[float, float]]) -> None:
    svg = forest(report(*(comparison(effect, half) for effect, half in found)))
    assert len(shapes(svg, "polygon", "estimate")) == len(found)
    assert "nan" not in svg


def test_names_are_cut_to_the_room_there_is_and_escaped() -> None:
    assert shortened("country = DE", 200) == "country = DE"
    assert shortened("a" * 100, 82) == "a" * 9 + "…"
    one = replace(comparison(-0.1, 0.1), arm="<b>&")
    assert "&lt;b&gt;&amp; against old" in forest(report(one))


def test_no_effect_is_no_picture() -> None:
    assert forest(DOCUMENTS["empty"]) == ""
