"""Whether a SQLite file is sound: looked at beside the work when that takes long."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

LOGGER = logging.getLogger("kullback.storage")
PATIENCE = 0.3  # seconds that a start waits for it

Connect = Callable[[], sqlite3.Connection]


class SoundnessCheck:
    """Looks through the whole file, in a thread and on a connection of its own."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self.damage: str | None = None
        self._path = path
        self._connection = connect()
        self._is_done = Event()
        self._is_closed = False
        self._thread = Thread(target=self._run, name="kullback-soundness", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for it, but not for long: a large file is looked through while it is in use."""
        if not self._is_done.wait(PATIENCE):
            LOGGER.info("%s is large: whether it is sound is looked at beside the work", self._path)

    def close(self) -> None:
        """Stop looking."""
        self._is_closed = True
        while not self._is_done.wait(0.05):
            with suppress(sqlite3.ProgrammingError):  # closed by now
                self._connection.interrupt()
        self._thread.join()

    def _run(self) -> None:
        try:
            (result,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            result = "ok" if self._is_closed else str(error)
        if result != "ok":
            self.damage = f"{self._path} is damaged: {' '.join(result.split())}"
            LOGGER.critical("%s; nothing is written to it: restore a backup", self.damage)
        self._connection.close()
        self._is_done.set()
