"""Experiments under test: their plans, and rows of arms that differ."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from kullback.experiments.arm_tallies import ArmTallies, tally_arms
from kullback.experiments.compared import Comparison
from kullback.experiments.comparison import Findings, compare
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array, Indices
from kullback.scoring.labels import Labels
from tests import strategies as draw
from tests.tally.strategies import probability

NAMES = ("a", "b", "c")
PAIRED = Plan((Arm("a", 0.5), Arm("b", 0.5)), "a", "paired", minimum_effect=0.02)
PARALLEL = replace(PAIRED, design="parallel")
SLICED = ("country",)


def sigmoid(logit: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-logit))
    return p


def paired(noise: float = 0.5, n: int = 4000, per_unit: int = 2, seed: int = 1) -> ArmRows:
    """Rows scored by a, whose logits are off by 0.5, and by b, whose are off by `noise`."""
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, n // per_unit, n)
    truth = rng.normal(-1.0, 1.0, n) + rng.normal(0.0, 0.5, n // per_unit)[unit]
    y = np.where(rng.random(n) < sigmoid(truth), 1.0, 0.0)
    off = zip("ab", (0.5, noise), strict=True)
    scores = {name: sigmoid(truth + size * rng.normal(size=n)) for name, size in off}
    return ArmRows(y, scores, unit)


def split(rows: ArmRows) -> ArmRows:
    """The same where each unit has met one arm alone."""
    assert isinstance(rows.unit, np.ndarray)
    scores = of_arms(rows)
    second = rows.unit % 2 == 1
    arm = [NAMES[at] for at in second.astype(int).tolist()]
    return replace(rows, y_proba=np.where(second, scores["b"], scores["a"]), arm=arm)


def one_after_another(rows: ArmRows) -> ArmRows:
    """Rows that every arm has scored as rows of one arm each."""
    scores = of_arms(rows)
    n, k = len(rows), len(scores)
    many = taken(rows, np.tile(np.arange(n), k))
    arm = [name for name in scores for _ in range(n)]
    return replace(many, y_proba=np.concatenate(list(scores.values())), arm=arm)


def of_arms(rows: ArmRows) -> Mapping[str, Array]:
    """What each arm has predicted of all rows."""
    assert isinstance(rows.y_proba, Mapping)
    return rows.y_proba


def taken(rows: ArmRows, places: Indices) -> ArmRows:
    """Some of the rows, in this order."""
    scores = rows.y_proba
    assert scores is not None
    return ArmRows(
        y_true=np.asarray(rows.y_true)[places],
        y_proba={name: found[places] for name, found in scores.items()}
        if isinstance(scores, Mapping)
        else scores[places],
        unit=_some(rows.unit, places),
        arm=None if rows.arm is None else [rows.arm[at] for at in places.tolist()],
        weight=None if rows.weight is None else rows.weight[places],
        importance=None if rows.importance is None else rows.importance[places],
        slices={name: [found[at] for at in places.tolist()] for name, found in rows.slices.items()},
    )


def found(plan: Plan, rows: ArmRows) -> Findings:
    """What the experiment says of these rows."""
    return compare(plan, tally_arms(plan, rows))


def only(plan: Plan, rows: ArmRows) -> Comparison:
    """The first arm against the control, in all rows."""
    return found(plan, rows).comparisons[""][0]


def joined(*parts: Mapping[str, ArmTallies]) -> dict[str, ArmTallies]:
    """The sum, segment by segment."""
    names = {name: None for part in parts for name in part}
    return {name: ArmTallies.total(part[name] for part in parts if name in part) for name in names}


def written(parts: Mapping[str, ArmTallies]) -> dict[tuple[str, str, str], bytes]:
    """All bytes that would be stored."""
    tallies = {
        (name, "tally", arm): tally.encoded()
        for name, part in parts.items()
        for arm, tally in part.tallies.items()
    }
    units = {
        (name, "units", arm): met.encoded()
        for name, part in parts.items()
        for arm, met in part.units.items()
    }
    return tallies | units


@st.composite
def batches(draws: st.DrawFn, *, has_units: bool = True) -> tuple[Plan, ArmRows]:
    """A plan of two or three arms with rows of it, hard or soft, weighted or not."""
    n = draws(st.integers(1, 8))
    names = NAMES[: draws(st.integers(2, 3))]
    arms = tuple(Arm(name, 1 / len(names)) for name in names)
    design = draws(st.sampled_from(("paired", "parallel")))
    columns = draw.columns_of(n, probability)
    plan = Plan(arms, "a", "parallel", slices=SLICED)
    rows = ArmRows(
        y_true=draws(draw.columns_of(n, draw.share)),
        y_proba=draws(columns),
        arm=draws(st.lists(st.sampled_from(names), min_size=n, max_size=n)),
        unit=draws(units(n)) if has_units else None,
        weight=draws(st.one_of(st.none(), draw.weights(n))),
        importance=draws(st.one_of(st.none(), draw.columns_of(n, st.floats(0.1, 3.0)))),
        slices=draws(st.one_of(st.just({}), _countries(n))),
    )
    if design == "paired":
        scores = {name: draws(columns) for name in names}
        return replace(plan, design="paired"), replace(rows, y_proba=scores, arm=None)
    return plan, rows


def units(n: int) -> st.SearchStrategy[Labels]:
    """Whom rows are about: few, so that some come twice."""
    words = st.lists(st.sampled_from(("", "7", "ann", "é" * 70)), min_size=n, max_size=n)
    return st.one_of(draw.indices(n, 5), words)


def _countries(n: int) -> st.SearchStrategy[Mapping[str, list[str]]]:
    values = st.lists(st.sampled_from(("DE", "FR", "x=y")), min_size=n, max_size=n)
    return values.map(lambda column: {SLICED[0]: column})


def _some(unit: Labels | None, places: Indices) -> Labels | None:
    if unit is None:
        return None
    return [unit[at] for at in places.tolist()] if isinstance(unit, list) else unit[places]
