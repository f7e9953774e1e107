"""Pictures: what is more stands higher or further right, and nothing known is left out."""

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.evaluation import course, pictures
from kullback.evaluation.drawing import shortened
from kullback.experiments.report import (
    EvaluationLook,
    EvaluationReport,
    EvaluationStep,
    OverallArm,
    OverallComparison,
)
from kullback.experiments.verdict import VerdictWord
from kullback.tally.report_types import ReliabilityBin
from tests.experiments import documents
from tests.experiments.documents import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
DOCUMENTS = documents.all_of_them()
chance = st.floats(0.0, 1.0)


def shapes(svg: str, tag: str, name: str) -> list[ET.Element]:
    root = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    return [one for one in root.iter(SVG + tag) if name in one.attrib.get("class", "").split()]


def numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def points(element: ET.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]


def words(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter(SVG + "text")]  # noqa: S314


def arm(*reliability: tuple[float, float, float]) -> OverallArm:
    """An arm with bins (predicted, observed, weight)."""
    bins = tuple(ReliabilityBin(p, p, weight, p, observed) for p, observed, weight in reliability)
    return replace(DOCUMENTS["better"].arms[1], reliability=bins, score_histogram=bins)


def report(*comparisons: OverallComparison, minimum_effect: float | None = 0.1) -> EvaluationReport:
    return replace(DOCUMENTS["better"], comparisons=comparisons, minimum_effect=minimum_effect)


def told(effect: float, half: float) -> OverallComparison:
    """A comparison whose sequence is twice as wide as its interval."""
    return replace(
        DOCUMENTS["better"].comparisons[0],
        arm=f"arm {effect}",
        verdict=VerdictWord.UNDECIDED,
        effect=effect,
        standard_error=half / 2,
        fixed_interval=(effect - half, effect + half),
        sequence=(effect - 2 * half, effect + 2 * half),
    )


def test_a_larger_effect_stands_further_right_with_its_intervals_around_it() -> None:
    svg = pictures.forest(report(told(-0.3, 0.1), told(0.2, 0.05)))
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
    svg = pictures.forest(report(told(-0.3, 0.1), told(0.2, 0.05)))
    (zero,) = shapes(svg, "line", "zero")
    first, second = (points(one)[0][0] for one in shapes(svg, "polygon", "estimate"))
    assert first < float(zero.attrib["x1"]) < second
    (margin,) = shapes(svg, "rect", "margin")
    left, width = numbers(margin, "x", "width")
    assert left + width / 2 == pytest.approx(float(zero.attrib["x1"]), abs=0.02)
    assert {"← better", "worse →"} <= set(words(svg))


def test_where_higher_is_better_the_right_is_better() -> None:
    found = replace(report(told(0.2, 0.05)), design="parallel", metric="base_rate")
    assert {"← worse", "better →"} <= set(words(pictures.forest(found)))


def test_a_sequence_beyond_the_picture_ends_in_an_arrow() -> None:
    endless = replace(told(0.1, 0.1), verdict=VerdictWord.INVALID, sequence=(-1e6, 1e6))
    svg = pictures.forest(report(endless))
    tips = [points(one) for one in shapes(svg, "polyline", "sequence")]
    assert tips[0][0][0] > tips[0][1][0]
    assert tips[1][0][0] < tips[1][1][0]


def test_a_forest_has_every_segment_under_its_arm() -> None:
    svg = pictures.forest(DOCUMENTS["segmented"])
    assert len(shapes(svg, "polygon", "estimate")) == 6
    assert words(svg).count("all rows") == 2
    assert any(one.startswith(HOSTILE[:20]) for one in words(svg))


def test_a_forest_of_many_rows_is_cut() -> None:
    many = report(*(told(at / 100, 0.1) for at in range(60)))
    assert len(shapes(pictures.forest(many), "polygon", "estimate")) == pictures.MOST_ROWS


def test_more_observed_stands_higher_and_more_predicted_further_right() -> None:
    svg = pictures.reliability(arm((0.2, 0.1, 50.0), (0.4, 0.6, 50.0), (0.7, 0.65, 50.0)))
    places = [numbers(one, "cx", "cy") for one in shapes(svg, "circle", "estimate")]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    (diagonal, _) = shapes(svg, "line", "diagonal")
    assert numbers(diagonal, "x1", "y1") != numbers(diagonal, "x2", "y2")


def test_a_point_that_is_calibrated_stands_on_the_diagonal() -> None:
    for p in (0.002, 0.3):
        svg = pictures.reliability(arm((p, p, 50.0), (0.5, 0.4, 50.0)))
        x, y = numbers(shapes(svg, "circle", "estimate")[0], "cx", "cy")
        x1, y1, x2, y2 = numbers(shapes(svg, "line", "diagonal")[0], "x1", "y1", "x2", "y2")
        assert (x - x1) / (x2 - x1) == pytest.approx((y - y1) / (y2 - y1), abs=1e-3)


def test_error_bars_shrink_with_weight() -> None:
    svg = pictures.reliability(arm((0.3, 0.3, 100.0), (0.6, 0.3, 400.0)))
    light, heavy = (numbers(one, "y1", "y2") for one in shapes(svg, "line", "bar"))
    assert light[0] - light[1] == pytest.approx(2 * (heavy[0] - heavy[1]), abs=0.05)
    spread = pictures.spread(ReliabilityBin(0, 1, 100.0, 0.3, 0.3))
    assert spread == pytest.approx(1.96 * 0.0458258, rel=1e-5)
    assert pictures.spread(ReliabilityBin(0, 1, 0.0, None, None)) == 0.0


def test_nothing_observed_is_hollow_where_the_axis_has_no_zero() -> None:
    svg = pictures.reliability(arm((0.0005, 0.0, 50.0), (0.05, 0.06, 50.0)))
    assert len(shapes(svg, "circle", "beyond")) == 1
    assert len(shapes(svg, "circle", "estimate")) == 1


def test_bars_of_a_label_are_as_high_as_its_part_and_stand_on_zero() -> None:
    svg = pictures.score_histogram(arm((0.2, 0.25, 40.0), (0.6, 0.5, 60.0)))
    ones = [numbers(one, "y", "height") for one in shapes(svg, "rect", "ones")]
    zeros = [numbers(one, "y", "height") for one in shapes(svg, "rect", "zeros")]
    assert ones[1][1] / ones[0][1] == pytest.approx(3.0, abs=0.01)
    assert zeros[0][1] / zeros[1][1] == pytest.approx(1.0, abs=0.01)
    ground = {round(y + height, 1) for y, height in ones} | {round(y, 1) for y, _ in zeros}
    assert max(ground) - min(ground) <= 0.1


def test_the_parts_of_each_label_sum_to_one() -> None:
    for found in DOCUMENTS["better"].arms:
        parts = list(pictures.parts(found.score_histogram))
        assert math.fsum(one for _, one, _ in parts) == pytest.approx(1.0)
        assert math.fsum(zero for _, _, zero in parts) == pytest.approx(1.0)


def test_a_label_that_never_came_has_no_bars() -> None:
    svg = pictures.score_histogram(arm((0.2, 0.0, 40.0), (0.6, 0.0, 60.0)))
    assert {float(one.attrib["height"]) for one in shapes(svg, "rect", "ones")} == {0.0}


def test_the_course_runs_right_and_a_higher_effect_stands_higher() -> None:
    svg = course.sequence(DOCUMENTS["walked"], "new")
    (curve,) = shapes(svg, "polyline", "curve")
    x, y = zip(*points(curve), strict=True)
    assert list(x) == sorted(x)
    assert list(y) == sorted(y)
    above, below = (points(one) for one in shapes(svg, "polyline", "edge"))
    for (_, top), middle, (_, bottom) in zip(above, y, below, strict=True):
        assert top <= middle <= bottom


def test_the_first_look_without_zero_is_marked() -> None:
    found = DOCUMENTS["walked"]
    svg = course.sequence(found, "new")
    (mark,) = shapes(svg, "circle", "crossing")
    (curve,) = shapes(svg, "polyline", "curve")
    assert tuple(numbers(mark, "cx", "cy")) == points(curve)[1]
    assert "first without 0: 2,000 rows" in words(svg)
    assert course.first_crossing(found.looks("new")[:1]) is None


def test_evidence_is_drawn_with_the_line_that_alpha_asks_for() -> None:
    svg = course.log_e_values(DOCUMENTS["walked"], "new")
    (limit,) = shapes(svg, "line", "limit")
    (curve,) = shapes(svg, "polyline", "curve")
    heights = [y for _, y in points(curve)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > float(limit.attrib["y1"]) > heights[1]
    assert "ln(1/α) = 3.00" in words(svg)


def test_a_course_without_sequences_is_its_effect_alone() -> None:
    look = EvaluationLook("new", -0.1, None, None, None, None)
    path = tuple(EvaluationStep(n, (look,)) for n in (1, 2))
    found = replace(DOCUMENTS["without_minimum"], path=path)
    svg = course.sequence(found, "new")
    assert shapes(svg, "polygon", "band") == []
    assert len(shapes(svg, "polyline", "curve")) == 1
    assert course.log_e_values(found, "new") == ""


def test_nothing_known_is_no_picture() -> None:
    found = DOCUMENTS["empty"]
    assert pictures.forest(found) == ""
    assert pictures.reliability(found.arms[0]) == ""
    assert pictures.score_histogram(found.arms[0]) == ""
    assert course.sequence(found, "new") == ""
    assert course.log_e_values(found, "new") == ""
    unobserved = (ReliabilityBin(0, 1, 0.0, None, None),)
    assert pictures.reliability(replace(found.arms[0], reliability=unobserved)) == ""


@given(st.lists(st.tuples(chance, chance, st.floats(0.1, 1e6)), min_size=1, max_size=10))
def test_any_bins_make_pictures_that_are_whole(found: list[tuple[float, float, float]]) -> None:
    drawn = arm(*sorted(found))
    for svg in (pictures.reliability(drawn), pictures.score_histogram(drawn)):
        assert ET.fromstring(svg).attrib["role"] == "img"  # noqa: S314
        assert "nan" not in svg


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5)), min_size=1, max_size=5))
def test_any_effects_make_a_picture_that_is_whole(found: list[tuple[float, float]]) -> None:
    svg = pictures.forest(report(*(told(effect, half) for effect, half in found)))
    assert len(shapes(svg, "polygon", "estimate")) == len(found)
    assert "nan" not in svg


def test_names_are_cut_to_the_room_there_is_and_escaped() -> None:
    assert shortened("country = DE", 200) == "country = DE"
    assert shortened("a" * 100, 82) == "a" * 9 + "…"
    one = replace(told(-0.1, 0.1), arm="<b>&")
    assert "&lt;b&gt;&amp; against old" in pictures.forest(report(one))
