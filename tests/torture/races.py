"""Replicas that race for one key: one of them wins, and all are answered the same."""

from collections.abc import Callable
from functools import partial
from time import sleep

import pytest

from kullback.errors import IdempotencyKeyInProgress
from kullback.storage.base import IdempotencyKey, Store
from kullback.storage.sql import open_store
from tests.storage.writes import adding, cell, made, merge, sums, together

AT_ONCE = 8


def raced(url: str, races: int, told: Callable[[int], None] = lambda _: None) -> int:
    """Let two stores on one database race so often, eight writes at once; how many won.

    Raises:
        AssertionError: a key had no winner, or several, or its rows are not there once.
    """
    stores = [open_store(url, merge, on_fatal=pytest.fail) for _ in range(2)]
    try:
        number = made(stores[0])
        won = list[bool]()
        for race in range(races):
            key = IdempotencyKey("race", f"{race}", b"")
            together(*(partial(_write, stores[at % 2], number, key, won) for at in range(AT_ONCE)))
            assert sum(won) == race + 1, f"race {race} has not one winner"
            told(race + 1)
        assert sums(stores[1], number) == {cell(0): races}
        assert stores[0].counts(number) == {"rows": races}
        return sum(won)
    finally:
        for store in stores:
            store.close()


def _write(store: Store, number: int, key: IdempotencyKey, won: list[bool]) -> None:
    while True:
        try:
            written = store.write(adding(number, {cell(0): 1}), key).result(60)
        except IdempotencyKeyInProgress:
            sleep(0.005)
            continue
        won.append(not written.replayed)
        return
