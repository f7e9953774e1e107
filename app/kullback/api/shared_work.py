"""Shared work: done once for everybody who asks for the same meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class SharedWork:
    """Work under way, by what it is for; it is given up when nobody waits for it any more."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Work] = {}

    async def run(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """What the work that `begin` begins returns, or that which is under way for `key`."""
        work = self._under_way.get(key)
        if work is None:
            work = self._under_way[key] = _Work(asyncio.ensure_future(begin()))
        work.waiting += 1
        try:
            result: Result = await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if work.task.done() or not work.waiting:
                work.task.cancel()
                if self._under_way.get(key) is work:
                    del self._under_way[key]
        return result


class _Work:
    __slots__ = ("task", "waiting")

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self.waiting = 0
