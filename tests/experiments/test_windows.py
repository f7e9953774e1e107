"""What is stored of rows by hour, and put together again, is what the rows say at once."""

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.experiments.arm_tallies import checked_arm_rows
from kullback.experiments.arm_tallies import tally_arms as of_rows
from kullback.experiments.plan import Plan
from kullback.experiments.rows import ArmRows
from kullback.experiments.windows import by_step, cells, tallies_by_segment, times
from kullback.moments import DAY, FUTURE_SECONDS, HOUR
from kullback.numerics.types import Array
from kullback.storage.base import Cell, Part
from kullback.tally.merge import merge
from kullback.timezones import Timestamps
from tests import strategies as draw
from tests.experiments.arms import PAIRED, batches, paired, split, taken, written

epochs = st.sampled_from((1, 2, 11))
moments = st.sampled_from((0.0, 3599.999, 3600.0, 86_399.0, 86_400.0, 1.7e9, 1.7e9 + 7200))


def stored(plan: Plan, epoch: int, rows: ArmRows, time: Array) -> list[Part]:
    """The parts that rows leave."""
    return list(cells(plan, epoch, checked_arm_rows(plan, rows), time).items())


def compacted(parts: Iterable[Part], width: int) -> list[Part]:
    """The same parts in wider windows."""
    wide = [
        (cell._replace(start=cell.start // width * width, width=width), content)
        for cell, content in parts
    ]
    groups = groupby(sorted(wide, key=itemgetter(0)), itemgetter(0))
    return [(cell, merge([content for _, content in group])) for cell, group in groups]


@settings(max_examples=25)
@given(batches(), st.data())
def test_parts_of_any_hours_say_what_the_rows_say(
    drawn: tuple[Plan, ArmRows], data: st.DataObject
) -> None:
    plan, rows = drawn
    n, epoch = len(rows), data.draw(epochs)
    time = data.draw(draw.columns_of(n, moments))
    parts = data.draw(st.permutations(stored(plan, epoch, rows, time)))
    expected = written(of_rows(plan, rows))
    assert written(tallies_by_segment(plan, epoch, parts)) == expected
    for width in (HOUR, DAY, 7 * DAY):
        assert written(tallies_by_segment(plan, epoch, compacted(parts, width))) == expected


@settings(max_examples=25)
@given(batches(), st.data())
def test_batches_add_up_to_what_all_rows_say(
    drawn: tuple[Plan, ArmRows], data: st.DataObject
) -> None:
    plan, rows = drawn
    n = len(rows)
    order = np.array(data.draw(st.permutations(range(n))), np.int64)
    cut = data.draw(st.integers(0, n))
    parts = [
        part
        for some in (order[:cut], order[cut:])
        if some.size
        for part in stored(plan, 1, taken(rows, some), np.full(some.size, 1.7e9))
    ]
    assert written(tallies_by_segment(plan, 1, parts)) == written(of_rows(plan, rows))


@settings(max_examples=8)
@given(batches())
def test_epochs_never_mix(drawn: tuple[Plan, ArmRows]) -> None:
    plan, rows = drawn
    time = np.zeros(len(rows))
    parts = [part for epoch in (1, 2, 11, 12) for part in stored(plan, epoch, rows, time)]
    for epoch in (1, 2, 11, 12):
        assert written(tallies_by_segment(plan, epoch, parts)) == written(of_rows(plan, rows))
    for epoch in (3, 111):
        assert tallies_by_segment(plan, epoch, parts).keys() == {""}
        assert by_step(epoch, HOUR, parts) == {}


def test_arms_may_be_named_like_places() -> None:
    names = ("a/b", "units/x", "1/tally/a/b")
    rows = replace(split(paired(n=12)), arm=[names[at % 3] for at in range(12)])
    arms = tuple(replace(PAIRED.arms[0], name=name, share=1 / 3) for name in names)
    plan = Plan(arms, names[0], "parallel")
    found = tallies_by_segment(plan, 1, stored(plan, 1, rows, np.zeros(12)))[""]
    assert {arm: tally.scalar("rows") for arm, tally in found.tallies.items()} == dict.fromkeys(
        names, 4
    )
    assert found.units.keys() == set(names)


def test_paired_arms_store_their_units_once() -> None:
    plan = replace(PAIRED, slices=("country",))
    rows = replace(paired(n=10), slices={"country": ["DE", "FR"] * 5})
    places = {cell for cell, _ in stored(plan, 3, rows, np.full(10, 7200.0))}
    of_arms = {
        Cell(f"3/tally/{arm}", name, 7200, HOUR)
        for arm in "ab"
        for name in ("", "country=DE", "country=FR")
    }
    assert places == of_arms | {Cell("3/units/", "", 7200, HOUR)}


@given(batches(), st.data(), st.sampled_from((HOUR, 2 * HOUR, DAY, 7 * DAY)))
def test_steps_take_every_part_once_and_in_order(
    drawn: tuple[Plan, ArmRows], data: st.DataObject, step: int
) -> None:
    plan, rows = drawn
    time = data.draw(draw.columns_of(len(rows), moments))
    parts = stored(plan, 1, rows, time)
    steps = by_step(1, step, parts)
    assert list(steps) == sorted(steps)
    assert sorted(part for some in steps.values() for part in some) == sorted(parts)
    for stop, some in steps.items():
        assert stop % step == 0
        assert all(stop - step < cell.start + cell.width <= stop for cell, _ in some)
    ends = {math.floor(each / step) * step + step for each in time}
    assert set(steps) == ends


def test_rows_without_a_timestamp_are_of_now_and_none_is_of_the_future() -> None:
    assert times(None, 3, 7.5).tolist() == [7.5] * 3
    at_most = np.array([0.0, 1000.0 + FUTURE_SECONDS])
    assert times(Timestamps(at_most), 2, 1000.0) is at_most
    with pytest.raises(InvalidInput, match="future") as refusal:
        times(Timestamps(np.nextafter(at_most, np.inf)), 2, 1000.0)
    assert [each.pointer for each in refusal.value.offences] == ["/timestamp/1"]
