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


def test_every_metric_stands_on_a_scale_of_its_own_around_no_difference() -> None:
    one = first(BETTER)
    figure = effects_by_metric(BETTER, one)
    assert figure is not None
    picture = svg(figure)
    diamonds, bars = shapes(picture, "polygon", "estimate"), shapes(picture, "rect", "fixed")
    (zero,) = shapes(picture, "line", "zero")
    middle = float(zero.attrib["x1"])
    assert len(diamonds) == len(one.metrics) == len(bars)
    for diamond, bar, effect in zip(diamonds, bars, figure.series[0].y, strict=True):
        x, (left, wide) = points(diamond)[0][0], numbers(bar, "x", "width")
        assert effect is not None
        assert (x - middle) * effect >= 0
        assert left <= x <= left + wide
        assert max(abs(left - middle), abs(left + wide - middle)) > 80, "none is flat"


def test_a_large_effect_leaves_the_others_as_long_as_they_are() -> None:
    one = first(BETTER)
    large = replace(one.metrics["auc"], effect=0.6, fixed_interval=(0.5, 0.7))
    pictures = [
        svg(figure)
        for metrics in (one.metrics, {**one.metrics, "auc": large})
        if (figure := effects_by_metric(BETTER, replace(one, metrics=metrics))) is not None
    ]
    before, after = (numbers(shapes(each, "rect", "fixed")[0], "x", "width") for each in pictures)
    assert before == after


def test_each_metric_says_which_side_is_better_or_that_none_is() -> None:
    figure = effects_by_metric(BETTER, first(BETTER))
    assert figure is not None
    assert {"log loss ↓", "AUC ↑", "calibration ratio", "mean prediction"} <= set(figure.x_names)
    assert (
        "of a calibration ratio nearer to 1 is; the others have no better side." in figure.caption
    )
    told = words(svg(figure))
    shown = next(word for word in told if re.match(r"[+−][\d.]+% \(", word))
    percent = float(shown.split("%")[0].replace("−", "-"))
    assert percent == pytest.approx(100 * (first(BETTER).relative_effect or 0), abs=0.1)


def test_a_logarithm_beyond_doubles_is_drawn_at_the_end() -> None:
    one = first(BETTER)
    far = replace(one.metrics["log_calibration_ratio"], effect=800.0, fixed_interval=None)
    figure = effects_by_metric(BETTER, replace(one, metrics={"log_calibration_ratio": far}))
    assert figure is not None
    picture = svg(figure)
    assert "nan" not in picture
    assert len(shapes(picture, "polygon", "estimate")) == 1


def test_a_number_that_has_no_room_beside_its_name_leaves_its_interval_to_the_pointer() -> None:
    one = first(BETTER)
    wide = replace(
        one.metrics["log_loss"], effect=1e3, fixed_interval=(999.9, 1000.1), standard_error=0.05
    )
    figure = effects_by_metric(BETTER, replace(one, metrics={"log_loss": wide}))
    assert figure is not None
    picture = svg(figure)
    assert not any("(" in word for word in words(picture))
    assert re.search(r"<title>log loss ↓: [^<]+ to [^<]+</title>", picture)
