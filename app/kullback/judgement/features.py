"""The check of features: the one whose values are most unlike those of before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kullback.judgement.comparisons import Baseline, Counts, ShareCourse, course
from kullback.judgement.findings import Finding, Size, State, graded
from kullback.judgement.folds import marks_of
from kullback.judgement.history import FeatureHour, History
from kullback.judgement.shares import share_evidence, size_of
from kullback.moments import DAY
from kullback.numerics.types import Array
from kullback.tally.feature_counts import FeatureCells, FeatureCounts

_MUCH = 0.1  # of rows: more that have no value than before


@dataclass(frozen=True, slots=True)
class _Course:
    """What the evidence about one feature has come to."""

    feature: str
    counts: Counts
    result: ShareCourse


def feature_drift(history: History) -> Finding:
    """Whether the values of a feature are unlike those of the reference and the hours before."""
    name, limits = "feature_drift", history.thresholds["feature_drift"]
    features = sorted({name for hour in history.features for name in hour.table.counts})
    if not features:
        return Finding(name, State.UNKNOWN, None, None, 0, "Rows have no features.")
    most = limits.log_threshold + math.log(len(features))
    courses = [each for feature in features if (each := _course(history, feature, most))]
    if not courses:
        said = "Nothing to compare features with yet: no reference, and not a day of the past."
        return Finding(name, State.UNKNOWN, None, None, 0, said)
    worst = max(courses, key=lambda each: (each.result.log_e >= most, _size(each)[1]))
    size, scaled = _size(worst)
    state = graded(worst.result.log_e >= most, scaled, limits)
    others = [each.feature for each in courses if each.result.log_e >= most and each != worst]
    result = Size(state, size, limits.tolerance, _said(worst, state, size, others))
    return worst.result.finding(worst.counts, name, result, most, worst.feature)


def _course(history: History, feature: str, most: float) -> _Course | None:
    limits = history.thresholds["feature_drift"]
    hours = [hour for hour in history.features if feature in hour.table.counts]
    marks = marks_of([(hour.start, hour.mark) for hour in hours])
    reference = history.reference_features.get(feature)
    cells = _cells(history, feature, hours, marks, reference)
    if cells is None:
        return None

    of_cells = cells.values if cells.starts is None else cells.starts.tobytes()

    def mass(hour: FeatureHour) -> Array:
        key = ("feature", feature, of_cells, hour.start, hour.mark)
        return history.memo.once(key, lambda: cells.shares(hour.table.counts[feature]).mass)

    counts = Counts(
        f"feature {feature} {hash(of_cells)}",
        history.memo,
        starts=np.array([hour.start for hour in hours]),
        mass=np.stack([mass(hour) for hour in hours]),
        rows=np.array([hour.table.counts[feature].rows for hour in hours]),
        excused=np.zeros(len(hours), dtype=np.bool_),
        marks=marks,
    )

    def evidence(some: list[int], baselines: list[Baseline]) -> float:
        before = counts.before(some)
        recent = None if before is None else before.mass
        return share_evidence(counts.of(some).mass, baselines, limits.tolerance, recent=recent)

    given = None if reference is None else cells.shares(reference)
    result = course(counts, given, limits, evidence, most)
    return None if result is None else _Course(feature, counts, result)


def _cells(
    history: History,
    feature: str,
    hours: Sequence[FeatureHour],
    marks: Sequence[int],
    reference: FeatureCounts | None,
) -> FeatureCells | None:
    """The cells of a reference; without one of what came before this day."""
    if reference is not None:
        return FeatureCells.of(reference)
    today = history.now // DAY * DAY
    before = sum(hour.start < today for hour in hours)
    if not before:
        return None

    def of_past() -> FeatureCells:
        counts = [hour.table.counts[feature] for hour in hours[:before]]
        return FeatureCells.of(FeatureCounts.merged(counts))

    return history.memo.once(("cells", feature, marks[before - 1]), of_past)


def _size(each: _Course) -> tuple[float, float]:
    here = each.counts.of(each.result.hours)
    return size_of(here.mass, each.result.baselines)


def _said(worst: _Course, state: State, size: float, others: Sequence[str]) -> str:
    if state is State.OK:
        return f"Features are as before, {worst.feature} least so: PSI {size:.2f}."
    now = float(worst.counts.of(worst.result.hours).shares()[-1])
    past = float(worst.result.baselines[-1].shares.shares()[-1])
    is_missing = now - past > _MUCH
    missing = f", missing in {now:.0%} of rows where {past:.0%} are usual" if is_missing else ""
    beside = f" So are {', '.join(others[:5])}." if others else ""
    return f"Feature {worst.feature} is unlike before: PSI {size:.2f}{missing}.{beside}"
