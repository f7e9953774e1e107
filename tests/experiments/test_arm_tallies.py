"""Evidence adds up: whatever the batches, the sum of their evidence is that of all rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import (
    ArmTallies,
    checked_arm_rows,
    tallies,
    tally_arms,
    units,
)
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.rows import ArmRows
from kullback.numerics.types import Array
from kullback.tally.tally import Tally
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import bucket_of
from tests.experiments.arms import (
    PAIRED,
    PARALLEL,
    SLICED,
    batches,
    joined,
    of_arms,
    one_after_another,
    paired,
    split,
    taken,
    written,
)
from tests.tally.strategies import Batch

HALF = np.full(20, 0.5)
WHOLE = ArmRows(np.tile([0.0, 1.0], 10), {"a": HALF, "b": HALF}, np.arange(20))
EACH = replace(WHOLE, y_proba=HALF, arm=["a", "b"] * 10)


@given(batches(), st.data())
def test_cut_anywhere_and_added_in_any_order_it_is_the_same(
    batch: tuple[Plan, ArmRows], data: st.DataObject
) -> None:
    plan, rows = batch
    order = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    cuts = data.draw(st.sets(st.integers(1, max(order.size - 1, 1)), max_size=3))
    places = np.split(order, sorted(cuts & set(range(1, order.size))))
    parts = [tally_arms(plan, taken(rows, some)) for some in places]
    whole = tally_arms(plan, rows)
    for several in (parts, parts[::-1]):
        assert joined(*several) == whole
        assert written(joined(*several)) == written(whole)


@given(batches(has_units=False), st.integers(0, 8))
def test_rows_without_units_are_units_by_their_number(
    batch: tuple[Plan, ArmRows], place: int
) -> None:
    plan, rows = batch
    n = len(rows)
    cut = 1 + place % n
    first = tally_arms(plan, taken(rows, np.arange(cut)), 100)
    rest = [tally_arms(plan, taken(rows, np.arange(cut, n)), 100 + cut)] if cut < n else []
    whole = tally_arms(plan, rows, 100)
    assert written(joined(first, *rest)) == written(whole)
    assert not whole[""].units
    numbered = tally_arms(plan, replace(rows, unit=np.arange(100, 100 + n)))
    assert numbered[""].tallies == whole[""].tallies


@settings(max_examples=20)
@given(st.lists(batches(), min_size=3, max_size=3))
def test_it_is_a_commutative_monoid(drawn: list[tuple[Plan, ArmRows]]) -> None:
    a, b, c = (tally_arms(plan, rows)[""] for plan, rows in drawn)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == ArmTallies.total([c, a, b])
    assert a + ArmTallies() == ArmTallies() + a == ArmTallies.total([a]) == a
    assert ArmTallies.total([]) == ArmTallies()


@given(batches())
def test_segments_of_a_slice_add_up_to_the_whole(batch: tuple[Plan, ArmRows]) -> None:
    plan, rows = batch
    parts = tally_arms(plan, rows)
    segments = [part for name, part in parts.items() if name]
    if rows.slices:
        assert {name for name in parts if name} == {f"country={v}" for v in rows.slices["country"]}
        assert ArmTallies.total(segments).tallies == parts[""].tallies
    assert all(not part.units for part in segments)


def batch_of(rows: ArmRows, p: Array) -> Tally:
    assert isinstance(rows.unit, np.ndarray)
    y = np.asarray(rows.y_true, np.float64)
    batch = Batch(PAIRED.layout, p, y, w=rows.weight, units=bucket_of(rows.unit))
    return batch.tally()


def test_of_paired_arms_each_has_all_rows() -> None:
    rows = paired(n=400)
    found = tally_arms(PAIRED, rows)[""]
    assert found.tallies == {name: batch_of(rows, p) for name, p in of_arms(rows).items()}
    assert rows.unit is not None
    assert found.units == dict.fromkeys("ab", UnitSet.of(rows.unit))


def test_of_parallel_arms_each_has_its_own_rows() -> None:
    rows = split(paired(n=400))
    found = tally_arms(PARALLEL, rows)[""]
    assert rows.arm is not None
    for name in "ab":
        own = taken(rows, np.flatnonzero(np.array(rows.arm) == name))
        assert isinstance(own.y_proba, np.ndarray)
        assert own.unit is not None
        assert found.tallies[name] == batch_of(own, own.y_proba)
        assert found.units[name] == UnitSet.of(own.unit)


def test_an_arm_without_rows_has_no_evidence() -> None:
    rows = replace(EACH, arm=["b"] * 20)
    found = tally_arms(PARALLEL, rows)[""]
    assert set(found.tallies) == set(found.units) == {"b"}


def test_paired_rows_are_as_the_same_rows_of_each_arm() -> None:
    rows = paired(n=400)
    assert tally_arms(PAIRED, rows) == tally_arms(PARALLEL, one_after_another(rows))


def test_rows_count_as_much_as_weight_times_importance() -> None:
    rng = np.random.default_rng(2)
    weight, importance = rng.gamma(2.0, 1.0, (2, 20))
    both = replace(WHOLE, weight=weight, importance=importance)
    assert tally_arms(PAIRED, both) == tally_arms(
        PAIRED, replace(WHOLE, weight=weight * importance)
    )
    alone = replace(WHOLE, importance=importance)
    assert tally_arms(PAIRED, alone) == tally_arms(PAIRED, replace(WHOLE, weight=importance))


@pytest.mark.parametrize("rows", [WHOLE, EACH], ids=["paired", "parallel"])
@pytest.mark.parametrize("names", [None, [f"user {n}" for n in range(20)]])
def test_windows_are_told_apart(rows: ArmRows, names: list[str] | None) -> None:
    plan = PAIRED if rows is WHOLE else PARALLEL
    rows = rows if names is None else replace(rows, unit=names)
    window = np.arange(20) // 10 + 7
    checked = checked_arm_rows(plan, rows)
    found, met = tallies(plan, checked, window), units(checked, window)
    for at in (7, 8):
        inside = tally_arms(plan, taken(rows, np.flatnonzero(window == at)))[""]
        assert {arm: windows["", at] for arm, windows in found.items()} == inside.tallies
        assert {arm: windows[at] for arm, windows in met.items()} == inside.units


def test_an_arm_that_has_not_met_a_window_has_none_of_it() -> None:
    window = np.where(np.array(EACH.arm) == "a", 3, 4)
    checked = checked_arm_rows(PARALLEL, EACH)
    assert {arm: set(windows) for arm, windows in units(checked, window).items()} == {
        "a": {3},
        "b": {4},
    }
    assert set(tallies(PARALLEL, checked, window)["b"]) == {("", 4)}


def with_cell(values: Array, value: float) -> Array:
    found = values.copy()
    found[17] = value
    return found


def many_lists() -> ArmRows:
    return replace(EACH, y_proba=np.full((20, 2), 0.5))


WRONG = {
    "a score above 1": (
        PAIRED,
        replace(WHOLE, y_proba={"a": HALF, "b": with_cell(HALF, 1.5)}),
        "/y_proba/b/17",
    ),
    "a score that is none": (
        PAIRED,
        replace(WHOLE, y_proba={"a": HALF, "b": with_cell(HALF, np.nan)}),
        "/y_proba/b/17",
    ),
    "too few scores": (PAIRED, replace(WHOLE, y_proba={"a": HALF, "b": HALF[:19]}), "/y_proba/b"),
    "no scores": (PAIRED, replace(WHOLE, y_proba={"a": HALF, "b": HALF[:0]}), "/y_proba/b"),
    "two columns of scores": (
        PAIRED,
        replace(WHOLE, y_proba={"a": HALF, "b": np.full((20, 2), 0.5)}),
        "/y_proba/b",
    ),
    "an arm left out": (PAIRED, replace(WHOLE, y_proba={"a": HALF}), "/y_proba/b"),
    "an unknown arm": (
        PAIRED,
        replace(WHOLE, y_proba={"a": HALF, "b": HALF, "c/d": HALF}),
        "/y_proba/c~1d",
    ),
    "a list, of paired arms": (PAIRED, EACH, "/y_proba"),
    "lists by arm, of parallel arms": (PARALLEL, WHOLE, "/y_proba"),
    "no arms": (PARALLEL, replace(EACH, arm=None), "/arm"),
    "a score below 0": (PARALLEL, replace(EACH, y_proba=with_cell(HALF, -0.1)), "/y_proba/17"),
    "fewer scores": (PARALLEL, replace(EACH, y_proba=HALF[:3]), "/y_proba"),
    "a table of scores": (PARALLEL, many_lists(), "/y_proba"),
    "a row of no arm": (PARALLEL, replace(EACH, arm=["a", "b", "a", "c"] + ["a"] * 16), "/arm/3"),
    "a label above 1": (PAIRED, replace(WHOLE, y_true=with_cell(HALF, 2.0)), "/y_true/17"),
    "no rows": (PAIRED, replace(WHOLE, y_true=HALF[:0]), "/y_true"),
    "labels that are words": (PAIRED, replace(WHOLE, y_true=["no"] * 20), "/y_true"),
    "a weight below 0": (PAIRED, replace(WHOLE, weight=with_cell(HALF, -1.0)), "/sample_weight/17"),
    "too few weights": (PAIRED, replace(WHOLE, weight=HALF[:4]), "/sample_weight"),
    "an endless importance": (
        PAIRED,
        replace(WHOLE, importance=with_cell(HALF, np.inf)),
        "/target_propensity/17",
    ),
    "a huge importance": (
        PAIRED,
        replace(WHOLE, importance=1e90 * HALF, weight=1e90 * HALF),
        "/target_propensity",
    ),
    "a slice that was not planned": (
        PAIRED,
        replace(WHOLE, slices={"country": ["DE"] * 20}),
        "/slice/country",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_refused_where_it_stands(wrong: str) -> None:
    plan, rows, place = WRONG[wrong]
    with pytest.raises(InvalidInput) as refusal:
        tally_arms(plan, rows)
    assert refusal.value.offences[0].pointer == place


def test_every_wrong_cell_of_an_arm_is_named_and_counted() -> None:
    rows = replace(WHOLE, y_proba={"a": HALF, "b": HALF + 1})
    with pytest.raises(InvalidInput, match=r"1\.5 is not in \[0, 1\]") as refusal:
        tally_arms(PAIRED, rows)
    places = [offence.pointer for offence in refusal.value.offences]
    assert places == [f"/y_proba/b/{row}" for row in range(20)]
    assert refusal.value.total == 20


def test_too_many_segments_are_refused() -> None:
    n = 10_001
    rows = ArmRows(np.ones(n), {"a": np.ones(n), "b": np.ones(n)}, np.arange(n))
    plan = replace(PAIRED, slices=SLICED)
    with pytest.raises(InvalidInput, match="10002 windows and values of slices"):
        tally_arms(plan, replace(rows, slices={"country": [str(row) for row in range(n)]}))


def test_of_twenty_arms_each_has_its_own() -> None:
    arms = tuple(Arm(f"arm {place}", 0.05) for place in range(20))
    rows = replace(EACH, arm=[arm.name for arm in arms])
    found = tally_arms(Plan(arms, "arm 0"), rows)[""]
    assert [tally.scalar("rows") for tally in found.tallies.values()] == [1] * 20
