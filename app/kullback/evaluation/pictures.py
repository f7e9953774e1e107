"""Pictures of arms: effects with their intervals, reliability and scores."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kullback.evaluation.axes import Scale, around, is_wide, labels, within
from kullback.evaluation.drawing import (
    WIDTH,
    Frame,
    box,
    dot,
    line,
    picture,
    polygon,
    polyline,
    shortened,
    text,
    width,
)
from kullback.experiments.plan import HIGHER_IS_BETTER
from kullback.experiments.report import ArmsReport, ComparisonReport, OverallArm
from kullback.experiments.wording import METRICS, effect, unit
from kullback.tally.report_types import ReliabilityBin

MOST_ROWS = 40
_ROW = 44
_HEAD = 34
_NAME = 24
_LEFT = 64
_RIGHT = WIDTH - 16
_LEAST_BAR = 4.0


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison and the segment it is of."""

    segment: str
    comparison: ComparisonReport

    @property
    def name(self) -> str:
        """The arm against the control, and where."""
        return f"{self.comparison.arm} against {self.comparison.control}, {self.segment}"


def rows(report: ArmsReport) -> list[Row]:
    """All comparisons: of all rows, then of the segments."""
    whole = [Row("all rows", comparison) for comparison in report.comparisons]
    return whole + [
        Row(group.name, comparison) for group in report.groups for comparison in group.comparisons
    ]


def forest(report: ArmsReport) -> str:
    """Each effect with its intervals, the arms first and then the segments; "" without any.

    The axis is as wide as all the intervals for one look and most of the sequences.
    """
    by_arm = _by_arm(report)
    if not by_arm:
        return ""
    shown = [row for several in by_arm.values() for row in several]
    scale = Scale(*_span(report, shown), 16.0, _RIGHT)
    bottom = _HEAD + _ROW * len(shown) + _NAME * len(by_arm)
    shapes = [*_ground(report, scale, bottom), *_axis(report, scale, bottom)]
    top = float(_HEAD)
    for arm, several in by_arm.items():
        name = shortened(f"{arm} against {report.control}", _RIGHT - 24)
        shapes.append(text((scale.start, top + 20), name, "label strong"))
        for at, row in enumerate(several):
            shapes += _effect(row, scale, top + _NAME + _ROW * at)
        top += _NAME + _ROW * len(several)
    description = "; ".join(f"{row.name}: {effect(row.comparison)}" for row in shown)
    title = f"Difference of {METRICS[report.metric]} to {report.control}"
    return picture(bottom + 48, title, description, shapes)


def reliability(arm: OverallArm) -> str:
    """What was observed against what an arm predicted, in bins of equal weight; "" without rows.

    Bars are ±1.96 √(o(1 − o)/weight). Axes are logits where probabilities span powers of ten.
    """
    measured = [(bar.mean_predicted, bar.observed, bar) for bar in arm.reliability]
    points = [(p, o, spread(bar)) for p, o, bar in measured if p is not None and o is not None]
    if not points:
        return ""
    centres = [value for p, o, _ in points for value in (p, o)]
    logit = is_wide(centres)
    ends = within(centres if logit else [*centres, *(o + s for _, o, s in points)], logit=logit)
    frame = Frame(Scale(*ends, _LEFT, _RIGHT, logit), Scale(*ends, 336.0, _HEAD, logit))
    shapes = [frame.grid("mean prediction", "observed")]
    shapes.append(line(frame.at(ends[0], ends[0]), frame.at(ends[1], ends[1]), "diagonal"))
    shapes.append(frame.key("observed = predicted", "diagonal"))
    shapes += _observed(frame, points)
    title = f"Reliability of {arm.arm}"
    description = "; ".join(f"{p:.4g} predicted, {o:.4g} observed" for p, o, _ in points)
    return picture(382, title, description, shapes)


def spread(bar: ReliabilityBin) -> float:
    """Half the length of the bar of what was observed: 1.96 √(o(1 − o)/weight)."""
    observed = bar.observed
    if observed is None or bar.weight <= 0:
        return 0.0
    return 1.96 * math.sqrt(max(0.0, observed * (1 - observed)) / bar.weight)


def score_histogram(arm: OverallArm) -> str:
    """Which parts of label 1 (upwards) and 0 (downwards) have which scores; "" without rows."""
    bars = list(parts(arm.score_histogram))
    if not bars:
        return ""
    scores = [value for bar, _, _ in bars for value in (bar.low, bar.high)]
    logit = is_wide(scores)
    x = Scale(*within(scores, logit=logit), _LEFT, _RIGHT, logit)
    most = max(max(above, below) for _, above, below in bars) * 1.15 or 1.0
    y = Scale(-most, most, 296.0, _HEAD)
    shapes = [_shares(x, y)]
    for bar, above, below in bars:
        start, stop = _bar(x(bar.low), x(bar.high))
        shapes.append(box((start, y(above)), (stop, y(0)), "ones"))
        shapes.append(box((start, y(0)), (stop, y(-below)), "zeros"))
    shapes.append(line((x.start, y(0)), (x.stop, y(0)), "axis"))
    shapes.append(text((_RIGHT - 4, _HEAD + 14), "label 1 ↑", "label end strong"))
    shapes.append(text((_RIGHT - 4, 290), "label 0 ↓", "label end strong"))
    description = "; ".join(
        f"{bar.low:.3g} to {bar.high:.3g}: {above:.1%} of label 1, {below:.1%} of label 0"
        for bar, above, below in bars
    )
    return picture(342, f"Scores of {arm.arm} by label", description, shapes)


def parts(bins: Sequence[ReliabilityBin]) -> Iterator[tuple[ReliabilityBin, float, float]]:
    """Each bin with the parts of label 1 and of label 0 that it holds."""
    measured = [(bar, bar.observed) for bar in bins if bar.observed is not None]
    ones = sum(bar.weight * observed for bar, observed in measured)
    zeros = sum(bar.weight * (1 - observed) for bar, observed in measured)
    for bar, observed in measured:
        above = bar.weight * observed / ones if ones > 0 else 0.0
        below = bar.weight * (1 - observed) / zeros if zeros > 0 else 0.0
        yield bar, above, below


def _by_arm(report: ArmsReport) -> dict[str, list[Row]]:
    """The rows that have an effect and are drawn, by arm."""
    shown = [row for row in rows(report) if row.comparison.effect is not None][:MOST_ROWS]
    arms = dict.fromkeys(row.comparison.arm for row in shown)
    return {arm: [row for row in shown if row.comparison.arm == arm] for arm in arms}


def _span(report: ArmsReport, shown: Sequence[Row]) -> tuple[float, float]:
    margin = report.minimum_effect or 0.0
    ends = [-margin, margin, 0.0]
    for row in shown:
        ends += [row.comparison.effect or 0.0, *(row.comparison.fixed_interval or ())]
    widest = 2.5 * max(map(abs, ends))
    for row in shown:
        ends += [max(-widest, min(widest, end)) for end in row.comparison.sequence or ()]
    return around(ends)


def _ground(report: ArmsReport, scale: Scale, bottom: float) -> list[str]:
    margin = report.minimum_effect
    shapes = []
    if margin is not None:
        shapes.append(box((scale(-margin), _HEAD), (scale(margin), bottom), "margin"))
        words = f"less than ±{margin:g}{unit(report.metric)}"
        middle = min(max(scale(0), 90.0), WIDTH - 90.0)
        shapes.append(text((middle, _HEAD - 8), words, "tick middle"))
    return [*shapes, line((scale(0), _HEAD), (scale(0), bottom), "zero")]


def _axis(report: ArmsReport, scale: Scale, bottom: float) -> list[str]:
    ticks = scale.ticks(6)
    shapes = [line((scale.start, bottom), (scale.stop, bottom), "axis")]
    for value, name in zip(ticks, labels(ticks), strict=True):
        shapes.append(line((scale(value), bottom), (scale(value), bottom + 5), "axis"))
        where = "middle" if 30 < scale(value) < WIDTH - 30 else ""
        where = "end" if scale(value) >= WIDTH - 30 else where
        shapes.append(text((scale(value), bottom + 19), name, f"tick {where}".strip()))
    left, right = "← better", "worse →"
    if report.metric in HIGHER_IS_BETTER:
        left, right = "← worse", "better →"
    shapes.append(text((scale.start, bottom + 40), left, "name"))
    return [*shapes, text((scale.stop, bottom + 40), right, "name end")]


def _effect(row: Row, scale: Scale, top: float) -> list[str]:
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
    x = scale(comparison.effect)
    corners = [(x, middle - 7), (x + 6, middle), (x, middle + 7), (x - 6, middle)]
    return [*shapes, polygon(corners, "estimate")]


def _whisker(scale: Scale, ends: tuple[float, float], y: float) -> Iterator[str]:
    """The line of a sequence: a bar at each end, an arrow where it goes on beyond the picture."""
    yield line((scale(ends[0]), y), (scale(ends[1]), y), "sequence")
    for end, outwards in zip(ends, (-1, 1), strict=True):
        x, back = scale(end), 0 if scale.holds(end) else -7 * outwards
        yield polyline([(x + back, y - 6), (x, y), (x + back, y + 6)], "sequence")


def _observed(frame: Frame, points: Iterable[tuple[float, float, float]]) -> Iterator[str]:
    for p, observed, half in points:
        low, high = frame.at(p, observed - half), frame.at(p, observed + half)
        yield line(low, high, "bar")
        yield dot(frame.at(p, observed), "estimate" if frame.y.holds(observed) else "beyond")


def _shares(x: Scale, y: Scale) -> str:
    """The axes of the histogram, on which parts count upwards and downwards from 0."""
    shapes = [text((_LEFT, _HEAD - 12), "part of the label", "name")]
    for value in y.ticks(6):
        shapes.append(line((x.start, y(value)), (x.stop, y(value)), "grid"))
        shapes.append(text((_LEFT - 6, y(value) + 4.5), f"{abs(value):.3g}", "tick end"))
    ticks = x.ticks(5)
    for value, name in zip(ticks, labels(ticks), strict=True):
        shapes.append(line((x(value), y.start), (x(value), y.start + 5), "axis"))
        shapes.append(text((x(value), y.start + 19), name, "tick middle"))
    return "".join([*shapes, text((_RIGHT, y.start + 38), "score", "name end")])


def _bar(start: float, stop: float) -> tuple[float, float]:
    missing = max(0.0, _LEAST_BAR - (stop - start)) / 2
    return start - missing, stop + missing
