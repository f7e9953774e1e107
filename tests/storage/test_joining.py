"""Halves of rows are joined by their id, whichever came first, once."""

import itertools
import math

import pytest

from kullback.storage.base import Store
from kullback.storage.rows import Correction, Joined, Looked, Row, Side
from tests.storage.writes import do, join, made

PREDICTION = Row(7.0, b"\x00p", None)
WHOLE = Row(8.0, b"w", 0.25)


def label(outcome: float) -> Row:
    return Row(None, b"", outcome)


def bring(store: Store, number: int, **rows: Row) -> Joined:
    return do(store, lambda tx: tx.join(number, rows, 1.0))


def correct(store: Store, number: int, **rows: Row) -> Joined:
    return do(store, lambda tx: tx.join(number, rows, 1.0, corrects=True))


def test_a_label_finds_its_prediction(store: Store) -> None:
    number = made(store)
    assert bring(store, number, b=PREDICTION, a=PREDICTION) == Joined(new=["a", "b"])
    joined = bring(store, number, b=label(0.5), c=label(1.0))
    assert joined == Joined(new=["c"], matched={"b": Row(7.0, b"\x00p", 0.5)})


def test_a_prediction_finds_its_label(store: Store) -> None:
    number = made(store)
    bring(store, number, b=label(0.5))
    joined = bring(store, number, b=PREDICTION, c=PREDICTION)
    assert joined == Joined(new=["c"], awaited={"b": Row(7.0, b"\x00p", 0.5)})


def test_a_whole_row_counts_once_and_brings_the_half_that_lacks(store: Store) -> None:
    number = made(store)
    bring(store, number, predicted=PREDICTION)
    bring(store, number, labelled=label(1.0))
    rows = {"new": WHOLE, "predicted": WHOLE, "labelled": WHOLE}
    assert bring(store, number, **rows) == Joined(
        new=["new"],
        matched={"predicted": Row(7.0, b"\x00p", 0.25)},
        awaited={"labelled": Row(8.0, b"w", 1.0)},
    )
    assert bring(store, number, **rows) == Joined(duplicates=["labelled", "new", "predicted"])
    assert bring(store, number, new=PREDICTION) == Joined(duplicates=["new"])


@pytest.mark.parametrize("first", [PREDICTION, WHOLE])
def test_a_label_is_corrected_where_that_is_asked_for(first: Row, store: Store) -> None:
    number = made(store)
    bring(store, number, a=first)
    bring(store, number, a=label(0.25))
    whole = first._replace(outcome=0.25)
    assert bring(store, number, a=label(1.0)) == Joined(duplicates=["a"])
    assert correct(store, number, a=label(0.25)) == Joined(duplicates=["a"])
    corrected = Correction(whole, whole._replace(outcome=1.0), is_late=False)
    assert correct(store, number, a=label(1.0)) == Joined(corrected={"a": corrected})
    back = Correction(corrected.after, whole, is_late=False)
    assert correct(store, number, a=label(0.25)) == Joined(corrected={"a": back})


def test_a_label_that_waits_is_corrected_too(store: Store) -> None:
    number = made(store)
    bring(store, number, a=label(0.0))
    assert bring(store, number, a=label(1.0)) == Joined(duplicates=["a"])
    assert correct(store, number, a=label(1.0)) == Joined(replaced=["a"])
    assert bring(store, number, a=PREDICTION).awaited == {"a": PREDICTION._replace(outcome=1.0)}


def test_a_prediction_is_settled_once_and_its_late_label_replaces_that(store: Store) -> None:
    number = made(store)
    bring(store, number, a=PREDICTION, b=PREDICTION, c=PREDICTION)
    bring(store, number, d=WHOLE)
    bring(store, number, c=label(1.0), e=label(1.0))

    def settle(before: float) -> dict[str, Row]:
        return do(store, lambda tx: tx.settle(number, before, 0.0, 10))

    by_default = PREDICTION._replace(outcome=0.0)
    assert settle(1.0) == {}
    assert settle(1.5) == {"a": by_default, "b": by_default}
    assert settle(1.5) == {}
    assert bring(store, number, a=PREDICTION) == Joined(duplicates=["a"])
    corrected = Correction(by_default, PREDICTION._replace(outcome=1.0), is_late=True)
    joined = bring(store, number, a=label(1.0), b=label(0.0))
    assert joined == Joined(corrected={"a": corrected}, confirmed=["b"])
    assert bring(store, number, a=label(0.0), b=label(1.0)) == Joined(duplicates=["a", "b"])


def test_predictions_are_settled_in_order_of_arrival_and_no_more_than_the_limit(
    store: Store,
) -> None:
    number, other = made(store, "a"), made(store, "b")
    for n in range(5):
        join(store, number, "prediction", [f"{9 - n}"], now=float(n))
    join(store, other, "prediction", ["x"], now=0.0)
    settled = do(store, lambda tx: tx.settle(number, 100.0, 1.0, 3))
    assert sorted(settled) == ["7", "8", "9"]


def test_what_is_rewritten_is_what_is_kept(store: Store) -> None:
    number = made(store)
    bring(store, number, a=WHOLE, b=WHOLE)
    do(store, lambda tx: tx.rewrite(number, {"a": Row(9.0, b"new", None)}))
    corrected = correct(store, number, a=label(1.0), b=label(1.0)).corrected
    assert corrected["a"].after == Row(9.0, b"new", 1.0)
    assert corrected["b"].after == WHOLE._replace(outcome=1.0)


def test_outcomes_of_several_labels_are_bytes_beside_the_content(store: Store) -> None:
    number = made(store)
    none, some, more = bytes(16), b"\x00y" * 8, b"z" * 24
    whole = WHOLE._replace(outcome=none)
    for half in ({"late": PREDICTION}, {"early": Row(None, b"", some)}, {"whole": whole}):
        assert bring(store, number, **half) == Joined(new=[*half])
    joined = bring(store, number, late=Row(None, b"", none), early=PREDICTION, whole=whole)
    assert joined == Joined(
        matched={"late": PREDICTION._replace(outcome=none)},
        awaited={"early": PREDICTION._replace(outcome=some)},
        duplicates=["whole"],
    )
    same, other = Row(None, b"", none), Row(None, b"", more)
    corrected = Correction(whole, whole._replace(outcome=more), is_late=False)
    joined = correct(store, number, late=same, whole=other)
    assert joined == Joined(duplicates=["late"], corrected={"whole": corrected})
    do(store, lambda tx: tx.rewrite(number, {"whole": Row(9.0, b"new", more)}))
    before = correct(store, number, whole=same).corrected["whole"].before
    assert before == Row(9.0, b"new", more)


def test_rows_of_some_time_are_counted_and_removed_step_by_step(store: Store) -> None:
    number, other = made(store, "a"), made(store, "b")
    even = {f"{n:02}": Row(float(n), b"", None) for n in range(0, 10, 2)}
    odd = {f"{n:02}": Row(float(n), b"", 1.0) for n in range(1, 10, 2)}
    for record, rows in itertools.product((number, other), (even, odd)):
        bring(store, record, **rows)
    bring(store, number, label=label(1.0))
    steps: list[Looked] = []

    def remove(after: str) -> str | None:
        steps.append(do(store, lambda tx: tx.remove(number, 2.0, 6.0, after, 4)))
        return steps[-1].last

    after: str | None = ""
    while after is not None:
        after = remove(after)
    assert [(step.removed.rows, step.removed.unmatched, step.last) for step in steps] == [
        (2, {"prediction": 1, "label": 0}, "03"),
        (2, {"prediction": 1, "label": 0}, "07"),
        (0, {"prediction": 0, "label": 0}, None),
    ]
    assert do(store, lambda tx: tx.arrived(number, -math.inf, math.inf)) == 7
    assert do(store, lambda tx: tx.arrived(other, -math.inf, math.inf)) == 10
    assert bring(store, number, **{"03": WHOLE, "06": WHOLE, "07": WHOLE}).new == ["03"]


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
    joined = bring(store, number, **dict.fromkeys(ids, label(0.0)))
    assert joined.matched == {name: Row(5.0, f"prediction {name}".encode(), 0.0) for name in ids}


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
