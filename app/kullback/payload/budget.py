"""Byte budget: what all bodies may occupy at once, as they came and as they inflate."""

from threading import Lock
from types import TracebackType
from typing import Self

from kullback.errors import Overloaded


class ByteBudget:
    """Bytes that may be in memory at once; any thread may take some and give them back."""

    def __init__(self, room: int) -> None:
        self.left = room
        self.lock = Lock()

    def check(self, size: int) -> None:
        """Refuse what would not fit now.

        Raises:
            Overloaded: there is less room.
        """
        if size > self.left:
            raise Overloaded("too many bytes are being worked on; try again in a moment")


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
        with self._budget.lock:
            self._budget.check(size)
            self._budget.left -= size
            self._size += size

    def release(self) -> None:
        """Give it all back, unless work on it goes on."""
        # The worker and the loop may both do so at once: only one of them finds what to give.
        with self._budget.lock:
            if not self._is_at_work:
                self._budget.left += self._size
                self._size = 0

    def __enter__(self) -> Self:
        self._is_at_work = True
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._is_at_work = False
        self.release()
