"""A process whose writes to the disk are recorded: it migrates, writes, merges, and opens again.

It prints the number of each write once that is answered. The log is put into the file often, so
that this is recorded too.
"""

import os
import sys

import pytest

from kullback.storage import sqlite
from kullback.storage.base import IdempotencyKey
from kullback.storage.sql import open_store
from tests.storage.writes import adding, cell, compact_some, made, merge


def write(url: str, synchronous: str, writes: int) -> None:
    """Open the store twice, and write half of it each time."""
    changed = {
        "synchronous=FULL": f"synchronous={synchronous}",
        "wal_autocheckpoint=1000": "wal_autocheckpoint=25",
    }
    sqlite.WRITER = tuple(changed.get(pragma, pragma) for pragma in sqlite.WRITER)  # type: ignore[assignment]  # another length
    record = None
    for half in range(2):
        store = open_store(url, merge, on_fatal=pytest.fail)
        record = record or made(store)
        for number in range(half * writes // 2, (half + 1) * writes // 2):
            key = IdempotencyKey("recorded", f"{number}", b"")
            parts = {cell(60 * (number % 7)): 1, cell(0, slice=f"c={number % 3}"): 1}
            store.write(adding(record, parts), key).result()
            os.write(1, f"written {number}\n".encode())
            if number % 10 == 9:
                compact_some(store, record, 60, 5)
        store.close()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], int(sys.argv[3]))
