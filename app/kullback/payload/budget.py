"""Byte budget: what all bodies may occupy at once, as they came and as they inflate."""

from threading import Lock
from types import TracebackType
from typing import Self

from kullback.errors import Overloaded


class ByteBudget:
    """Bytes that may be in memory at once; any thread may take some and give them back."""

    def __init__(self, room: int) -> None:
        self._left = room
        self._lock = Lock()

    def check(self, size: int) -> None:
        """Refuse what would not fit now.

        Raises:
            Overloaded: there is less room.
        """
        if size > self._left:
            raise Overloaded("too many bytes are being worked on; try again in a moment")

    def take(self, size: int) -> None:
        """Take room; a negative size gives it back.

        Raises:
            Overloaded: there is less room.
        """
        with self._lock:
            self.check(size)
            self._left -= size


class Hold:
    """What one body occupies; as a context, the work on it, which may outlast whoever sent it."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._size = 0
        self._is_at_work = False

    def take(self, size: int) -> None:
        """Occupy more.

        Raises:
            Overloaded: there is no room for it now.
        """
        self._budget.take(size)
        self._size += size

    def release(self) -> None:
        """Give it all back, unless work on it goes on."""
        if not self._is_at_work:
            self._budget.take(-self._size)
            self._size = 0

    def __enter__(self) -> Self:
        self._is_at_work = True
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._is_at_work = False
        self.release()
