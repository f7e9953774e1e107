"""Timelines: the effect with its sequence, the evidence with what is enough, over rows."""

import math
from dataclasses import replace

import pytest

from kullback.experiments.evaluation_report import EvaluationLook, EvaluationReport, EvaluationStep
from kullback.figures.experiment_timeline import first_crossing, over_rows
from kullback.figures.figure import Figure
from kullback.figures.svg import svg
from tests.figures.drawings import BOTTOM, TOP, heights, numbers, points, shapes, widths, words
from tests.figures.reports import DOCUMENTS

WALKED = DOCUMENTS["walked"]


def figures(report: EvaluationReport) -> list[Figure]:
    return over_rows(report, report.comparisons[0])


def test_the_effect_is_that_of_every_look() -> None:
    effect, evidence = figures(WALKED)
    looks = WALKED.looks("new")
    sequence, fixed, line = effect.series
    assert effect.x == evidence.x == [n for n, _ in looks]
    assert line.y == [look.effect for _, look in looks]
    powers = [math.log10(look.e_value or 0) for _, look in looks]
    assert evidence.series[0].y == pytest.approx(powers)
    for series, field in ((sequence, "sequence"), (fixed, "fixed_interval")):
        assert series.low is not None
        assert series.high is not None
        ends = zip(series.low, series.high, strict=True)
        assert list(ends) == [getattr(look, field) for _, look in looks]


def test_the_course_runs_right_and_a_higher_effect_stands_higher() -> None:
    picture = svg(figures(WALKED)[0])
    (curve,) = shapes(picture, "polyline", "curve")
    x, y = zip(*points(curve), strict=True)
    assert list(x) == sorted(x)
    assert list(y) == sorted(y)
    band = points(shapes(picture, "polygon", "band")[0])
    above, below = band[:3], band[:2:-1]
    for (_, top), middle, (_, bottom) in zip(above, y, below, strict=True):
        assert top <= middle <= bottom


def test_the_band_is_the_sequence() -> None:
    picture = svg(figures(WALKED)[0])
    place = heights(picture)
    band = points(shapes(picture, "polygon", "band")[0])
    for (_, top), (_, bottom), (_, look) in zip(
        band[:3], band[:2:-1], WALKED.looks("new"), strict=True
    ):
        assert look.sequence is not None
        assert bottom == pytest.approx(min(place(look.sequence[0]), BOTTOM), abs=0.05)
        assert top == pytest.approx(max(place(look.sequence[1]), TOP), abs=0.05)


def test_the_first_look_without_zero_is_marked() -> None:
    effect, _ = figures(WALKED)
    picture = svg(effect)
    (mark,) = shapes(picture, "circle", "crossing")
    (curve,) = shapes(picture, "polyline", "curve")
    assert tuple(numbers(mark, "cx", "cy")) == points(curve)[1]
    assert points(curve)[1][0] == pytest.approx(widths(picture)(2000), abs=0.05)
    assert "first without 0: 2,000 rows" in words(picture)
    assert "first without 0: 2,000 rows" in effect.description()
    looks = [look for _, look in WALKED.looks("new")]
    assert first_crossing(looks) == 1
    assert first_crossing(looks[:1]) is None


def test_evidence_is_drawn_with_the_line_that_alpha_asks_for() -> None:
    picture = svg(figures(WALKED)[1])
    (limit,) = shapes(picture, "line", "level")
    (curve,) = shapes(picture, "polyline", "curve")
    drawn = [y for _, y in points(curve)]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[0] > float(limit.attrib["y1"]) > drawn[1]
    assert float(limit.attrib["y1"]) == pytest.approx(heights(picture)(1.30103), abs=0.05)
    assert "claimed: e\u2011value 20" in words(picture)


def test_margins_are_levels() -> None:
    effect, _ = figures(WALKED)
    assert [level for level, _ in effect.levels] == [0.0, -0.02, 0.02]


def test_a_course_without_sequences_is_its_effect_alone() -> None:
    look = EvaluationLook("new", -0.1, None, None, None, None)
    path = tuple(EvaluationStep(n, (look,)) for n in (1, 2))
    (effect,) = figures(replace(DOCUMENTS["without_minimum"], path=path))
    picture = svg(effect)
    assert shapes(picture, "polygon", "band") == []
    assert len(shapes(picture, "polyline", "curve")) == 1


def test_a_single_look_is_a_point() -> None:
    picture = svg(figures(replace(WALKED, path=WALKED.path[:1]))[0])
    assert shapes(picture, "polyline", "curve") == []
    assert len(shapes(picture, "line", "bar")) == 2


def test_no_look_is_no_figure() -> None:
    assert all(figure.is_empty for figure in figures(DOCUMENTS["empty"]))


def test_the_last_sequence_is_in_view_and_the_first_may_be_cut() -> None:
    wide = replace(WALKED.path[-1].comparisons[0], effect=0.001, sequence=(-0.5, 0.6))
    wild = replace(wide, sequence=(-1e6, 1e6))
    path = tuple(EvaluationStep(n, (look,)) for n, look in ((1, wild), (2, wild), (3, wide)))
    (effect, _) = figures(replace(WALKED, path=path))
    assert effect.y_span is not None
    low, high = effect.y_span
    assert -3 < low < -0.5
    assert 0.6 < high < 3
