"""Writes whose work is prepared by the thread that asks for them."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from kullback.errors import KullbackError
from kullback.storage.base import IdempotencyKey, Reply, Store, Transaction, Written

Prepared = TypeVar("Prepared")


def write_prepared(
    store: Store,
    prepare: Callable[[], Prepared],
    commit: Callable[[Transaction, Prepared], Reply],
    key: IdempotencyKey | None,
) -> Future[Written]:
    """Prepare now, and commit what was prepared as a write.

    What `prepare` refuses is raised from the write, so that the retry of a batch that was stored
    gets its answer even when the batch would be refused by now.
    """
    try:
        prepared: Prepared | KullbackError = prepare()
    except KullbackError as error:
        prepared = error

    def work(tx: Transaction) -> Reply:
        if isinstance(prepared, KullbackError):
            raise prepared
        return commit(tx, prepared)

    return store.write(work, key)
