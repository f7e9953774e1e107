"""Tallies of the arms: the sums of each, and the units that it has."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kullback.errors import FieldError, InvalidInput, InvalidRows, pointer
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Indices
from kullback.scoring.arrays import unit_interval, weights
from kullback.scoring.label_types import rows_of
from kullback.scoring.labels import Labels, positive_shares
from kullback.scoring.refusals import refuse
from kullback.scoring.screening import refuse_strays
from kullback.tally.binary import binary_terms
from kullback.tally.grouping import Slices, group_ids
from kullback.tally.merge import merged
from kullback.tally.tally import Tally, total
from kullback.tally.terms import Terms
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import bucket_of

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
        y: outcomes in [0, 1] (n,).
        arms: by arm which rows are its own, all where None, and their P(1).
        w: weights (n,), or None.
        unit: whom each row is about (n,); rows are units where None.
        buckets: of the units, (n,).
        slices: by slice the value of each row.
        accepted: how many rows are of an arm that is planned.
        ignored: how many rows, or predictions of paired rows, are of other arms.
    """

    y: Array
    arms: Mapping[str, tuple[Indices | None, Array]]
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
    y = positive_shares("y_true", rows.y_true).values if len(rows) else np.zeros(0)
    number, arms = np.arange(first, first + y.size), _arms(plan, rows, y.size)
    accepted = y.size if plan.design == "paired" else sum(p.size for _, p in arms.values())
    return CheckedArmRows(
        y=y,
        arms=arms,
        w=_weight(rows, y.size),
        unit=rows.unit,
        buckets=bucket_of(number if rows.unit is None else rows.unit),
        slices={name: rows.slices[name] for name in rows.slices if name in plan.slices},
        accepted=accepted,
        ignored=_predictions(rows.y_proba) - sum(p.size for _, p in arms.values()),
    )


def tallies(
    plan: Plan, checked: CheckedArmRows, window: Indices
) -> dict[str, dict[tuple[str, int], Tally]]:
    """By arm, the tally of each window and slice: see grouped."""
    by_arm = {}
    for name, (rows, p) in checked.arms.items():
        if p.size:
            part = _taken(checked, rows)
            terms = _terms(plan, part, p)
            by_arm[name] = group_ids(terms, window if rows is None else window[rows], part.slices)
    return by_arm


def units(checked: CheckedArmRows, window: Indices) -> dict[str, dict[int, UnitSet]]:
    """By arm, the units of each window; the same for every arm where each row is of all."""
    if checked.unit is None:
        return {}
    by_arm: dict[str, dict[int, UnitSet]] = {}
    shared: dict[int, UnitSet] | None = None
    for name, (rows, p) in checked.arms.items():
        if rows is None:
            shared = shared or _by_window(checked.unit, window)
            by_arm[name] = shared
        elif p.size:
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
    window = np.zeros(checked.y.size, np.int64)
    parts: dict[str, dict[str, Tally]] = {"": {}}
    for arm, groups in tallies(plan, checked, window).items():
        for (name, _), tally in groups.items():
            parts.setdefault(name, {})[arm] = tally
    met = {arm: windows[0] for arm, windows in units(checked, window).items()}
    return {name: ArmTallies(by_arm, {} if name else met) for name, by_arm in parts.items()}


def _arms(plan: Plan, rows: ArmRows, n: int) -> dict[str, tuple[Indices | None, Array]]:
    if isinstance(rows.y_proba, Mapping):
        if plan.design != "paired":
            raise InvalidInput.at("the experiment is parallel: [n], and the arm of each", "y_proba")
        return _paired(plan, rows.y_proba, n)
    if plan.design != "parallel" or rows.arm is None:
        raise InvalidInput.at("the experiment is paired: an object of [n] by arm", "y_proba")
    p = _probabilities(rows.y_proba, n)
    codes = {name: code for code, name in enumerate(plan.names)}
    code = np.fromiter((codes.get(arm, -1) for arm in rows.arm), np.int64, len(rows.arm))
    if plan.other_arms == "error":
        names = ", ".join(plan.names)
        refuse("arm", code < 0, lambda _: f"not an arm of this experiment, which has {names}")
    own = {name: np.flatnonzero(code == at) for name, at in codes.items()}
    return {name: (places, p[places]) for name, places in own.items()}


def _predictions(y_proba: Array | Mapping[str, Array]) -> int:
    parts = y_proba.values() if isinstance(y_proba, Mapping) else (y_proba,)
    return sum(part.size for part in parts)


def _paired(
    plan: Plan, y_proba: Mapping[str, Array], n: int
) -> dict[str, tuple[Indices | None, Array]]:
    names = ", ".join(plan.names)
    for name in y_proba:
        if name not in plan.names and plan.other_arms == "error":
            detail = f"not an arm of this experiment, which has {names}"
            raise InvalidInput.at(detail, "y_proba", name)
    for name in plan.names:
        if name not in y_proba:
            raise InvalidInput.at("this arm is missing: each row is scored by all", "y_proba", name)
    return {name: (None, _probabilities(y_proba[name], n, name)) for name in plan.names}


def _probabilities(values: Array, n: int, *arm: str) -> Array:
    if values.ndim != 1:
        raise InvalidInput.at("[n]: one P(1) per row is expected", "y_proba", *arm)
    if values.size == n == 0:
        return values
    try:
        p = unit_interval("y_proba", values)
    except InvalidInput as error:
        raise _of_arm(error, *arm) from error
    if p.size != n:
        raise InvalidInput.at(f"{p.size} rows where y_true has {n}", "y_proba", *arm)
    return p


def _of_arm(error: InvalidInput, *arm: str) -> InvalidInput:
    """The same refusal, of the predictions of an arm."""
    field = pointer("y_proba")

    def moved(offence: FieldError) -> FieldError:
        place = field + pointer(*arm) + offence.pointer.removeprefix(field)
        return FieldError(place, offence.detail)

    if isinstance(error, InvalidRows):
        return error.moved(moved, error.message, error.depth + len(arm))
    return error.moved(moved, error.message)


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
        checked.y[rows],
        {},
        None if checked.w is None else checked.w[rows],
        None,
        checked.buckets[rows],
        {name: [values[at] for at in places] for name, values in checked.slices.items()},
    )


def _terms(plan: Plan, part: CheckedArmRows, p: Array) -> Callable[[slice], Terms]:
    layout = plan.layout

    def terms(rows: slice) -> Terms:
        w = None if part.w is None else part.w[rows]
        return binary_terms(layout, part.y[rows], p[rows], w, part.buckets[rows])

    return terms


def _by_window(unit: Labels, window: Indices) -> dict[int, UnitSet]:
    return {
        int(at): UnitSet.of(rows_of(unit, np.flatnonzero(window == at))) for at in np.unique(window)
    }
