"""Halves of rows are joined by their id, whichever came first, once."""

import pytest

from kullback.storage.base import Joined, Side, Store
from tests.storage.writes import do, join, made


@pytest.mark.parametrize(("first", "second"), [("prediction", "label"), ("label", "prediction")])
def test_halves_are_joined_in_either_order(first: Side, second: Side, store: Store) -> None:
    number = made(store)
    early = do(
        store, lambda transaction: transaction.join(number, first, {"b": b"\x00B", "a": b""}, 1.0)
    )
    late = do(
        store, lambda transaction: transaction.join(number, second, {"b": b"2", "c": b"3"}, 1.0)
    )
    assert early == Joined(["a", "b"], {}, [])
    assert late == Joined(["c"], {"b": b"\x00B"}, [])


def test_a_half_that_comes_again_is_a_duplicate(store: Store) -> None:
    number = made(store)
    assert join(store, number, "prediction", ["a", "b"]) == [2, 0, 0]
    assert join(store, number, "prediction", ["a", "b"]) == [0, 0, 2]
    assert join(store, number, "label", ["a"]) == [0, 1, 0]
    assert join(store, number, "label", ["a", "b", "c"]) == [1, 1, 1]
    assert join(store, number, "prediction", ["a", "b", "c"]) == [0, 1, 2]


def test_rows_of_other_records_are_not_joined(store: Store) -> None:
    a, b = made(store, "a"), made(store, "b")
    join(store, a, "prediction", ["x"])
    assert join(store, b, "label", ["x"]) == [1, 0, 0]


def test_ids_are_taken_as_they_are(store: Store) -> None:
    number = made(store)
    ids = ['"', "'", "\\", "%", "{a,b}", "a,b", "NULL", "é", "🦉", " ", "A", "a", "1", "01"]
    assert join(store, number, "prediction", ids) == [len(ids), 0, 0]
    joined = do(
        store, lambda transaction: transaction.join(number, "label", dict.fromkeys(ids, b"y"), 1.0)
    )
    assert joined.matched == {name: f"prediction {name}".encode() for name in ids}


def test_no_rows_are_joined_to_nothing(store: Store) -> None:
    assert join(store, made(store), "label", []) == [0, 0, 0]


def test_thousands_of_rows_are_joined_at_once(store: Store) -> None:
    number = made(store)
    ids = [f"request-{n * 7919 % 40_000}" for n in range(40_000)]
    assert join(store, number, "prediction", ids[:30_000]) == [30_000, 0, 0]
    assert join(store, number, "label", ids) == [10_000, 30_000, 0]
    assert join(store, number, "label", ids) == [0, 0, 40_000]


def test_what_expires_is_counted_by_the_side_that_waited_in_vain(store: Store) -> None:
    number = made(store)
    join(store, number, "prediction", ["a", "b", "c"], now=10.0)
    join(store, number, "label", ["c", "d"], now=20.0)
    join(store, number, "label", ["e"], now=30.0)

    def expire(before: float, limit: int = 100) -> tuple[int, dict[Side, int]]:
        return do(store, lambda transaction: transaction.expire(number, before, limit))

    assert expire(10.0) == (0, {"prediction": 0, "label": 0})
    assert expire(30.0) == (4, {"prediction": 2, "label": 1})
    assert join(store, number, "label", ["a", "c", "e"], now=40.0) == [2, 0, 1]


def test_the_oldest_rows_expire_first_and_no_more_than_the_limit(store: Store) -> None:
    number = made(store)
    for n in range(5):
        join(store, number, "prediction", [f"{n}"], now=float(n))
    expired = do(store, lambda transaction: transaction.expire(number, 100.0, 3))
    assert expired == (3, {"prediction": 3, "label": 0})
    assert join(store, number, "label", ["0", "2", "3", "4"]) == [2, 2, 0]


def test_rows_of_other_records_do_not_expire(store: Store) -> None:
    a, b = made(store, "a"), made(store, "b")
    for number in (a, b):
        join(store, number, "prediction", ["x"])
    do(store, lambda transaction: transaction.expire(a, 100.0, 10))
    assert join(store, b, "label", ["x"]) == [0, 1, 0]
