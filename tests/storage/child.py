"""A process that writes until it is ended, or until its disk fails.

It prints the number of each write once that is answered. An idempotency key goes with each of them.
"""

import itertools
import os
import sys
import threading

from kullback.errors import StoreUnavailable
from kullback.storage.base import IdempotencyKey, Store
from kullback.storage.sql import open_store
from tests.storage.writes import adding, cell, merge

FATAL = 3


def say(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())  # at once: two threads say something


def give_up(message: str) -> None:
    """What a server does when its disk has failed."""
    say(f"fatal {message}")
    os._exit(FATAL)


def write_on(store: Store, record: int) -> None:
    for number in itertools.count():
        parts = {cell(60 * (number % 5)): 1}
        key = IdempotencyKey("child", f"{number}", b"")
        try:
            store.write(adding(record, parts), key).result()
        except StoreUnavailable:
            say(f"refused {number}")
            break
        say(f"written {number}")
    threading.Event().wait(30)  # for give_up, in the other thread


if __name__ == "__main__":
    write_on(open_store(sys.argv[1], merge, on_fatal=give_up), int(sys.argv[2]))
