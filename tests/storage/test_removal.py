"""Windows are removed by time, and keys of what was removed are not answered again."""

from collections.abc import Mapping

import pytest

from kullback.errors import Conflict, IdempotencyKeyOutdated
from kullback.storage.base import Cell, IdempotencyKey, Reply, Store, Transaction
from tests.storage.writes import DONE, adding, cell, do, half, held, join, made, sums

ALL = 1000


def keyed(name: str, path: str = "/v1/monitors/clicks/observations") -> IdempotencyKey:
    return IdempotencyKey(f"POST {path}", name, b"digest")


def write(
    store: Store, key: IdempotencyKey, parts: Mapping[Cell, int], name: str = "clicks"
) -> bool:
    """Add to the record of a name; whether that had been done before."""

    def work(tx: Transaction) -> Reply:
        record = tx.record("monitor", name)
        assert record is not None
        tx.add(record.id, {each: b"%d" % number for each, number in parts.items()})
        return DONE

    return store.write(work, key).result(30).replayed


def test_windows_within_a_range_go_and_others_stay(store: Store) -> None:
    number, other = made(store), made(store, "other")
    parts = {cell(start, slice=name): 1 for start in (0, 60, 120, 180) for name in ("", "a=b")}
    parts |= {cell(0, 3600): 7}
    for record in (number, other):
        store.write(adding(record, parts)).result(30)
    assert do(store, lambda tx: len(list(tx.parts(number, 60, 180)))) == 2
    assert do(store, lambda tx: tx.take(number, 60, 180, 3)) == 3
    assert do(store, lambda tx: tx.take(number, 60, 180, 3)) == 1
    assert do(store, lambda tx: tx.take(number, 60, 180, 3)) == 0
    assert sums(store, number) == {cell(0): 1, cell(180): 1, cell(0, 3600): 7}
    assert sums(store, other) == {each: n for each, n in parts.items() if not each.slice}


def test_parts_of_one_slice_are_withdrawn_by_start(store: Store) -> None:
    number, other = made(store), made(store, "other")
    for record in (number, other):
        for start in (120, 0, 60):
            store.write(adding(record, {cell(start, slice="@a="): start, cell(start): 1})).result(
                30
            )
    some = do(store, lambda tx: tx.withdraw(number, "@a=", 1, 1))
    assert some == [(cell(60, slice="@a="), b"60")]
    left = sorted(do(store, lambda tx: list(tx.parts(number, 0, 999, "@a="))))
    assert left == [(cell(at, slice="@a="), b"%d" % at) for at in (0, 120)]
    assert len(do(store, lambda tx: tx.withdraw(number, "@a=", 0, 5))) == 2
    assert do(store, lambda tx: tx.withdraw(number, "@a=", 0, 5)) == []
    assert len(sums(store, number)) == 3
    assert do(store, lambda tx: len(list(tx.parts(other, 0, 999, "@a=")))) == 3


def test_a_window_around_a_moment_is_seen(store: Store) -> None:
    number = made(store)
    store.write(adding(number, {cell(3600, 3600, "a=b"): 1})).result(30)
    moments = (3600, 3601, 7200)
    assert do(store, lambda tx: [tx.straddles(number, at) for at in moments]) == [
        False,
        True,
        False,
    ]


def test_a_key_is_forgotten_with_all_that_it_wrote(store: Store) -> None:
    number = made(store)
    for name, start in (("before", 0), ("inside", 60), ("after", 120)):
        write(store, keyed(name), {cell(start): 1})
    write(store, keyed("both"), {cell(60): 1, cell(120): 1})
    write(store, keyed("nothing"), {})
    assert do(store, lambda tx: tx.forget_keys(number, 60, 120, ALL)) == 2
    assert do(store, lambda tx: tx.forget_keys(number, 60, 120, ALL)) == 0
    again = ("before", "inside", "after", "nothing")
    replays = {name: write(store, keyed(name), {cell(60): 1}) for name in again}
    assert replays == {"before": True, "inside": False, "after": True, "nothing": True}
    with pytest.raises(IdempotencyKeyOutdated, match="removed"):
        write(store, keyed("both"), {cell(60): 1})
    assert sums(store, number) == {cell(0): 1, cell(60): 3, cell(120): 2}


def test_a_key_of_labels_that_wait_may_be_of_any_time(store: Store) -> None:
    number = made(store)

    def label() -> bool:
        def work(tx: Transaction) -> Reply:
            tx.record("monitor", "clicks")
            tx.join(number, {"a": half("label", "a")}, 1.0)
            return DONE

        return store.write(work, keyed("labels")).result(30).replayed

    assert [label(), label()] == [False, True]
    assert do(store, lambda tx: tx.forget_keys(number, 60, 120, ALL)) == 1
    with pytest.raises(IdempotencyKeyOutdated):
        label()


def test_keys_move_with_a_name(store: Store) -> None:
    number = made(store)
    made(store, "clicks2")
    old, new = "/v1/monitors/clicks", "/v1/monitors/taps"
    own = [old, f"{old}/observations", f"{old}/labels"]
    others = [f"{old}2/observations", "/v1/monitors/Clicks/labels"]
    for place in (*own, *others):
        write(store, keyed("key", place), {cell(0): 1}, "clicks2" if "2" in place else "clicks")
    assert do(store, lambda tx: tx.move_keys(number, old, new, 1)) == 1
    assert do(store, lambda tx: tx.move_keys(number, old, new, 9)) == 2
    assert do(store, lambda tx: tx.move_keys(number, old, new, 9)) == 0
    moved = [place.replace(old, new) for place in own]
    assert [write(store, keyed("key", place), {}) for place in (*moved, *others)] == [True] * 5
    assert [write(store, keyed("key", place), {}) for place in own] == [False] * 3


def test_a_key_that_moves_under_a_retry_is_answered(store: Store) -> None:
    number = made(store)
    key, path = keyed("key", "/v1/monitors/taps/labels"), "/v1/monitors/{}"
    write(store, keyed("key", "/v1/monitors/clicks/labels"), {cell(0): 1})

    def move(tx: Transaction) -> Reply:
        assert tx.move_keys(number, path.format("clicks"), path.format("taps"), 9) == 1
        return DONE

    with held(store):  # the retry has come when the key is moved to its path
        written = [store.write(move), store.write(adding(number, {cell(0): 1}), key)]
    assert [each.result(30).replayed for each in written] == [False, True]
    assert sums(store, number) == {cell(0): 1}


def test_a_name_that_is_there_is_given_to_nothing_else(store: Store) -> None:
    number = made(store)
    made(store, "other")
    with pytest.raises(Conflict, match="this name"):
        do(store, lambda tx: tx.rename(number, "other"))
    do(store, lambda tx: tx.rename(number, "third"))
    renamed = store.record("monitor", "third")
    assert renamed is not None
    assert (renamed.id, renamed.revision) == (number, 2)
    assert store.record("monitor", "clicks") is None


def test_keys_of_rows_end_with_the_era(store: Store) -> None:
    number = made(store)

    def both() -> list[bool]:
        return [
            write(store, keyed("rows"), {cell(0): 1}),
            write(store, keyed("plan"), {}),
        ]

    replays = [both()]
    do(store, lambda tx: tx.renew(number, 1))
    replays += [both(), both()]
    assert replays == [[False, False], [False, True], [True, True]]
    assert sums(store, number) == {cell(0): 2}


def test_keys_of_rows_are_known_again_in_their_own_era(store: Store) -> None:
    number = made(store)
    write(store, keyed("rows"), {cell(0): 1})
    do(store, lambda tx: tx.renew(number, 1))
    do(store, lambda tx: tx.renew(number, 0))
    assert write(store, keyed("rows"), {cell(0): 1})
    assert sums(store, number) == {cell(0): 1}


def test_rows_that_arrived_in_some_time_are_counted(store: Store) -> None:
    number = made(store)
    for at in (1.0, 2.0, 3.0):
        join(store, number, "label", [str(at)], at)
    assert do(store, lambda tx: tx.arrived(number, 1.5, 3.0)) == 1
    assert do(store, lambda tx: tx.arrived(number, 0, 9)) == 3
