"""The effects of arms and segments one under another, with their intervals, as SVG."""

from collections.abc import Iterator, Mapping, Sequence

from kullback.experiments.plan import HIGHER_IS_BETTER
from kullback.experiments.report import ArmsReport
from kullback.experiments.wording import METRICS, effect, interval, unit
from kullback.figures.axes import Scale, labelled
from kullback.figures.segment_effects import SegmentEffect, effects, span
from kullback.figures.shapes import (
    WIDTH,
    box,
    horizontal_axis,
    hoverable,
    line,
    picture,
    polygon,
    polyline,
    shortened,
    text,
    width,
)

MOST_ROWS = 40
_ROW = 44
_HEAD = 34
_NAME = 24
_LEFT, _RIGHT = 24.0, WIDTH - 24.0


def forest(report: ArmsReport) -> str:
    """Each effect with its intervals, the arms first and then the segments; "" without any.

    What is in view follows from `in_view`; an interval that goes on beyond it ends in an arrow.
    """
    by_arm = _by_arm(report)
    return drawing(report, by_arm) if by_arm else ""


def drawing(report: ArmsReport, by_arm: Mapping[str, Sequence[SegmentEffect]]) -> str:
    """The effects of these arms, each under its name; each comparison has an effect."""
    shown = [row for several in by_arm.values() for row in several]
    scale = Scale(*span(report, [row.comparison for row in shown]), _LEFT, _RIGHT)
    bottom = _HEAD + _ROW * len(shown) + _NAME * len(by_arm)
    shapes = [*_ground(report, scale, bottom), *_directions(report, scale, bottom + 40)]
    shapes += horizontal_axis(scale, bottom, labelled(scale.ticks(6)))
    top = float(_HEAD)
    for arm, several in by_arm.items():
        name = shortened(f"{arm} against {report.control}", _RIGHT - 24)
        shapes.append(text((scale.start, top + 20), name, "label strong"))
        for at, row in enumerate(several):
            start = top + _NAME + _ROW * at
            shapes += _effect(row, scale, start)
            strip = box((0, start), (WIDTH, start + _ROW), "catch")
            shapes.append(hoverable(strip, _words(row), ""))
        top += _NAME + _ROW * len(several)
    description = "; ".join(
        f"{row.comparison.arm} against {report.control}, {row.segment}: {effect(row.comparison)}"
        for row in shown
    )
    title = f"Difference of {METRICS[report.metric]} to {report.control}"
    return picture(bottom + 48, title, description, shapes)


def _words(row: SegmentEffect) -> str:
    """The effect with its intervals, as a pointer has it told."""
    comparison, error = row.comparison, row.comparison.standard_error
    words = [f"{row.segment}: {effect(comparison)}, {comparison.verdict.label}"]
    if comparison.sequence is not None:
        words.append(f"at every look {interval(comparison.sequence, error)}")
    if comparison.fixed_interval is not None:
        words.append(f"for one look {interval(comparison.fixed_interval, error)}")
    return " · ".join(words)


def _by_arm(report: ArmsReport) -> dict[str, list[SegmentEffect]]:
    """The rows that have an effect and are drawn, by arm."""
    shown = [row for row in effects(report) if row.comparison.effect is not None][:MOST_ROWS]
    arms = dict.fromkeys(row.comparison.arm for row in shown)
    return {arm: [row for row in shown if row.comparison.arm == arm] for arm in arms}


def _ground(report: ArmsReport, scale: Scale, bottom: float) -> list[str]:
    margin = report.minimum_effect
    shapes = []
    if margin is not None:
        shapes.append(box((scale(-margin), _HEAD), (scale(margin), bottom), "margin"))
        words = f"less than ±{margin:g}{unit(report.metric)}"
        middle = min(max(scale(0), 90.0), WIDTH - 90.0)
        shapes.append(text((middle, _HEAD - 8), words, "tick middle"))
    return [*shapes, line((scale(0), _HEAD), (scale(0), bottom), "zero")]


def _directions(report: ArmsReport, scale: Scale, y: float) -> Iterator[str]:
    left, right = "← better", "worse →"
    if report.metric in HIGHER_IS_BETTER:
        left, right = "← worse", "better →"
    yield text((scale.start, y), left, "name")
    yield text((scale.stop, y), right, "name end")


def _effect(row: SegmentEffect, scale: Scale, top: float) -> list[str]:
    comparison, middle = row.comparison, top + 32
    assert comparison.effect is not None
    value = f"{effect(comparison)}, {comparison.verdict.label}"
    room = scale.stop - scale.start - width(value) - 12
    shapes = [
        text((scale.start, top + 18), shortened(row.segment, room), "label"),
        text((scale.stop, top + 18), value, "label end strong"),
    ]
    if comparison.sequence is not None:
        shapes += _whisker(scale, comparison.sequence, middle)
    if comparison.fixed_interval is not None:
        low, high = map(scale, comparison.fixed_interval)
        shapes.append(box((low, middle - 4), (high, middle + 4), "fixed"))
        shapes += _arrows(scale, comparison.fixed_interval, middle)
    x = scale(comparison.effect)
    corners = [(x, middle - 7), (x + 6, middle), (x, middle + 7), (x - 6, middle)]
    return [*shapes, polygon(corners, "estimate")]


def _whisker(scale: Scale, ends: tuple[float, float], y: float) -> Iterator[str]:
    """The line of a sequence: a bar at each end, an arrow where it goes on beyond the picture."""
    yield line((scale(ends[0]), y), (scale(ends[1]), y), "sequence")
    for end in ends:
        if scale.holds(end):
            yield polyline([(scale(end), y - 6), (scale(end), y + 6)], "sequence")
    yield from _arrows(scale, ends, y)


def _arrows(scale: Scale, ends: tuple[float, float], y: float) -> Iterator[str]:
    """An arrow for each end that lies beyond the picture."""
    for end, outwards in zip(ends, (-1, 1), strict=True):
        if not scale.holds(end):
            x, back = scale(end), scale(end) - 7 * outwards
            yield polyline([(back, y - 6), (x, y), (back, y + 6)], "sequence")
