"""Replicas on one database neither lose nor double anything, whatever they do at once."""

from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from operator import methodcaller

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from kullback.errors import IdempotencyKeyInProgress, IdempotencyKeyReused, StoreUnavailable
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction, Written
from kullback.storage.rows import Joined, Row, Side
from kullback.storage.sql import open_store
from tests.postgresql import Server
from tests.storage.test_attachments import gathering
from tests.storage.writes import (
    ALWAYS,
    DONE,
    Opening,
    add,
    adding,
    cell,
    compact_some,
    do,
    half,
    held,
    join,
    made,
    merge,
    removed,
    results,
    rows,
    sums,
    together,
)

Replicas = tuple[Store, Store]
KEY = IdempotencyKey("scope", "key", b"digest")


Session = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def session(postgresql: Server, postgresql_url: str) -> Iterator[Session]:
    """A connection of somebody else to the same database."""
    with postgresql.connect(str(make_url(postgresql_url).database)) as connection:
        yield connection


def wait_until_one_waits(session: Session) -> None:
    """Until some other session of this database waits for a lock."""
    waiting = (
        "SELECT count(*), pg_sleep(0.01) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(500):
        row = session.execute(waiting).fetchone()
        assert row is not None
        if row[0]:
            return
    pytest.fail("nobody waits")


def close_all(stores: Replicas) -> None:
    """Only what a session has told the server before it ended is counted for certain."""
    for store in stores:
        store.close()


def deadlocks(session: Session) -> object:
    """How many PostgreSQL has had to end in this database."""
    session.execute("SELECT pg_stat_clear_snapshot()")
    named = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return session.execute(named).fetchone()


def test_many_stores_open_one_empty_database_at_once(postgresql_url: str, opening: Opening) -> None:
    together(*(lambda: opening(postgresql_url).ping() for _ in range(6)))


def test_one_of_two_writes_with_the_same_token_happens(replicas: Replicas) -> None:
    number = made(replicas[0])
    for n in range(40):
        key = KEY._replace(key=f"{n}")
        together(*(partial(add, store, number, {cell(0): 1}, key) for store in replicas))
    assert sums(replicas[1], number) == {cell(0): 40}
    assert replicas[0].counts(number) == {"rows": 40}


def test_one_of_two_takes_a_token_whose_record_is_gone(replicas: Replicas) -> None:
    for n in range(10):
        keys = [KEY._replace(key=f"{n}-{m}") for m in range(5)]
        gone = made(replicas[0])

        def counted(transaction: Transaction) -> Reply:
            record = transaction.record("monitor", "clicks")
            assert record is not None
            transaction.count(record.id, {"rows": 1})
            return DONE

        def write(store: Store, order: list[IdempotencyKey]) -> None:
            results([store.write(counted, key) for key in order])

        write(replicas[0], keys)
        removed(replicas[0], gone)
        number = made(replicas[0])
        together(partial(write, replicas[0], keys), partial(write, replicas[1], keys[::-1]))
        assert replicas[1].counts(number) == {"rows": 5}
        removed(replicas[0], number)


def test_tokens_of_one_commit_are_claimed_in_order(replicas: Replicas, session: Session) -> None:
    claimed = "INSERT INTO tokens VALUES ('scope', %s, '', 200, '', 0)"
    with session.transaction(force_rollback=True):
        session.execute(claimed, ["m"])
        with held(replicas[0]):
            names = ("z", "m", "a")
            futures = [replicas[0].write(adding(1, {}), KEY._replace(key=name)) for name in names]
        wait_until_one_waits(session)
        session.execute("SET LOCAL lock_timeout = 500")
        session.execute(claimed, ["z"])  # not claimed before its turn, or this would wait
    assert [written.replayed for written in results(futures)] == [False] * 3


def test_writes_with_the_same_tokens_in_other_orders_happen_once(replicas: Replicas) -> None:
    number = made(replicas[0])
    keys = [KEY._replace(key=f"{n:03}") for n in range(150)]

    def write(store: Store, order: list[IdempotencyKey]) -> None:
        results([store.write(adding(number, {cell(0): 1}), key) for key in order])

    together(partial(write, replicas[0], keys), partial(write, replicas[1], keys[::-1]))
    assert sums(replicas[1], number) == {cell(0): 150}


def test_counts_and_cells_in_other_orders_do_not_block_each_other(
    replicas: Replicas, session: Session
) -> None:
    number = made(replicas[0])
    names = [f"{n:02}" for n in range(40)]

    def count(store: Store, order: list[str]) -> None:
        for _ in range(60):
            do(store, lambda transaction: transaction.count(number, dict.fromkeys(order, 1)))

    together(lambda: count(replicas[0], names), lambda: count(replicas[1], names[::-1]))
    assert replicas[0].counts(number) == dict.fromkeys(names, 120)
    close_all(replicas)
    assert deadlocks(session) == (0,)


def test_what_accumulates_in_other_orders_neither_blocks_nor_is_lost(
    replicas: Replicas, session: Session
) -> None:
    numbers = [made(replicas[0], f"m{n:02}") for n in range(20)]
    for number in numbers:
        do(replicas[0], methodcaller("attach", number, "sum", b"0"))

    def gather(store: Store, order: list[int]) -> None:
        for _ in range(40):
            with held(store):
                futures = [store.write(gathering(number, b"1")) for number in order]
            results(futures)

    together(lambda: gather(replicas[0], numbers), lambda: gather(replicas[1], numbers[::-1]))
    assert {replicas[0].attachment(number, "sum") for number in numbers} == {b"80"}
    close_all(replicas)
    assert deadlocks(session) == (0,)


def test_a_token_that_another_session_holds_is_in_progress_and_its_neighbours_are_not(
    replicas: Replicas, session: Session
) -> None:
    store, number = replicas[0], made(replicas[0])
    with session.transaction():
        session.execute("INSERT INTO tokens VALUES (%s, %s, %s, 200, '', 0)", KEY)
        with held(store):
            locked = store.write(adding(number, {cell(0): 1}), KEY)
            free = store.write(adding(number, {cell(0): 2}), KEY._replace(key="a"))
        assert isinstance(locked.exception(30), IdempotencyKeyInProgress)
        assert free.result(30).reply == DONE
    assert sums(store, number) == {cell(0): 2}
    assert store.write(adding(number, {cell(0): 1}), KEY).result(30).replayed
    with pytest.raises(IdempotencyKeyReused):
        add(store, number, {cell(0): 1}, KEY._replace(digest=b"other"))


def test_halves_that_come_at_once_are_matched_once(replicas: Replicas) -> None:
    number = made(replicas[0])
    ids = [f"{n}" for n in range(200)]
    found: list[list[int]] = []

    def bring(store: Store, side: Side, some: list[str]) -> None:
        found.append(join(store, number, side, some))

    for n in range(10):
        some = [f"{n}-{name}" for name in ids]
        together(
            partial(bring, replicas[0], "prediction", some),
            partial(bring, replicas[1], "label", some[::-1]),
        )
    waiting, matched, duplicates = (sum(column) for column in zip(*found, strict=True))
    assert (waiting, matched, duplicates) == (2000, 2000, 0)


def test_several_joins_in_one_commit_may_cross(replicas: Replicas) -> None:
    number = made(replicas[0])
    ids = [f"{n:03}" for n in range(100)]

    def write(store: Store, order: list[str]) -> list[int]:
        futures = []
        with held(store):
            for name in order:

                def one(transaction: Transaction, name: str = name) -> Reply:
                    joined = transaction.join(number, {name: half("prediction", name)}, 1.0)
                    return Reply(len(joined.new), b"")

                futures.append(store.write(one))
        return [written.reply.status for written in results(futures)]

    found: list[list[int]] = []
    together(
        lambda: found.append(write(replicas[0], ids)),
        lambda: found.append(write(replicas[1], ids[::-1])),
    )
    assert sum(map(sum, found)) == 100


def test_rows_that_two_bring_at_once_count_once(replicas: Replicas) -> None:
    number = made(replicas[0])
    ids = [f"{n * 7919 % 4000:04}" for n in range(4000)]
    found: list[Joined] = []

    def bring(store: Store, some: list[str]) -> None:
        rows = {name: Row(5.0, b"p", float(len(some) % 2)) for name in some}
        found.append(do(store, lambda transaction: transaction.join(number, rows, 1.0)))

    def bring_all(store: Store, starts: range) -> None:
        for at in starts:
            bring(store, ids[at : at + abs(starts.step)])

    together(
        partial(bring_all, replicas[0], range(0, 4000, 500)),
        partial(bring_all, replicas[1], range(3200, -1, -800)),
    )
    new, duplicates = ([getattr(each, name) for each in found] for name in ("new", "duplicates"))
    assert sorted(name for names in new for name in names) == sorted(ids)
    assert sum(map(len, duplicates)) == 4000


def test_what_is_settled_and_labelled_at_once_is_one_of_both(replicas: Replicas) -> None:
    number = made(replicas[0])
    ids = [f"{n:04}" for n in range(1000)]
    join(replicas[0], number, "prediction", ids)
    settled: list[dict[str, Row]] = []
    joined: list[Joined] = []

    def settle(store: Store) -> None:
        while found := do(store, lambda transaction: transaction.settle(number, 5.0, 0.0, 100)):
            settled.append(found)

    def label() -> None:
        for at in range(0, 1000, 100):
            rows = {name: Row(None, b"", 1.0) for name in ids[at : at + 100]}
            joined.append(do(replicas[0], partial(_joined, number, rows)))

    together(partial(settle, replicas[0]), partial(settle, replicas[1]), label)
    taken = [name for some in settled for name in some]
    matched = [name for each in joined for name in each.matched]
    corrected = [name for each in joined for name in each.corrected]
    assert len(set(taken)) == len(taken)
    assert sorted(matched + corrected) == ids
    assert set(corrected) == set(taken)


def _joined(number: int, rows: dict[str, Row], transaction: Transaction) -> Joined:
    return transaction.join(number, rows, 1.0)


def test_rows_that_expire_while_they_are_joined_are_neither_lost_nor_matched_twice(
    replicas: Replicas,
) -> None:
    number = made(replicas[0])
    found: list[list[int]] = []
    expired: list[int] = []

    def expire() -> None:
        gone = do(replicas[1], lambda transaction: transaction.expire(number, 5.0, 50))
        expired.append(gone.unmatched["prediction"])

    def bring_labels(ids: list[str]) -> None:
        found.append(join(replicas[0], number, "label", ids, now=10.0))

    for n in range(20):
        ids = [f"{n}-{m}" for m in range(100)]
        join(replicas[0], number, "prediction", ids)
        together(expire, partial(bring_labels, ids))
    unmatched = sum(expired)
    assert [sum(column) for column in zip(*found, strict=True)] == [unmatched, 2000 - unmatched, 0]


def test_folding_at_once_and_adding_meanwhile_loses_nothing(replicas: Replicas) -> None:
    number = made(replicas[0])

    def add_many(store: Store) -> None:
        for n in range(60):
            add(store, number, {cell(60 * m): 1 for m in range(n % 7 + 1)})

    def compact_many(store: Store) -> None:
        for n in range(60):
            compact_some(store, number, (60, 600)[n % 2], 5)

    together(*(partial(add_many, store) for store in replicas))
    before = sum(sums(replicas[0], number).values())
    together(
        *(partial(compact_many, store) for store in replicas),
        lambda: add_many(replicas[0]),
    )
    while compact_some(replicas[0], number, 600, 5):
        pass
    assert sums(replicas[1], number) == {cell(0, 600): before + before // 2}
    assert rows(replicas[1], number) == 1


def test_a_record_removed_while_it_is_folded_and_added_to_leaves_nothing(
    replicas: Replicas, session: Session
) -> None:
    def remove(transaction: Transaction) -> None:
        record = transaction.record("monitor", "clicks", for_change=True)
        assert record is not None
        transaction.delete(record.id)

    def add_if_there(transaction: Transaction) -> None:
        record = transaction.record("monitor", "clicks")
        if record is not None:
            transaction.add(record.id, {cell(0): b"1"})

    for _ in range(20):
        number = made(replicas[0])
        for _ in range(2):
            add(replicas[0], number, {cell(60 * n): 1 for n in range(50)})
        together(
            partial(do, replicas[0], remove),
            partial(compact_some, replicas[1], number, 600, 50),
            partial(do, replicas[1], add_if_there),
        )
    assert session.execute("SELECT count(*) FROM parts").fetchone() == (0,)


def test_a_half_that_two_bring_at_once_is_matched_once(
    replicas: Replicas, session: Session
) -> None:
    number = made(replicas[0])
    join(replicas[0], number, "prediction", ["a"])
    found: list[Joined] = []

    def bring(transaction: Transaction) -> Reply:
        found.append(transaction.join(number, {"a": half("label", "a")}, 1.0))
        return DONE

    def bring_first(transaction: Transaction) -> Future[Written]:
        bring(transaction)
        other = replicas[1].write(bring)
        wait_until_one_waits(session)
        return other

    do(replicas[0], bring_first).result(30)
    whole = Row(5.0, b"prediction a", 1.0)
    assert found == [Joined(matched={"a": whole}), Joined(duplicates=["a"])]


def test_a_record_is_not_removed_under_a_fold(replicas: Replicas, session: Session) -> None:
    number = made(replicas[0])
    for _ in range(2):
        add(replicas[0], number, {cell(0): 1})

    def remove(transaction: Transaction) -> Reply:
        assert transaction.record("monitor", "clicks", for_change=True) is not None
        transaction.delete(number)
        return DONE

    def compact_first(transaction: Transaction) -> Future[Written]:
        assert transaction.compact(number, ALWAYS, 60, 10) == 1
        other = replicas[1].write(remove)
        wait_until_one_waits(session)
        return other

    do(replicas[0], compact_first).result(30)
    assert session.execute("SELECT count(*) FROM parts").fetchone() == (0,)


def test_a_record_made_at_once_by_two_is_made_once_and_found_by_the_other(
    replicas: Replicas,
) -> None:
    def find_or_make(transaction: Transaction) -> int:
        name = "clicks"
        found = transaction.record("monitor", name)
        return (found or transaction.create("monitor", name, b"", 1.0)).id

    numbers: list[int] = []

    def note(store: Store) -> None:
        numbers.append(do(store, find_or_make))

    for _ in range(20):
        together(*(partial(note, store) for store in replicas))
        (number,) = set(numbers[-2:])
        removed(replicas[0], number)


def test_changes_at_once_are_all_made(replicas: Replicas) -> None:
    number = made(replicas[0])

    def change(transaction: Transaction) -> None:
        record = transaction.record("monitor", "clicks", for_change=True)
        assert record is not None
        transaction.change(number, b"%d" % (int(record.document) + 1))

    do(replicas[0], lambda transaction: transaction.change(number, b"0"))

    def change_often(store: Store) -> None:
        for _ in range(30):
            do(store, change)

    together(*(partial(change_often, store) for store in replicas))
    record = replicas[0].record("monitor", "clicks")
    assert record is not None
    assert (record.revision, record.document) == (62, b"60")


def test_a_lost_connection_is_told_and_the_next_write_connects_again(
    replicas: Replicas, session: Session
) -> None:
    store, number = replicas[0], made(replicas[0])

    def cut(transaction: Transaction) -> Reply:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        transaction.create("monitor", "b", b"", 1.0)
        return DONE

    with held(store):
        neighbour = store.write(adding(number, {cell(0): 1}), KEY)
        lost = store.write(cut)
    for future in (neighbour, lost):
        assert isinstance(future.exception(30), StoreUnavailable)
    assert not store.write(adding(number, {cell(0): 1}), KEY).result(30).replayed
    assert sums(store, number) == {cell(0): 1}
    assert sums(replicas[1], number) == {cell(0): 1}


def test_a_write_that_waits_too_long_for_a_lock_fails_alone(
    replicas: Replicas, session: Session
) -> None:
    store, number = replicas[0], made(replicas[0])

    def find(transaction: Transaction) -> Reply:
        transaction.record("monitor", "clicks")
        return DONE

    with session.transaction():
        session.execute("SELECT FROM records FOR UPDATE")
        with held(store):
            futures = [store.write(find), store.write(adding(number, {cell(0): 1}))]
            futures.append(store.write(find))
        found = [type(future.exception(30)).__name__ for future in futures]
    assert found == ["StoreUnavailable", "NoneType", "StoreUnavailable"]
    assert sums(store, number) == {cell(0): 1}


def test_a_server_that_may_lose_writes_is_warned_of(
    postgresql_url: str,
    opening: Opening,
    session: Session,
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = sql.Identifier(session.info.dbname)
    for value, is_warned_of in (("off", True), ("on", False)):
        changed = sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}")
        session.execute(changed.format(database, sql.Literal(value)))
        caplog.clear()
        opening(postgresql_url)
        assert ("synchronous_commit" in caplog.text) is is_warned_of


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    url = "postgresql+psycopg://kullback:geheim@127.0.0.1:1/kullback"
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1") as caught:
        open_store(url, merge, on_fatal=pytest.fail)
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(caught.value.__context__)
