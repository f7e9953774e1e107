"""Pictures of an effect and its evidence, row by row of the files."""

import math
from collections.abc import Sequence

from kullback.evaluation.axes import Scale, around
from kullback.evaluation.drawing import WIDTH, Frame, dot, line, picture, polygon, polyline, text
from kullback.experiments.report import EvaluationLook, EvaluationReport, Interval
from kullback.experiments.wording import METRICS, unit

Course = Sequence[tuple[int, EvaluationLook]]

_WIDEST = 4.0  # of effects, beyond which a sequence is cut
_LEFT = 72
_RIGHT = WIDTH - 16
_TOP = 34.0
_BOTTOM = 260.0
_HEIGHT = 306


def sequence(report: EvaluationReport, arm: str) -> str:
    """The effect and its confidence sequence over rows; "" where there is none.

    Where the sequence is wider than the picture it ends at the picture's edge.
    """
    course = [(n, look) for n, look in report.looks(arm) if look.effect is not None]
    if not course:
        return ""
    x = Scale(0.0, max(n for n, _ in course), _LEFT, _RIGHT)
    frame = Frame(x, Scale(*_span(report, course), _BOTTOM, _TOP))
    shapes = [*_margin(report, frame), *_band(course, frame)]
    name = f"difference of {METRICS[report.metric]}{unit(report.metric).replace(' ', ', ')}"
    shapes += [frame.grid("rows", name)]
    shapes += [line((x.start, frame.y(0)), (x.stop, frame.y(0)), "zero")]
    effects = [(n, look.effect) for n, look in course if look.effect is not None]
    shapes += [polyline([frame.at(n, effect) for n, effect in effects], "curve")]
    shapes += _crossing(course, frame)
    description = _described(course)
    return picture(_HEIGHT, f"Effect of {arm} over rows", description, shapes)


def log_e_values(report: EvaluationReport, arm: str) -> str:
    """The evidence ln e over rows beside ln(1/α); "" where there is none."""
    values = [(n, look.log_e_value) for n, look in report.looks(arm)]
    points = [(n, log_e) for n, log_e in values if log_e is not None]
    if not points:
        return ""
    wanted = -math.log(report.alpha)
    x = Scale(0.0, max(n for n, _ in points), _LEFT, _RIGHT)
    ends = around([0.0, wanted, *(log_e for _, log_e in points)])
    frame = Frame(x, Scale(*ends, _BOTTOM, _TOP))
    shapes = [
        frame.grid("rows", "ln e"),
        line((x.start, frame.y(0)), (x.stop, frame.y(0)), "zero"),
        line((x.start, frame.y(wanted)), (x.stop, frame.y(wanted)), "limit"),
        polyline([frame.at(n, log_e) for n, log_e in points], "curve"),
        *[dot(frame.at(n, log_e), "step", 2.5) for n, log_e in points],
        text((x.stop - 4, frame.y(wanted) - 7), f"ln(1/α) = {wanted:.2f}", "label end"),
    ]
    description = f"ln e is {points[-1][1]:.3g} at {points[-1][0]:,} rows; {wanted:.3g} is wanted."
    return picture(_HEIGHT, f"Evidence on {arm} over rows", description, shapes)


def first_crossing(course: Course) -> tuple[int, EvaluationLook] | None:
    """The first look at which 0 was outside of the sequence."""
    for n, look in course:
        if look.sequence is not None and not look.sequence[0] <= 0 <= look.sequence[1]:
            return n, look
    return None


def _span(report: EvaluationReport, course: Course) -> Interval:
    """As high as the effects of the later half of the course, and its sequences if not wild."""
    margin = report.minimum_effect or 0.0
    later = [look for _, look in course[len(course) // 2 :]]
    ends = [0.0, -margin, margin, *(look.effect or 0.0 for look in later)]
    widest = _WIDEST * max(map(abs, ends))
    ends += [max(-widest, min(widest, end)) for look in later for end in look.sequence or ()]
    return around(ends)


def _margin(report: EvaluationReport, frame: Frame) -> list[str]:
    margin = report.minimum_effect
    if margin is None:
        return []
    (left, low), (right, high) = frame.at(frame.x.low, -margin), frame.at(frame.x.high, margin)
    ground = polygon([(left, low), (right, low), (right, high), (left, high)], "margin")
    return [ground, frame.key(f"less than ±{margin:g}", "margin")]


def _band(course: Course, frame: Frame) -> list[str]:
    intervals = [(n, look.sequence) for n, look in course if look.sequence is not None]
    if not intervals:
        return []
    above = [frame.at(n, ends[1]) for n, ends in intervals]
    below = [frame.at(n, ends[0]) for n, ends in intervals]
    band = polygon([*above, *reversed(below)], "band")
    return [band, polyline(above, "edge"), polyline(below, "edge")]


def _crossing(course: Course, frame: Frame) -> list[str]:
    crossing = first_crossing(course)
    if crossing is None:
        return []
    n, look = crossing
    x, y = frame.at(n, look.effect or 0.0)
    side = "end" if x > WIDTH / 2 else ""
    words = f"first without 0: {n:,} rows"
    away = -8 if side else 8
    height = frame.y.start - 10 if (look.effect or 0.0) < 0 else frame.y.stop + 14
    return [
        line((x, frame.y.start), (x, frame.y.stop), "mark"),
        dot((x, y), "crossing", 5.5),
        text((x + away, height), words, f"label {side}".strip()),
    ]


def _described(course: Course) -> str:
    n, last = course[-1]
    sentence = f"The effect is {last.effect:.4g} at {n:,} rows"
    if last.sequence is not None:
        sentence += f", its sequence {last.sequence[0]:.4g} to {last.sequence[1]:.4g}"
    crossing = first_crossing(course)
    return sentence + (
        "." if crossing is None else f"; 0 was first outside of it at {crossing[0]:,} rows."
    )
