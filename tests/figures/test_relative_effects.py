"""Effects in percent of the control's value: bars that hold what the report says."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from kullback.experiments.evaluation_report import EvaluationReport
from kullback.experiments.report import OverallComparison
from kullback.figures.relative_effects import effect_bar, effects_by_metric
from kullback.figures.svg import svg
from kullback.tally.report_types import MetricValue
from tests.figures.drawings import numbers, points, shapes, words
from tests.figures.reports import DOCUMENTS

BETTER = DOCUMENTS["better"]


def first(report: EvaluationReport) -> OverallComparison:
    return report.comparisons[0]


def control(report: EvaluationReport, metric: str) -> float:
    value = report.arms[0].metrics[metric].value
    assert value is not None
    return value


def ruler(picture: str) -> Callable[[float], float]:
    """Where a number stands by the marks of the axis, as a reader with a ruler finds it."""
    ticks = shapes(picture, "text", "tick")
    labels = [(each.text or "").replace("−", "-") for each in ticks]
    at = {
        float(label): float(each.attrib["x"])
        for label, each in zip(labels, ticks, strict=True)
        if re.fullmatch(r"-?[\d.]+", label)
    }
    low, high = min(at), max(at)
    return lambda value: at[low] + (at[high] - at[low]) * (value - low) / (high - low)


def test_the_bar_has_the_effect_its_intervals_and_the_margin_in_percent() -> None:
    one, base = first(BETTER), control(BETTER, "log_loss")
    picture = effect_bar(BETTER, one)
    place = ruler(picture)
    assert one.effect is not None
    assert one.relative_fixed_interval is not None
    assert one.relative_sequence is not None
    (diamond,) = shapes(picture, "polygon", "estimate")
    assert points(diamond)[0][0] == pytest.approx(place(100 * one.effect / base), abs=0.05)
    (fixed,), (margin,) = shapes(picture, "rect", "fixed"), shapes(picture, "rect", "margin")
    left, wide = numbers(fixed, "x", "width")
    low, high = (100 * end for end in one.relative_fixed_interval)
    assert (left, left + wide) == pytest.approx((place(low), place(high)), abs=0.05)
    left, wide = numbers(margin, "x", "width")
    assert (left, left + wide) == pytest.approx(
        (place(-100 * 0.02 / base), place(100 * 0.02 / base)), abs=0.05
    )
    (line,) = shapes(picture, "line", "sequence")
    ends = [place(100 * end) for end in one.relative_sequence]
    assert numbers(line, "x1", "x2") == pytest.approx(ends, abs=0.05)
    assert {"% of old's log loss", "← better", "worse →"} <= set(words(picture))


def test_an_interval_that_tells_nothing_is_not_drawn() -> None:
    wild = replace(first(BETTER), relative_sequence=(-4e67, 4e67))
    picture = effect_bar(BETTER, wild)
    assert shapes(picture, "line", "sequence") == []
    assert shapes(picture, "rect", "fixed")
    assert "e+" not in picture


def test_where_the_control_has_no_value_the_unit_is_that_of_the_metric() -> None:
    old, new = BETTER.arms
    nothing = MetricValue(0.0, "finite", None, None)
    zero = replace(old, metrics={**old.metrics, "log_loss": nothing})
    picture = effect_bar(replace(BETTER, arms=(zero, new)), first(BETTER))
    assert "log loss nats" in words(picture)


def test_without_an_effect_there_is_no_bar() -> None:
    assert effect_bar(DOCUMENTS["empty"], first(DOCUMENTS["empty"])) == ""
    assert effects_by_metric(DOCUMENTS["empty"], first(DOCUMENTS["empty"])) is None


def test_every_metric_stands_on_one_axis_of_percent() -> None:
    one = first(BETTER)
    figure = effects_by_metric(BETTER, one)
    assert figure is not None
    picture = svg(figure)
    place, told = ruler(picture), words(picture)
    diamonds = shapes(picture, "polygon", "estimate")
    assert len(diamonds) == len(one.metrics) == len(shapes(picture, "rect", "fixed"))
    for diamond, (name, difference) in zip(diamonds, one.metrics.items(), strict=True):
        if name == "log_calibration_ratio":
            continue
        assert difference.effect is not None
        percent = 100 * difference.effect / control(BETTER, name)
        assert points(diamond)[0][0] == pytest.approx(place(percent), abs=0.05)
    assert {"log loss ↓", "AUC ↑", "calibration ratio"} <= set(told)
    assert [row[0] for row in figure.rows()] == list(figure.x_names)
    shown = [float(word[:-1].replace("−", "-")) for word in told if re.fullmatch(r"[+−].*%", word)]
    assert shown[0] == pytest.approx(100 * (first(BETTER).relative_effect or 0), abs=0.1)


def test_a_logarithm_beyond_doubles_is_drawn_at_the_end() -> None:
    one = first(BETTER)
    far = replace(one.metrics["log_calibration_ratio"], effect=800.0, fixed_interval=None)
    figure = effects_by_metric(BETTER, replace(one, metrics={"log_calibration_ratio": far}))
    assert figure is not None
    picture = svg(figure)
    assert "nan" not in picture
    assert len(shapes(picture, "polygon", "estimate")) == 1
