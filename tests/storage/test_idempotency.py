"""A write with an idempotency key happens once, and is answered the same again."""

import queue
from concurrent.futures import Future

import pytest

from kullback.errors import Conflict, IdempotencyKeyInProgress, IdempotencyKeyReused, Overloaded
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction, Written
from tests.storage.writes import (
    DONE,
    Opening,
    add,
    adding,
    cell,
    do,
    held,
    made,
    refusing,
    results,
    sums,
)

KEY = IdempotencyKey("monitors/clicks/observations", "key", b"\x00digest")


def test_the_same_token_is_answered_the_same_and_nothing_is_added(store: Store) -> None:
    number = made(store)
    first = store.write(adding(number, {cell(0): 1}, Reply(202, b"\x00first")), KEY).result(30)
    again = store.write(adding(number, {cell(0): 1}, Reply(200, b"again")), KEY).result(30)
    assert first == Written(Reply(202, b"\x00first"), replayed=False)
    assert again == Written(Reply(202, b"\x00first"), replayed=True)
    assert sums(store, number) == {cell(0): 1}
    assert store.counts(number) == {"rows": 1}


def test_a_token_outlives_the_process(url: str, opening: Opening) -> None:
    store = opening(url)
    number = made(store)
    add(store, number, {cell(0): 1}, KEY)
    store.close()
    assert opening(url).write(refusing(Conflict("no")), KEY).result(30) == Written(
        DONE, replayed=True
    )


def test_a_token_with_another_digest_is_refused(store: Store) -> None:
    number = made(store)
    add(store, number, {cell(0): 1}, KEY)
    with pytest.raises(IdempotencyKeyReused):
        add(store, number, {cell(0): 1}, KEY._replace(digest=b"other"))
    assert sums(store, number) == {cell(0): 1}
    assert store.write(adding(number, {}), KEY).result(30).replayed


@pytest.mark.parametrize("other", [KEY._replace(scope="other"), KEY._replace(key="other")])
def test_tokens_of_other_scopes_and_keys_are_other_tokens(
    other: IdempotencyKey, store: Store
) -> None:
    number = made(store)
    for key in (KEY, other):
        add(store, number, {cell(0): 1}, key)
    assert sums(store, number) == {cell(0): 2}


def test_a_token_that_waits_or_is_worked_on_is_in_progress(store: Store) -> None:
    number = made(store)
    with held(store):
        first = store.write(adding(number, {cell(0): 1}), KEY)
        second = store.write(adding(number, {cell(0): 1}), KEY)
        with pytest.raises(IdempotencyKeyInProgress):
            second.result(0)
    assert not first.result(30).replayed
    assert store.write(adding(number, {cell(0): 1}), KEY).result(30).replayed
    assert sums(store, number) == {cell(0): 1}


def test_a_write_that_failed_gives_its_token_back(store: Store) -> None:
    number = made(store)
    with held(store):
        wrong = store.write(refusing(Conflict("no")), KEY)
        other = store.write(adding(number, {cell(0): 1}), KEY._replace(key="other"))
    assert isinstance(wrong.exception(30), Conflict)
    assert not other.result(30).replayed
    assert not store.write(adding(number, {cell(0): 1}), KEY).result(30).replayed
    assert sums(store, number) == {cell(0): 2}


def test_a_write_that_was_cancelled_gives_its_token_back(store: Store) -> None:
    number = made(store)
    with held(store):
        assert store.write(adding(number, {cell(0): 1}), KEY).cancel()
    assert not store.write(adding(number, {cell(0): 2}), KEY).result(30).replayed
    assert sums(store, number) == {cell(0): 2}


def test_whoever_is_answered_may_write_with_the_same_token_at_once(store: Store) -> None:
    number = made(store)
    outcomes = queue.SimpleQueue[Future[Written]]()

    def again(_: Future[Written]) -> None:
        outcomes.put(store.write(adding(number, {cell(0): 1}), KEY))

    with held(store):
        store.write(adding(number, {cell(0): 1}), KEY).add_done_callback(again)
    assert outcomes.get(timeout=30).result(30).replayed


def test_one_commit_holds_new_old_and_reused_tokens(store: Store) -> None:
    number = made(store)
    keys = [KEY._replace(key=f"{n}") for n in range(30)]
    for key in keys[::3]:
        add(store, number, {cell(0): 1}, key)
    with held(store):
        futures = [
            store.write(
                adding(number, {cell(0): 1}),
                key._replace(digest=b"other") if n % 6 == 0 else key,
            )
            for n, key in enumerate(keys)
        ]
    outcomes = [type(future.exception(30)).__name__ for future in futures]
    assert outcomes == [("IdempotencyKeyReused" if n % 6 == 0 else "NoneType") for n in range(30)]
    replayed = [n for n in range(30) if n % 6 and futures[n].result().replayed]
    assert replayed == [n for n in range(30) if n % 6 == 3]
    assert sums(store, number) == {cell(0): 30}


def test_old_tokens_are_swept_and_may_come_again(url: str, opening: Opening) -> None:
    now = [100.0]
    store = opening(url, clock=lambda: now[0])
    number = made(store)
    add(store, number, {cell(0): 1}, KEY)
    now[0] = 200.0
    add(store, number, {cell(0): 1}, KEY._replace(key="younger"))
    assert do(store, lambda transaction: transaction.sweep(100.0, 9)) == 0
    assert do(store, lambda transaction: transaction.sweep(200.0, 9)) == 1
    assert not store.write(adding(number, {}), KEY).result(30).replayed
    assert store.write(adding(number, {}), KEY._replace(key="younger")).result(30).replayed


def found_or_made(transaction: Transaction) -> int:
    """The number of a record of one name, which is made where there is none."""
    record = transaction.record("monitor", "clicks")
    return (record or transaction.create("monitor", "clicks", b"", 1.0)).id


def counting(transaction: Transaction) -> Reply:
    """Count one row of the record of that name."""
    transaction.count(found_or_made(transaction), {"rows": 1})
    return DONE


def removing(transaction: Transaction) -> Reply:
    record = transaction.record("monitor", "clicks", for_change=True)
    assert record is not None
    transaction.delete(record.id)
    return DONE


@pytest.mark.parametrize("digest", [KEY.digest, b"other"])
def test_a_token_ends_with_the_record_that_its_write_was_about(store: Store, digest: bytes) -> None:
    gone = KEY._replace(key="gone")
    assert not store.write(counting, KEY).result(30).replayed
    assert store.write(counting, KEY).result(30).replayed
    store.write(removing, gone).result(30)
    number = do(store, found_or_made)
    again = KEY._replace(digest=digest)
    assert [store.write(counting, again).result(30).replayed for _ in range(3)] == [0, 1, 1]
    assert store.counts(number) == {"rows": 1}
    assert store.write(removing, gone).result(30).replayed  # or it would remove another one
    assert store.counts(number) == {"rows": 1}


def test_a_write_that_fails_on_a_new_record_gives_its_token_back(store: Store) -> None:
    store.write(counting, KEY).result(30)
    do(store, removing)
    assert isinstance(store.write(refusing(Conflict("no")), KEY).exception(30), Conflict)
    assert not store.write(counting, KEY).result(30).replayed
    assert store.write(counting, KEY).result(30).replayed


def test_more_writes_than_the_queue_has_places_for_are_refused_at_once(store: Store) -> None:
    number = made(store)
    with held(store):
        futures = [store.write(adding(number, {cell(0): 1})) for _ in range(256)]
        with pytest.raises(Overloaded):
            store.write(adding(number, {cell(0): 1}), KEY)
    results(futures)
    add(store, number, {cell(0): 1}, KEY)
    assert sums(store, number) == {cell(0): 257}


def test_closing_finishes_what_waits_and_lets_nothing_in(url: str, opening: Opening) -> None:
    store = opening(url)
    number = made(store)
    with held(store):
        futures = [store.write(adding(number, {cell(0): 1})) for _ in range(50)]
    store.close()
    assert all(future.done() for future in futures)
    results(futures)
    with pytest.raises(Overloaded):
        store.write(adding(number, {cell(0): 1}))
    assert sums(opening(url), number) == {cell(0): 50}


def test_a_store_that_answers_says_so(store: Store) -> None:
    store.ping()
