"""Arrival times: when rows came last, and the pauses before, as they are kept beside a monitor.

Rows may come once a day, of all the day before: what time they are of does not say how long a
stream is usually without any.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from pydantic import TypeAdapter

from kullback.moments import DAY
from kullback.monitoring.cells import SCORED
from kullback.monitoring.ingest import AddedRows
from kullback.storage.base import Transaction

ARRIVALS = "arrivals"  # the attachment
EVERY = 60.0  # seconds: more arrivals are not written down
KEPT = 8 * DAY  # a pause, or for as long as it may come again
_SHORTEST = 120.0  # seconds that are a pause
_LONGEST = 15 * DAY  # after which a stream begins anew
_MONITORS = 10_000  # that are known at a time


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """When rows with predictions came, epoch seconds.

    Attributes:
        first: since when that is known.
        last: the last time.
        newest: the start of the latest window that they were of.
        pauses: when each ended and how long it was, in order, without those that were as short as
            a later one.
    """

    first: float
    last: float
    newest: int
    pauses: tuple[tuple[float, float], ...] = ()

    @staticmethod
    def decoded(content: bytes | None) -> "ArrivalTimes | None":
        """Those that bytes hold; None where there are no bytes."""
        return None if content is None else _JSON.validate_json(content)

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes them from."""
        return _JSON.dump_json(self)

    @property
    def watched(self) -> float:
        """For how long they were seen to come, seconds."""
        return max(self.last - self.first, 0.0)

    @property
    def longest_pause(self) -> float:
        """Seconds; 0 where there was none."""
        return max((length for _, length in self.pauses), default=0.0)

    def followed_by(self, later: "ArrivalTimes") -> "ArrivalTimes":
        """Both; rows of an earlier time than had come before are no news."""
        if later.newest < self.newest:
            return self
        pause = later.first - self.last
        if pause > _LONGEST:
            return later
        between = ((later.first, pause),) if pause >= _SHORTEST else ()
        pauses = tuple(_lasting_pauses((*self.pauses, *between, *later.pauses), later.last))
        return ArrivalTimes(self.first, later.last, later.newest, pauses)


def merged_arrivals(contents: Sequence[bytes]) -> bytes:
    """The bytes of several, in the order in which they came, as those of all of them."""
    return reduce(ArrivalTimes.followed_by, map(_JSON.validate_json, contents)).encoded()


class ArrivalNotes:
    """What this process has written down of arrivals: once a minute is enough.

    A note whose write fails is not made again within the minute.
    """

    def __init__(self) -> None:
        self._noted: dict[int, ArrivalTimes] = {}

    def add(self, tx: Transaction, record: int, added: AddedRows, now: float) -> None:
        """Write down that rows with predictions have come, if there are any among these."""
        starts = [cell.start for cell in added.cells if cell.kind in SCORED and not cell.slice]
        if not starts:
            return
        arrival, before = ArrivalTimes(now, now, max(starts)), self._noted.get(record)
        if before is not None and (
            arrival.newest < before.newest or 0 <= now - before.last < EVERY
        ):
            return
        if len(self._noted) >= _MONITORS:
            self._noted.clear()
        self._noted[record] = arrival
        tx.accumulate(record, ARRIVALS, arrival.encoded(), merged_arrivals)


def _lasting_pauses(
    pauses: Sequence[tuple[float, float]], now: float
) -> Iterator[tuple[float, float]]:
    """Those that say something still."""
    for at, (ended, length) in enumerate(pauses):
        is_longest = all(length > later for _, later in pauses[at + 1 :])
        if is_longest and ended > now - max(KEPT, 2 * length + DAY):
            yield ended, length


_JSON = TypeAdapter(ArrivalTimes)
