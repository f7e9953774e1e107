"""What stands beside a record is seen by the write that looks, so that the first may stay."""

from functools import partial

import pytest

from kullback.storage.base import Reply, Store, Transaction, Work
from tests.storage.writes import do, held, made, merge, refusing, removed, together

Replicas = tuple[Store, Store]


def first(number: int, content: bytes) -> Work:
    """The work of keeping what comes first; its reply says what is kept."""

    def work(transaction: Transaction) -> Reply:
        assert transaction.record("monitor", "clicks", for_change=True) is not None
        if transaction.attachment(number, "first") is None:
            transaction.attach(number, "first", content)
            transaction.count(number, {"kept": 1})
        return Reply(200, transaction.attachment(number, "first") or b"")

    return work


def seen(store: Store, number: int, name: str = "first") -> bytes | None:
    """What a write sees."""
    return do(store, lambda transaction: transaction.attachment(number, name))


def test_a_write_sees_what_stands_beside_a_record_as_readers_do(store: Store) -> None:
    number, other = made(store, "a"), made(store, "b")
    assert seen(store, number) is store.attachment(number, "first") is None
    do(store, lambda transaction: transaction.attach(number, "first", b"\x00one"))
    assert seen(store, number) == store.attachment(number, "first") == b"\x00one"
    assert seen(store, number, "second") is None
    assert seen(store, other) is None
    removed(store, number)
    assert seen(store, number) is store.attachment(number, "first") is None


def test_an_empty_attachment_is_there(store: Store) -> None:
    number = made(store)
    do(store, lambda transaction: transaction.attach(number, "first", b""))
    assert seen(store, number) == store.attachment(number, "first") == b""


def test_a_write_sees_what_it_has_attached_itself(store: Store) -> None:
    number = made(store)

    def work(transaction: Transaction) -> list[bytes | None]:
        found = [transaction.attachment(number, "first")]
        for content in (b"one", b"two"):
            transaction.attach(number, "first", content)
            found.append(transaction.attachment(number, "first"))
        return found

    assert do(store, work) == [None, b"one", b"two"]


def test_the_first_of_one_commit_is_kept(store: Store) -> None:
    number = made(store)
    with held(store):
        futures = [store.write(first(number, content)) for content in (b"one", b"two", b"six")]
    assert [future.result(30).reply.body for future in futures] == [b"one"] * 3
    assert store.attachment(number, "first") == b"one"
    assert store.counts(number) == {"kept": 1}


def test_what_a_write_that_failed_has_attached_is_seen_by_nobody(store: Store) -> None:
    number = made(store)

    def failing(transaction: Transaction) -> Reply:
        first(number, b"lost")(transaction)
        return refusing(ValueError("no"))(transaction)

    with held(store):
        lost, kept = store.write(failing), store.write(first(number, b"kept"))
    with pytest.raises(ValueError, match="no"):
        lost.result(30)
    assert kept.result(30).reply.body == b"kept"
    assert store.attachment(number, "first") == b"kept"
    assert store.counts(number) == {"kept": 1}


def gathering(number: int, content: bytes) -> Work:
    """The work of adding to what stands there; its reply says what it sees then."""

    def work(transaction: Transaction) -> Reply:
        transaction.accumulate(number, "sum", content, merge)
        return Reply(200, transaction.attachment(number, "sum") or b"")

    return work


def test_what_is_accumulated_is_merged_once_for_all_writes_of_a_commit(store: Store) -> None:
    number = made(store)
    for total in (6, 12):
        with held(store):
            futures = [store.write(gathering(number, content)) for content in (b"1", b"2", b"3")]
            lost = store.write(refused_after(gathering(number, b"100")))
        seen_by_writes = [int(future.result(30).reply.body) for future in futures]
        assert seen_by_writes == [total - 5, total - 3, total]
        with pytest.raises(ValueError, match="no"):
            lost.result(30)
        assert store.attachment(number, "sum") == b"%d" % total
    do(store, lambda transaction: transaction.attach(number, "sum", b"40"))
    do(store, lambda transaction: transaction.accumulate(number, "sum", b"2", merge))
    assert store.attachment(number, "sum") == b"42"
    removed(store, number)
    assert store.attachment(number, "sum") is None


def refused_after(work: Work) -> Work:
    def both(transaction: Transaction) -> Reply:
        work(transaction)
        return refusing(ValueError("no"))(transaction)

    return both


def test_of_replicas_that_come_at_once_the_first_is_kept(replicas: Replicas) -> None:
    one, other = replicas
    number = made(one)
    replies = list[bytes]()

    def keep(store: Store, content: bytes) -> None:
        replies.append(store.write(first(number, content)).result(30).reply.body)

    names = [f"{at}".encode() for at in range(8)]
    together(*(partial(keep, replicas[at % 2], name) for at, name in enumerate(names)))
    assert len(set(replies)) == 1
    assert one.attachment(number, "first") == other.attachment(number, "first") == replies[0]
    assert one.counts(number) == {"kept": 1}
