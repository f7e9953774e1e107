"""Clocks that leap: what the time of day is compared with before rows are dated or removed."""

import json
import logging
import math
import time
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from kullback.errors import ClockLeapt, StoreUnavailable
from kullback.moments import DAY, Clock, moment
from kullback.storage.base import DONE, Record, Reply, Store, Transaction

LEAP_SECONDS = 300.0  # less is a correction
AWAY_SECONDS = float(DAY)  # how long a service may have been away before its clock is in doubt
SETTLE_SECONDS = 60.0  # after a leap, until rows are dated by the clock again
STEADY_SECONDS = float(DAY)  # after a leap, until it says again what is old
KEEP_SECONDS = 60.0
BESIDE_SECONDS = 3 * KEEP_SECONDS  # without a word, and no other replica is believed
RECORD = ("clock", "clock")

_log = logging.getLogger("kullback.clock")


def since_boot() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps."""
    # CLOCK_MONOTONIC stops while Linux sleeps, and does not while macOS does.
    clock = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class WatchedClock:
    """The time of day, compared at each look with a clock that nobody sets.

    `since` is when a doubtful clock began to be as it is, by that clock itself; None of a clock
    that is believed.
    """

    def __init__(self, wall: Clock = time.time, steady: Clock = since_boot) -> None:
        self.since: float | None = None
        self._wall, self._steady = wall, steady
        self._lock = Lock()
        self._last = self._believed = wall() - steady()  # the difference of the two
        self._slack = LEAP_SECONDS
        self._settled = 0.0  # by the steady clock

    def __call__(self) -> float:
        """Now, in epoch seconds."""
        with self._lock:
            return self._look()[0]

    def arrival(self) -> float:
        """Now, and not earlier because the clock went back: what came is not soon too old."""
        with self._lock:
            now, steady = self._look()
            return now if self.since is None else max(now, self._believed + steady)

    def check(self) -> None:
        """Refuse to date rows by a clock that has just leapt.

        Raises:
            ClockLeapt: it has.
        """
        with self._lock:
            _, steady = self._look()
            if self.since is not None and steady < self._settled:
                raise ClockLeapt(
                    "the clock of the server has leapt, and rows are checked by it: send this "
                    f"again when it has been steady for {SETTLE_SECONDS:.0f} seconds"
                )

    def compare(self, seen: float, since: float | None) -> None:
        """Doubt it from `since`, or now, if it does not follow on a time that was seen before."""
        with self._lock:
            now, steady = self._look()
            self._believed, self._slack = seen - steady, AWAY_SECONDS
            if not self._is_plausible():
                self.since = now if since is None else since
                if now < seen:  # nobody can have been away for so long
                    self._settled = steady + SETTLE_SECONDS
                _log.warning(
                    "the clock says %s, and %s when this store was last in use: nothing is "
                    "removed for its age until it has been steady for a day",
                    *map(moment, (now, seen)),
                )

    def doubt(self) -> None:
        """Doubt it from now on."""
        with self._lock:
            self.since = self._look()[0]

    def believe(self) -> None:
        """Take it as it is."""
        with self._lock:
            self._believed, self._slack, self.since = self._last, LEAP_SECONDS, None
        _log.warning("the clock is believed again: what is old is removed again")

    def _look(self) -> tuple[float, float]:
        now, steady = self._wall(), self._steady()
        before, self._last = self._last, now - steady
        leap = self._last - before
        if self._is_plausible():
            if self.since is not None:
                _log.warning("the clock is back: it says %s", moment(now))
            self._believed, self._slack, self.since = self._last, LEAP_SECONDS, None
        elif abs(leap) > LEAP_SECONDS:
            self.since, self._settled = now, steady + SETTLE_SECONDS
            _log.warning(
                "the clock leapt by %+.0f seconds to %s: nothing is removed for its age until it "
                "is back or has been steady for a day; rows are refused for %.0f seconds",
                *(leap, moment(now), SETTLE_SECONDS),
            )
        return now, steady

    def _is_plausible(self) -> bool:
        return -LEAP_SECONDS <= self._last - self._believed <= self._slack


class _Kept(NamedTuple):
    """What the store knows: when the clock was last believed; since and until when in doubt."""

    seen: float
    doubt: tuple[float, float] | None = None

    @classmethod
    def of(cls, record: Record) -> "_Kept":
        seen, doubt = json.loads(record.document)
        return cls(seen, None if doubt is None else (doubt[0], doubt[1]))


class ClockRecord:
    """The time at which a store was last in use: what a restart, or another replica, goes by."""

    def __init__(self, store: Store, clock: WatchedClock) -> None:
        self._store = store
        self._clock = clock
        self._seen: float | None = None
        self._is_compared = False
        self._heard = -math.inf  # by the clock in doubt: when another replica's was believed
        with suppress(StoreUnavailable):  # then at the first look
            kept = self._read()
            self._compare(kept)
            self._seen = None if kept is None else kept.seen

    def believed_now(self) -> float | None:
        """Now, to say what is old; None while the clock is in doubt."""
        kept = self._read()
        self._compare(kept)
        clock = self._clock
        now, since = clock(), clock.since
        if since is not None and now - since >= STEADY_SECONDS:
            clock.believe()
            since = None
        latest = (
            _Kept(now) if since is None else _Kept(now if kept is None else kept.seen, (since, now))
        )
        is_beside = since is not None and 0 <= now - self._heard < BESIDE_SECONDS
        if kept is None or (_is_due(kept, latest) and not is_beside):
            self._store.write(lambda tx: _keep(tx, latest, now)).result()
            kept = latest
        self._seen = kept.seen
        return now if since is None else None

    def _read(self) -> "_Kept | None":
        record = self._store.record(*RECORD)
        return None if record is None else _Kept.of(record)

    def _compare(self, kept: _Kept | None) -> None:
        clock = self._clock
        if kept is None:
            self._is_compared = True
        elif not self._is_compared:
            now = clock()
            goes_on = kept.doubt is not None and (
                -LEAP_SECONDS <= now - kept.doubt[1] <= AWAY_SECONDS
            )
            clock.compare(kept.seen, kept.doubt[0] if kept.doubt and goes_on else None)
            self._is_compared = True
        elif clock.since is not None and kept.seen != self._seen:
            clock.doubt()  # another replica has a clock that is believed
            self._heard = clock.since


def _is_due(kept: _Kept, latest: _Kept) -> bool:
    if (kept.doubt is None) != (latest.doubt is None):
        return True
    before, after = (each.seen if each.doubt is None else each.doubt[1] for each in (kept, latest))
    return not 0 <= after - before < KEEP_SECONDS


def _keep(tx: Transaction, latest: _Kept, now: float) -> Reply:
    document = json.dumps(latest).encode()
    record = tx.record(*RECORD, for_change=True)
    if record is None:
        tx.create(*RECORD, document, now)
    else:
        tx.change(record.id, document)
    return DONE
