"""Records are found by name, change one revision at a time, and take all they own with them."""

import pytest

from kullback.errors import Conflict
from kullback.storage.base import Record, Reply, Store, Transaction
from tests.storage.writes import (
    ALWAYS,
    DONE,
    LATE,
    add,
    adding,
    cell,
    do,
    half,
    held,
    join,
    made,
    refusing,
    sums,
)


def attach(store: Store, record: int, content: bytes) -> None:
    do(store, lambda transaction: transaction.attach(record, "reference", content))


def test_a_record_is_found_as_it_was_made(store: Store) -> None:
    made_here = do(store, lambda transaction: transaction.create("monitor", "a", b"\x00{}", 12.5))
    assert made_here == Record(made_here.id, "monitor", "a", 1, b"\x00{}", 12.5)
    assert store.record("monitor", "a") == made_here
    assert do(store, lambda transaction: transaction.record("monitor", "a")) == made_here


def test_what_nobody_made_is_not_found(store: Store) -> None:
    made(store, "a")
    assert store.record("monitor", "b") is None
    assert store.record("experiment", "a") is None
    assert do(store, lambda transaction: transaction.record("monitor", "b")) is None


def test_records_of_a_kind_stand_in_order_of_their_names(store: Store) -> None:
    for name in ("b", "a", "B", "a.b", "é"):
        made(store, name)
    do(store, lambda transaction: transaction.create("experiment", "z", b"", 1.0))
    assert [record.name for record in store.records("monitor")] == ["B", "a", "a.b", "b", "é"]


def test_a_name_is_given_once(store: Store) -> None:
    made(store, "a")
    with pytest.raises(Conflict):
        made(store, "a")
    assert len(store.records("monitor")) == 1


def test_two_writes_of_one_commit_cannot_make_the_same_name(store: Store) -> None:
    def work(transaction: Transaction) -> Reply:
        if transaction.record("monitor", "a") is not None:
            return Reply(200, b"found")
        transaction.create("monitor", "a", b"", 1.0)
        return Reply(201, b"made")

    with held(store):
        futures = [store.write(work) for _ in range(3)]
    assert [future.result(30).reply.status for future in futures] == [201, 200, 200]


def test_each_change_is_the_next_revision(store: Store) -> None:
    number = made(store)
    for document in (b"one", b"two"):

        def change(transaction: Transaction, document: bytes = document) -> None:
            assert transaction.record("monitor", "clicks", for_change=True) is not None
            transaction.change(number, document)

        do(store, change)
    record = store.record("monitor", "clicks")
    assert record is not None
    assert (record.revision, record.document) == (3, b"two")


def test_an_attachment_takes_the_place_of_the_one_before(store: Store) -> None:
    number = made(store)
    assert store.attachment(number, "reference") is None
    for content in (b"first", b"\x00second"):
        attach(store, number, content)
    assert store.attachment(number, "reference") == b"\x00second"
    assert store.attachment(number, "other") is None


def test_a_removed_record_leaves_nothing_and_its_number_is_not_given_again(store: Store) -> None:
    number, other = made(store, "a"), made(store, "b")
    for record in (number, other):
        add(store, record, {cell(0): 1, cell(0, slice="country=DE"): 1})
        join(store, record, "prediction", ["x"])
        attach(store, record, b"r")
    do(store, lambda transaction: transaction.delete(number))

    assert store.record("monitor", "a") is None
    assert (sums(store, number), sums(store, number, "country")) == ({}, {})
    assert store.counts(number) == {}
    assert store.attachment(number, "reference") is None
    assert join(store, number, "label", ["x"]) == [1, 0, 0]
    assert sums(store, other) == {cell(0): 1}
    assert store.counts(other) == {"rows": 2}
    assert made(store, "a") > other


def test_a_removed_record_takes_what_was_added_in_the_same_commit(store: Store) -> None:
    number = made(store)

    def add_and_remove(transaction: Transaction) -> Reply:
        transaction.add(number, {cell(60): b"1"})
        transaction.delete(number)
        return DONE

    with held(store):
        before = store.write(adding(number, {cell(0): 1}))
        removed = store.write(add_and_remove)
    assert (before.result(30).reply, removed.result(30).reply) == (DONE, DONE)
    assert sums(store, number) == {}


def test_a_removal_that_fails_keeps_what_was_added_before_it(store: Store) -> None:
    number = made(store)

    def remove(transaction: Transaction) -> Reply:
        transaction.delete(number)
        raise Conflict("no")

    with held(store):
        before = store.write(adding(number, {cell(0): 1}))
        removed = store.write(remove)
    assert before.result(30).reply == DONE
    assert isinstance(removed.exception(30), Conflict)
    assert sums(store, number) == {cell(0): 1}


def test_a_write_sees_the_counts_that_it_has_added_to(store: Store) -> None:
    number = made(store)

    def counted(transaction: Transaction) -> dict[str, int]:
        transaction.count(number, {"rows": 2})
        return transaction.counts(number)

    assert do(store, counted) == {"rows": 2}
    assert do(store, counted) == {"rows": 4}
    assert do(store, lambda transaction: transaction.counts(number + 1)) == {}


def test_what_a_write_raises_is_raised_and_nothing_of_it_is_kept(store: Store) -> None:
    number = made(store)

    def work(transaction: Transaction) -> Reply:
        transaction.create("monitor", "b", b"", 1.0)
        transaction.attach(number, "reference", b"r")
        transaction.add(number, {cell(0): b"1"})
        transaction.count(number, {"rows": 1})
        transaction.join(number, {"x": half("label", "x")}, 1.0)
        raise Conflict("changed my mind")

    with pytest.raises(Conflict, match="changed my mind"):
        store.write(work).result(30)
    assert store.record("monitor", "b") is None
    assert store.attachment(number, "reference") is None
    assert store.parts(number, -LATE, LATE) == []
    assert store.counts(number) == {}


def changing_what_is_no_number(transaction: Transaction) -> Reply:
    transaction.change(2**70, b"")
    return DONE


def test_a_write_that_fails_leaves_its_neighbours_in_the_commit_alone(store: Store) -> None:
    number = made(store)
    with held(store):
        first = store.write(adding(number, {cell(0): 1}))
        wrong = store.write(refusing(Conflict("no")))
        broken = store.write(changing_what_is_no_number)
        last = store.write(adding(number, {cell(0): 2}))
    assert (first.result(30).reply, last.result(30).reply) == (DONE, DONE)
    assert isinstance(wrong.exception(30), Conflict)
    assert broken.exception(30) is not None
    assert sums(store, number) == {cell(0): 3}


def test_parts_that_cannot_be_put_together_leave_the_neighbours_alone(store: Store) -> None:
    number = made(store)

    def add_words(transaction: Transaction) -> Reply:
        transaction.add(number, {cell(0): b"many"})
        transaction.compact(number, ALWAYS, 60, 10)
        return DONE

    with held(store):
        first = store.write(adding(number, {cell(0): 1}))
        wrong = store.write(add_words)
    assert first.result(30).reply == DONE
    assert isinstance(wrong.exception(30), ValueError)
