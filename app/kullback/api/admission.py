"""Admission: whose body is read next, and who is refused before it is."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, TypeVar

from kullback.errors import DeadlineExceeded, Overloaded

Result = TypeVar("Result")
LINE = 256  # who may stand in line
DEADLINE_SECONDS = 10.0
STANDING_SECONDS = 1.0  # a line that was not empty for so long is no burst: it will not get shorter
PATIENCE_SECONDS = 0.25  # how long anybody waits in such a line
LOAN_SECONDS = 0.1  # how long a body may keep a place empty while it comes
SHARE_SECONDS = 0.01  # of each turn of the event loop
_FULL = "the service is full; try again in a moment"


class Admission:
    """A few places, and a line for them; the body of who stands in it is not read.

    A burst waits for its turn, at most `patient` of it. Once the line stands for a while, the
    service is asked for more than it can do, and who waits longer than a moment is refused: so
    what it can do is done in good time. Who sends slowly or nothing holds a place for a moment.
    """

    def __init__(self, places: int, patient: int) -> None:
        self._places = places
        self._patient = patient
        self._taken = 0
        self._line = deque[asyncio.Future[None]]()
        self._empty_at = 0.0  # when the line was empty last

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Turn"]:
        """A place, from the first byte of a body to the end of the work for it.

        Raises:
            Overloaded: the line is too long, or has been for too long.
        """
        if self._line or self._taken >= self._places:
            await self._wait()
        else:
            self._taken += 1
        turn = Turn(self)
        try:
            yield turn
        finally:
            turn.lend()

    def take(self) -> None:
        """Take a place although there may be none."""
        self._taken += 1

    def give_back(self) -> None:
        """Let the next one in, if there is a place."""
        self._taken -= 1
        while self._line and self._taken < self._places:
            first = self._line.popleft()
            if not first.done():
                self._taken += 1
                first.set_result(None)
        if not self._line:
            self._empty_at = asyncio.get_running_loop().time()

    async def _wait(self) -> None:
        if len(self._line) >= LINE:
            raise Overloaded(_FULL)
        loop = asyncio.get_running_loop()
        if not self._line:
            self._empty_at = loop.time()
        is_burst = loop.time() - self._empty_at < STANDING_SECONDS
        is_patient = is_burst and len(self._line) < self._patient
        place = loop.create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS if is_patient else PATIENCE_SECONDS):
                await place
        except BaseException as error:
            if place.cancelled():
                self._leave(place)
            else:
                self.give_back()
            if isinstance(error, TimeoutError):
                raise (DeadlineExceeded if is_patient else Overloaded)(_FULL) from None
            raise

    def _leave(self, place: "asyncio.Future[None]") -> None:
        if place in self._line:
            self._line.remove(place)


class Turn:
    """A place, lent to others while a body takes longer than a moment to come."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._has_place = True
        loop = asyncio.get_running_loop()
        self._loan = loop.call_later(LOAN_SECONDS, self.lend)

    def begin(self) -> None:
        """The body is here: keep the place until the end."""
        self._loan.cancel()
        if not self._has_place:
            self._has_place = True
            self._admission.take()

    def lend(self) -> None:
        """Give the place to the next."""
        self._loan.cancel()
        if self._has_place:
            self._has_place = False
            self._admission.give_back()


class LoopWorker:
    """Small work on the event loop: a few milliseconds in a turn, so that others are heard too."""

    def __init__(self) -> None:
        self._queue = deque[tuple[Callable[[], Any], asyncio.Future[Any], float]]()
        self._spent = 0.0

    def check(self) -> None:
        """Refuse what would wait too long.

        Raises:
            Overloaded: too much waits already.
        """
        if len(self._queue) >= LINE:
            raise Overloaded(_FULL)

    def has_time(self) -> bool:
        """Whether `do` may be called now: nobody waits, and this turn of the loop has time left."""
        return not self._queue and self._spent < SHARE_SECONDS

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns: at once, or in a later turn of the loop.

        Raises:
            Overloaded: there was no time for it.
        """
        if self.has_time():
            return self.do(work)
        self.check()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append((work, future, loop.time() + PATIENCE_SECONDS))
        return await future

    def do(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, at once; it counts as time of this turn of the loop."""
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._next_turn)
        began = perf_counter()
        try:
            return work()
        finally:
            self._spent += perf_counter() - began

    def _next_turn(self) -> None:
        self._spent, now = 0.0, asyncio.get_running_loop().time()
        while self._queue and self._spent < SHARE_SECONDS:
            work, future, until = self._queue.popleft()
            if future.done():
                continue
            if now > until:
                future.set_exception(Overloaded(_FULL))
                continue
            try:
                result = self.do(work)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
                future.set_exception(error)
            else:
                future.set_result(result)
