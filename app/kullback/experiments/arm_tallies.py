"""Tallies of the arms: the sums of each, and the units that it has."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kullback.errors import InvalidInput
from kullback.experiments.arm_columns import ArmColumns, arm_columns, ignored_in
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import weights
from kullback.scoring.label_types import rows_of
from kullback.scoring.labels import Labels, positive_shares
from kullback.scoring.screening import refuse_strays
from kullback.tally.binary import binary_terms
from kullback.tally.grouping import Slices, group_ids
from kullback.tally.merge import merged
from kullback.tally.row_terms import RowTerms
from kullback.tally.tally import Tally, total
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import bucket_of
from kullback.tally.unpredicted import UnpredictedTerms

StratumKey = tuple[
    int, int
]  # the period of constant shares, from 1; and the day, if days are apart


@dataclass(frozen=True, slots=True)
class ArmTallies:
    """What rows say: a commutative monoid under +, whose zero is Evidence().

    Attributes:
        tallies: by arm; with score histograms by group of units.
        units: which units each arm has met; not known where rows came without, or of a segment.
        strata: the same of the rows of each stratum, where arms are compared within strata.
    """

    tallies: Mapping[str, Tally] = field(default_factory=dict)
    units: Mapping[str, UnitSet] = field(default_factory=dict)
    strata: Mapping[StratumKey, "ArmTallies"] = field(default_factory=dict)

    def __add__(self, other: "ArmTallies") -> "ArmTallies":
        return ArmTallies.total([self, other])

    @classmethod
    def total(cls, parts: Iterable["ArmTallies"]) -> "ArmTallies":
        """The sum of them all."""
        parts = list(parts)
        return cls(
            merged([part.tallies for part in parts], total),
            merged([part.units for part in parts], UnitSet.union),
            merged([part.strata for part in parts], cls.total),
        )


@dataclass(frozen=True, slots=True)
class CheckedArmRows:
    """Rows of an experiment, checked.

    Attributes:
        y: labels in [0, 1] (n,), or None where rows came without.
        arms: by arm which rows are its own, with its predictions and measures.
        w: weights (n,), or None.
        unit: whom each row is about (n,); rows are units where None.
        buckets: of the units, (n,).
        slices: by slice the value of each row.
        accepted: how many rows are of an arm that is planned.
        ignored: how many rows, or predictions of paired rows, are of other arms.
    """

    y: Array | None
    arms: Mapping[str, ArmColumns]
    w: Array | None
    unit: Labels | None
    buckets: Indices
    slices: Slices
    accepted: int = 0
    ignored: int = 0


def checked_arm_rows(plan: Plan, rows: ArmRows, first: int = 0) -> CheckedArmRows:
    """Rows as the experiment sees them; `first` is the number of the first where units are rows.

    Raises:
        InvalidInput: a label, a prediction, an arm or a slice is not this experiment's.
    """
    refuse_strays(rows.slices, lambda name: plan.check_slice(name, "slice", name))
    n, y = len(rows), rows.y_true
    shares = None if y is None else positive_shares("y_true", y).values if n else np.zeros(0)
    number, arms = np.arange(first, first + n), arm_columns(plan, rows, n)
    accepted = n if plan.design == "paired" else sum(each.size for each in arms.values())
    return CheckedArmRows(
        y=shares,
        arms=arms,
        w=_weight(rows, n),
        unit=rows.unit,
        buckets=bucket_of(number if rows.unit is None else rows.unit),
        slices={name: rows.slices[name] for name in rows.slices if name in plan.slices},
        accepted=accepted,
        ignored=ignored_in(plan, rows, n, arms),
    )


def tallies(
    plan: Plan, checked: CheckedArmRows, window: Indices
) -> dict[str, dict[tuple[str, int], Tally]]:
    """By arm, the tally of each window and slice: see grouped."""
    by_arm = {}
    for name, columns in checked.arms.items():
        rows = columns.rows
        if columns.size:
            part = _taken(checked, rows)
            terms = _terms(plan, part, columns)
            by_arm[name] = group_ids(terms, window if rows is None else window[rows], part.slices)
    return by_arm


def units(checked: CheckedArmRows, window: Indices) -> dict[str, dict[int, UnitSet]]:
    """By arm, the units of each window; the same for every arm where each row is of all."""
    if checked.unit is None:
        return {}
    by_arm: dict[str, dict[int, UnitSet]] = {}
    shared: dict[int, UnitSet] | None = None
    for name, columns in checked.arms.items():
        rows = columns.rows
        if rows is None:
            shared = shared or _by_window(checked.unit, window)
            by_arm[name] = shared
        elif columns.size:
            by_arm[name] = _by_window(rows_of(checked.unit, rows), window[rows])
    return by_arm


def tally_arms(plan: Plan, rows: ArmRows, first: int = 0) -> dict[str, ArmTallies]:
    """What rows say, as a whole ("") and by segment ("name=value").

    Raises:
        InvalidInput: there are none, or see checked_arm_rows.
    """
    if not len(rows):
        raise InvalidInput.at("y_true is empty", "y_true")
    checked = checked_arm_rows(plan, rows, first)
    window = np.zeros(len(rows), np.int64)
    parts: dict[str, dict[str, Tally]] = {"": {}}
    for arm, groups in tallies(plan, checked, window).items():
        for (name, _), tally in groups.items():
            parts.setdefault(name, {})[arm] = tally
    met = {arm: windows[0] for arm, windows in units(checked, window).items()}
    return {name: ArmTallies(by_arm, {} if name else met) for name, by_arm in parts.items()}


def _weight(rows: ArmRows, n: int) -> Array | None:
    if n == 0:
        return None
    weight = weights("sample_weight", rows.weight, n)
    if rows.importance is None:
        return weight
    joint = rows.importance if weight is None else weight * rows.importance
    return weights("target_propensity", joint, n)


def _taken(checked: CheckedArmRows, rows: Indices | None) -> CheckedArmRows:
    if rows is None:
        return checked
    places = rows.tolist()
    return CheckedArmRows(
        None if checked.y is None else checked.y[rows],
        {},
        None if checked.w is None else checked.w[rows],
        None,
        checked.buckets[rows],
        {name: [values[at] for at in places] for name, values in checked.slices.items()},
    )


def _terms(plan: Plan, part: CheckedArmRows, of_arm: ArmColumns) -> Callable[[slice], RowTerms]:
    layout, p = plan.layout, of_arm.p

    def terms(rows: slice) -> RowTerms:
        w = None if part.w is None else part.w[rows]
        y = None if part.y is None else part.y[rows]
        units, measures = part.buckets[rows], of_arm.measures[:, rows]
        if p is None:
            return UnpredictedTerms(layout, units, measures, y, w)
        predicted = binary_terms(layout, y, p[rows], w, units)
        return replace(predicted, measures=measures) if len(measures) else predicted

    return terms


def _by_window(unit: Labels, window: Indices) -> dict[int, UnitSet]:
    return {
        int(at): UnitSet.of(rows_of(unit, np.flatnonzero(window == at))) for at in np.unique(window)
    }
