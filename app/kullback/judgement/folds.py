"""Folds over blocks of time: what a prefix of them has come to is computed once.

A history is looked at again and again, each time a little longer. Whatever a step computes of a
block follows from the blocks before it and from the block: its mark says when that is the same.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TypeVar, cast

from kullback.judgement.judged import JudgedBlock

State = TypeVar("State")
_EVERY, _OFTEN, _OFTEN_OF, _ALWAYS_OF = 24, 4, 36, 4  # states that are kept: late blocks change


class Memo:
    """What was computed at this look and the one before it, by what it follows from."""

    def __init__(self) -> None:
        self._now: dict[Hashable, object] = {}
        self._before: dict[Hashable, object] = {}

    def turn(self) -> None:
        """A look is over: forget what it did not need."""
        self._before, self._now = self._now, {}

    def get(self, key: Hashable) -> object:
        """What was kept under a key; the memo itself where nothing was."""
        kept = self._now.get(key, self)
        return self._before.get(key, self) if kept is self else kept

    def put(self, key: Hashable, value: object) -> None:
        """Keep a value for this look and the next one."""
        self._now[key] = value

    def once(self, key: Hashable, compute: Callable[[], State]) -> State:
        """What `compute` returned the last time that it was called for this."""
        kept = self.get(key)
        value = compute() if kept is self else cast("State", kept)
        self.put(key, value)
        return value


def prefixes(blocks: Sequence[JudgedBlock]) -> list[int]:
    """A mark of each prefix of some blocks, (t,)."""
    return marks_of([(each.block.start, each.mark) for each in blocks])


def marks_of(items: Sequence[tuple[int, int]]) -> list[int]:
    """A mark of each prefix of times with their marks, (t,)."""
    marks, last = [], 0
    for item in items:
        last = hash((last, item))
        marks.append(last)
    return marks


def folded(
    memo: Memo,
    key: Hashable,
    marks: Sequence[int],
    first: State,
    step: Callable[[State, int], State],
) -> State:
    """The state after the last of some blocks: `step` of the state before each, and its place.

    `marks` are those of the prefixes of the blocks; `key` is what else a state follows from.
    """
    at, state = len(marks), first
    while at:
        kept = memo.get((key, marks[at - 1]))
        if kept is not memo:
            state = cast("State", kept)
            memo.put((key, marks[at - 1]), state)
            break
        at -= 1
    places = _kept_places(len(marks))
    for place in places:
        if place < at - 1 and (kept := memo.get((key, marks[place]))) is not memo:
            memo.put((key, marks[place]), kept)
    for place in range(at, len(marks)):
        state = step(state, place)
        if place in places:
            memo.put((key, marks[place]), state)
    return state


@lru_cache
def _kept_places(length: int) -> frozenset[int]:
    """Places whose states are kept: a block changes the more often, the later it is."""
    often, always = (max(length - last, 0) for last in (_OFTEN_OF, _ALWAYS_OF))
    thin = range(0, often, _EVERY), range(often - often % _OFTEN, always, _OFTEN)
    return frozenset([*thin[0], *thin[1], *range(always, length)])
