"""What is added can be read, by window and slice, and is compacted and forgotten without loss."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.storage.base import Cell, Store, Times, Transaction
from tests.statements import watched
from tests.storage.writes import (
    ALWAYS,
    LATE,
    add,
    adding,
    cell,
    compact_some,
    do,
    held,
    made,
    results,
    rows,
    sums,
)

READERS = 12  # more than a pool keeps
WINDOWS = st.integers(-6000, 6000).map(lambda at: at // 60 * 60)
NARROW = st.builds(Cell, st.just("binary"), st.sampled_from(["", "c=a"]), WINDOWS, st.just(60))
WIDE = st.builds(
    Cell,
    st.sampled_from(["binary", "other"]),
    st.just(""),
    st.integers(-3, 3).map(lambda at: at * 3600),
    st.just(3600),
)
PARTS = st.lists(st.tuples(NARROW | WIDE, st.integers(1, 9)), min_size=1, max_size=12)


def compact_all(store: Store, record: int, until: int, width: int) -> int:
    """Compact until nothing is left to be done; how many cells were made."""
    made_cells = 0
    while some := do(
        store, lambda transaction: transaction.compact(record, Times(-LATE, until), width, 100)
    ):
        made_cells += some
    return made_cells


def count(store: Store, record: int, amount: int) -> None:
    do(store, lambda transaction: transaction.count(record, {"n": amount}))


def test_parts_are_read_by_the_start_of_their_window(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(start): 1 for start in (-60, 0, 60, 120)})
    assert [place.start for place, _ in sorted(store.parts(number, 0, 120))] == [0, 60]
    assert sorted(store.parts(number, 60, 61)) == [(cell(60), b"1")]
    assert store.parts(number + 1, -LATE, LATE) == []


def test_slices_are_read_by_their_name_and_apart_from_all_rows(store: Store) -> None:
    number = made(store)
    names = ("", "c=a", "c=", "c==b", "c=é", "cc=a", "c", "b=a", "d=a")
    add(store, number, {cell(0, slice=name): 1 for name in names})
    assert set(sums(store, number)) == {cell(0)}
    assert {place.slice for place in sums(store, number, "c")} == {"c=a", "c=", "c==b", "c=é"}


def test_who_fails_while_reading_keeps_no_connection_and_no_old_state(store: Store) -> None:
    number, failures = made(store), []
    add(store, number, {cell(60 * at): 1 for at in range(2500)})
    for count in range(2, 2 + READERS):
        with (
            pytest.raises(InvalidInput) as caught,
            store.stream(number, 0, LATE) as parts,
        ):
            raise InvalidInput(str(next(parts)))
        failures.append((parts, caught.value))
        add(store, number, {cell(0): 1})
        for _ in range(READERS):
            assert sums(store, number)[cell(0)] == count


def test_a_part_keeps_its_number_and_another_gets_another_one(store: Store) -> None:
    number, names = made(store), ("", "c=a", "c=b", "d=a")
    add(store, number, {cell(at, slice=name): 1 for name in names for at in (0, 60)})
    first = store.numbers(number, 0, 60)
    assert {window: len(some) for window, some in first.items()} == {(0, 60): 1}
    assert {window: len(some) for window, some in store.numbers(number, 0, 120, "c").items()} == {
        (0, 60): 2,
        (60, 60): 2,
    }
    assert [len(some) for some in store.numbers(number, 0, 60, "c=a").values()] == [1]
    add(store, number, {cell(0): 2})
    both = store.numbers(number, 0, 60)[0, 60]
    assert both == (*first[0, 60], *sorted(set(both) - set(first[0, 60])))
    do(store, lambda tx: tx.compact(number, ALWAYS, 60, 99))
    (merged,) = store.numbers(number, 0, 60)[0, 60]
    assert merged not in both
    assert store.numbered(number, 0, 60) == [(merged, (cell(0), b"3"))]
    assert store.numbers(number + 1, -LATE, LATE) == {}


def test_the_numbers_of_parts_are_read_without_their_bytes(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(60 * at, slice=f"c={at}"): 1 for at in range(9)})
    with watched() as statements:
        numbers = store.numbers(number, 0, 480, "c")
        parts = store.numbered(number, 0, 480, "c")
    assert sorted(number for some in numbers.values() for number in some) == sorted(dict(parts))
    assert ["content" in text for text, _ in statements] == [False, True]


def test_one_commit_writes_one_row_for_each_cell(store: Store) -> None:
    number = made(store)
    with held(store):
        futures = [store.write(adding(number, {cell(0): 1, cell(60 * n): 1})) for n in range(9)]
    results(futures)
    assert sums(store, number)[cell(0)] == 9
    assert rows(store, number) == 9
    assert store.counts(number) == {"rows": 17}


def test_counts_add_up_and_may_fall(store: Store) -> None:
    number, other = made(store, "a"), made(store, "b")
    for amount in (2**40, 5, -7):
        count(store, number, amount)
    do(store, lambda transaction: transaction.count(other, {"n": 1, "m": 0}))
    assert store.counts(number) == {"n": 2**40 - 2}
    assert store.counts(other) == {"n": 1, "m": 0}


def test_the_last_start_is_that_of_the_latest_window_of_all_rows(store: Store) -> None:
    number = made(store)
    assert store.last_start(number) is None
    add(store, number, {cell(60): 1, cell(-600): 1, cell(120, slice="c=a"): 1})
    assert store.last_start(number) == 60


def test_the_cells_of_all_rows_are_listed_once_each_without_their_parts(store: Store) -> None:
    number, other = made(store), made(store, "other")
    assert store.cells(number) == []
    for _ in range(2):
        add(store, number, {cell(60): 1, cell(-600): 1, cell(120, slice="c=a"): 1})
    add(store, other, {cell(0): 1})
    with watched() as statements:
        assert sorted(store.cells(number)) == [cell(-600), cell(60)]
    assert not any("content" in text for text, _ in statements)


def test_all_parts_come_with_a_count_of_the_same_moment(store: Store) -> None:
    number, other = made(store), made(store, "other")
    assert store.counted_parts(number, "rows") == (0, [])
    count(store, other, 7)
    add(store, number, {cell(60): 1, cell(-600): 2, cell(120, slice="c=a"): 3})
    add(store, number, {cell(60): 4})
    with watched() as statements:
        amount, parts = store.counted_parts(number, "rows")
    assert (amount, len(statements)) == (10, 1)
    expected = [
        (cell(-600), b"2"),
        (cell(60), b"1"),
        (cell(60), b"4"),
        (cell(120, slice="c=a"), b"3"),
    ]
    assert sorted(parts) == sorted(expected)
    assert store.counted_parts(number, "n") == (0, parts)
    assert store.counted_parts(other, "n") == (7, [])
    do(store, lambda transaction: transaction.delete(number))
    assert store.counted_parts(number, "rows") == (0, [])


def test_narrow_windows_become_the_wide_window_they_lie_in(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(start): 1 for start in (-3600, -60, 0, 3540, 3600)})
    assert compact_all(store, number, 7200, 3600) == 3
    assert sums(store, number) == {cell(-3600, 3600): 2, cell(0, 3600): 2, cell(3600, 3600): 1}
    assert rows(store, number) == 3


def test_a_window_is_folded_only_once_the_wide_one_has_ended(store: Store) -> None:
    number = made(store)
    for _ in range(2):
        add(store, number, {cell(0): 1, cell(3540): 1, cell(3600): 1, cell(7200, 3600): 1})
    assert compact_all(store, number, 7199, 3600) == 1
    assert sums(store, number) == {cell(0, 3600): 4, cell(3600): 2, cell(7200, 3600): 2}
    assert rows(store, number) == 5


def test_cells_of_one_part_are_left_as_they_are(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(0): 1, cell(60): 1})
    add(store, number, {cell(60): 1})
    before = set(store.parts(number, 0, 60))
    assert compact_all(store, number, 120, 60) == 1
    assert compact_all(store, number, 120, 60) == 0
    assert set(store.parts(number, 0, 60)) == before


def test_windows_wider_than_asked_are_put_together_and_stay_wide(store: Store) -> None:
    number = made(store)
    for _ in range(3):
        add(store, number, {cell(0, 3600): 2, cell(0): 1})
    assert compact_all(store, number, 3600, 60) == 2
    assert sums(store, number) == {cell(0, 3600): 6, cell(0): 3}
    assert rows(store, number) == 2


def test_kinds_slices_and_records_are_not_mixed(store: Store) -> None:
    numbers = [made(store, "a"), made(store, "b")]
    places = [Cell(kind, name, 0, 60) for kind in ("x", "y") for name in ("c=a", "c=b")]
    for number in numbers:
        for _ in range(2):
            add(store, number, dict.fromkeys(places, number))
    assert compact_all(store, numbers[0], 60, 60) == 4
    assert sums(store, numbers[0], "c") == dict.fromkeys(places, 2 * numbers[0])
    assert len(store.parts(numbers[1], 0, 1, "c")) == 8


def test_no_more_cells_than_the_limit_are_made_at_once(store: Store) -> None:
    number = made(store)
    for _ in range(2):
        add(store, number, {cell(60 * n): 1 for n in range(5)})
    compacted = [compact_some(store, number, 60, 2) for _ in range(4)]
    assert compacted == [2, 2, 1, 0]
    assert rows(store, number) == 5


def test_what_was_added_in_the_same_write_is_folded(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(0): 1})

    def add_and_fold(transaction: Transaction) -> int:
        transaction.add(number, {cell(0): b"2"})
        return transaction.compact(number, ALWAYS, 60, 10)

    assert do(store, add_and_fold) == 1
    assert store.parts(number, 0, 1) == [(cell(0), b"3")]


def test_a_removed_record_is_not_folded(store: Store) -> None:
    number = made(store)
    do(store, lambda transaction: transaction.delete(number))
    assert do(store, lambda transaction: transaction.compact(number, ALWAYS, 60, 10)) == 0
    assert do(store, lambda transaction: transaction.forget(number, LATE, 10)) == 0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PARTS, PARTS, st.sampled_from([60, 600, 3600]), st.integers(-4000, 8000))
def test_folding_changes_no_sum(
    store: Store,
    first: list[tuple[Cell, int]],
    second: list[tuple[Cell, int]],
    width: int,
    until: int,
) -> None:
    fresh = made(store, f"law{len(store.records('monitor'))}")
    for place, amount in [*first, *second]:
        add(store, fresh, {place: amount})
    totals = [sums(store, fresh, name) for name in (None, "c")]
    compact_all(store, fresh, until, width)
    for name, total in zip((None, "c"), totals, strict=True):
        expected: dict[Cell, int] = {}
        for place, amount in total.items():
            into = compacted_into(place, until, width)
            expected[into] = expected.get(into, 0) + amount
        assert sums(store, fresh, name) == expected


def compacted_into(place: Cell, until: int, width: int) -> Cell:
    """Where a cell's content stands once everything is compacted."""
    if place.width >= width:
        return place
    start = place.start // width * width
    return place._replace(start=start, width=width) if start + width <= until else place


def test_readers_see_one_sum_while_cells_are_folded(store: Store) -> None:
    number = made(store)
    for n in range(20):
        add(store, number, {cell(60 * (n % 7)): 2})
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(sum(sums(store, number).values()))

    reader = threading.Thread(target=read)
    reader.start()
    for width in (60, 120, 600, 3600):
        while compact_some(store, number, width, 2):
            pass
    done.set()
    reader.join()
    assert seen == {40}
    assert rows(store, number) == 1


def test_old_cells_are_forgotten_and_no_others(store: Store) -> None:
    number = made(store)
    for _ in range(2):
        add(store, number, {cell(0): 1, cell(60): 1, cell(0, 3600): 1, cell(0, slice="c=a"): 1})
    forgotten = [
        do(store, lambda transaction: transaction.forget(number, 119, 3)) for _ in range(3)
    ]
    assert forgotten == [3, 1, 0]
    assert sums(store, number) == {cell(60): 2, cell(0, 3600): 2}
    assert sums(store, number, "c") == {}


@pytest.mark.parametrize("many", [1, 5000])
def test_many_cells_are_added_at_once(many: int, store: Store) -> None:
    number = made(store)
    add(store, number, {cell(60 * n): 1 for n in range(many)})
    assert rows(store, number) == many


def test_folding_leaves_alone_what_lies_outside_the_time(store: Store) -> None:
    number = made(store)
    for start in (0, 60, 120):
        add(store, number, {cell(start): 1})
        add(store, number, {cell(start): 2})

    def merge(transaction: Transaction) -> int:
        return transaction.compact(number, Times(60, 120), 60, 10)

    assert [do(store, merge), do(store, merge)] == [1, 0]
    assert rows(store, number) == 5
    assert sums(store, number) == {cell(start): 3 for start in (0, 60, 120)}
