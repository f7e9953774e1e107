"""Looks at monitors: what each saw in its last mature hour, and what its checks found."""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from types import MappingProxyType

from kullback.errors import NotFound, TallyMismatch
from kullback.judgement.findings import State
from kullback.moments import DAY, HOUR, Clock
from kullback.monitoring.checks import MonitorChecks
from kullback.monitoring.queries import MonitorQueries, MonitorReader
from kullback.monitoring.recent import SEARCHED_SECONDS, RecentHour
from kullback.storage.base import Record

JUDGE_EVERY, JUDGE_SECONDS = 60.0, 1.0  # a monitor; all of them in one pass
JUDGE_STILL_EVERY = float(HOUR)  # one that nobody wrote to for days
LOOK_EVERY = 60.0  # seconds, for a monitor that nobody wrote to: its last hour moves on
UNKNOWN_EVERY = 5.0  # of a monitor that cannot be judged yet, where more has come
_OF_OUTCOMES = ("log_loss", "calibration")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the checks of a monitor found, and of which revision, which record and which counts."""

    record: int
    revision: int
    counts: Mapping[str, int]
    checks: MonitorChecks

    @classmethod
    def of(cls, reader: MonitorReader) -> "_Judged":
        record = reader.record
        return cls(record.id, record.revision, reader.counts, reader.checks())

    def is_of(self, record: Record) -> bool:
        """Whether the record is still as it was then."""
        return (self.record, self.revision) == (record.id, record.revision)

    def is_later(self, other: "_Judged", now: float) -> bool:
        """Whether it was found after another of the same record, and not by a clock gone back."""
        if self.record != other.record or self.checks.time > now:
            return False
        return (self.revision, self.checks.time) > (other.revision, other.checks.time)


class MonitorLooks:
    """The last look at each monitor: maintenance renews it, and so does who opens its page."""

    def __init__(self, queries: MonitorQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._recent: dict[str, RecentHour] = {}
        self._judged: dict[str, _Judged] = {}
        self._seen: dict[int, tuple[float, Mapping[str, int]]] = {}
        self._looking: dict[str, Lock] = {}
        self._lock = Lock()  # of what pages and maintenance both write

    @property
    def recent(self) -> Mapping[str, RecentHour]:
        """What each monitor saw in its last mature hour."""
        return self._recent

    @property
    def checks(self) -> Mapping[str, MonitorChecks]:
        """What the checks of each monitor have found."""
        return {name: judged.checks for name, judged in self._judged.items()}

    def checks_of(self, name: str) -> MonitorChecks | None:
        """What the checks of one monitor have found; None where nobody has looked."""
        judged = self._judged.get(name)
        return None if judged is None else judged.checks

    def refresh(self, names: Sequence[str]) -> None:
        """Look at all of these, and at no others any more."""
        self._forget_others(())
        self._keep(self._read(names), self._judge(names))

    def changed(
        self, records: Sequence[Record], counts: Mapping[int, Mapping[str, int]]
    ) -> list[Record]:
        """The monitors that rows came to, and those that may be others by now without any."""
        here = {record.id for record in records}
        self._seen = {number: seen for number, seen in self._seen.items() if number in here}
        return [record for record in records if self._has_changed(record, counts)]

    def renew(self, records: Sequence[Record], changed: Sequence[Record]) -> None:
        """Read the last hours of those that have changed, and look at checks that are due."""
        names = [record.name for record in records]
        self._forget_others(names)
        self._read_again([record.name for record in changed])
        now, until = self._clock(), monotonic() + JUDGE_SECONDS
        for name in self._due(names, now, {record.name for record in changed}):
            self._keep({}, self._judge([name]))
            if monotonic() > until:
                break

    def fresh(self, reader: MonitorReader) -> tuple[RecentHour | None, MonitorChecks | None]:
        """The last look at a monitor, or a new one where the last may be wrong by now.

        That is where nobody has looked yet, or at another setup or reference, and every few
        seconds where there was too little to judge and more has come since.
        """
        name = reader.record.name
        if not self._is_fresh(reader):
            with self._lock_of(name), suppress(TallyMismatch):  # damaged: what is known is all
                if not self._is_fresh(reader):  # nobody has looked while this one waited
                    recent, judged = reader.recent(), _Judged.of(reader)
                    if self._is_there(reader):
                        self._keep({name: recent}, {name: judged})
                    return recent, judged.checks
        return self._recent.get(name), self.checks_of(name)

    def rename(self, before: str, name: str) -> None:
        """Take what is known of a monitor to the name that it has since."""
        recent, judged = self._recent.get(before), self._judged.get(before)
        checks = None if judged is None else replace(judged.checks, monitor=name)
        self._keep(
            {} if recent is None else {name: recent},
            {} if judged is None or checks is None else {name: replace(judged, checks=checks)},
        )

    def _is_fresh(self, reader: MonitorReader) -> bool:
        """Whether the last look is of what the reader has, and not one to be repeated."""
        name = reader.record.name
        recent, judged = self._recent.get(name), self._judged.get(name)
        if recent is None or judged is None or not judged.is_of(reader.record):
            return False
        is_first = (recent.last_start is None) != (reader.last_start is None)
        if is_first or not _is_waiting(judged.checks, self._clock()):
            return not is_first
        return judged.counts == reader.counts

    def _is_there(self, reader: MonitorReader) -> bool:
        """Whether its monitor has its name still, and is no other by now."""
        with suppress(NotFound):
            return self._queries.open(reader.record.name).record.id == reader.record.id
        return False

    def _lock_of(self, name: str) -> Lock:
        """What whoever looks at a monitor for its page holds: the others wait for that look."""
        with self._lock:
            return self._looking.setdefault(name, Lock())

    def _keep(self, recent: Mapping[str, RecentHour], judged: Mapping[str, _Judged]) -> None:
        """Keep looks, but none in place of a later one, which another thread has kept meanwhile."""
        now = self._clock()
        with self._lock:
            late = {
                name
                for name, each in judged.items()
                if name in self._judged and self._judged[name].is_later(each, now)
            }
            kept = {name: each for name, each in recent.items() if name not in late}
            self._recent = {**self._recent, **kept}
            later = {name: each for name, each in judged.items() if name not in late}
            self._judged = {**self._judged, **later}

    def _read_again(self, names: Sequence[str]) -> None:
        """Read the last hours of these; of what cannot be read nothing is kept."""
        recent = self._read(names, self._recent)
        with self._lock:
            kept = {name: each for name, each in self._recent.items() if name not in names}
            self._recent = kept | recent

    def _forget_others(self, names: Iterable[str]) -> None:
        here = set(names)
        with self._lock:
            self._recent = {name: each for name, each in self._recent.items() if name in here}
            self._judged = {name: each for name, each in self._judged.items() if name in here}
            self._looking = {name: each for name, each in self._looking.items() if name in here}

    def _has_changed(self, record: Record, all_counts: Mapping[int, Mapping[str, int]]) -> bool:
        now, counts = self._clock(), all_counts.get(record.id, {})
        last, before = self._seen.get(record.id, (-math.inf, {}))
        is_due = not 0 <= now - last < LOOK_EVERY and self._moves_on(record.name, last)
        has_changed = counts != before or is_due
        if has_changed:
            self._seen[record.id] = now, counts
        return has_changed

    def _moves_on(self, name: str, last: float) -> bool:
        """Whether a monitor may be another than at the last look, though nobody wrote to it."""
        recent = self._recent.get(name)
        if recent is None or recent.waiting_predictions or recent.waiting_labels:
            return True
        seen = recent.lag + SEARCHED_SECONDS + HOUR
        return recent.last_start is not None and recent.last_start > last - seen - DAY

    def _due(self, names: Sequence[str], now: float, changed: Container[str]) -> list[str]:
        """The monitors at whose checks nobody has looked for long, the longest first.

        One that cannot be judged yet is looked at as soon as more has come.
        """
        ages = {
            name: now - self._judged[name].checks.time if name in self._judged else math.inf
            for name in names
        }
        pauses = {
            name: UNKNOWN_EVERY if name in changed and self._is_unknown(name) else self._pause(name)
            for name in names
        }
        due = [name for name in names if not 0 <= ages[name] < pauses[name]]
        return sorted(due, key=lambda name: -ages[name])

    def _is_unknown(self, name: str) -> bool:
        judged = self._judged.get(name)
        return judged is not None and judged.checks.state is State.UNKNOWN

    def _pause(self, name: str) -> float:
        """Seconds between two looks at the checks of a monitor."""
        judged = self._judged.get(name)
        is_still = judged is not None and not self._moves_on(name, judged.checks.time)
        return JUDGE_STILL_EVERY if is_still else JUDGE_EVERY

    def _read(
        self, names: Iterable[str], before: Mapping[str, RecentHour] = MappingProxyType({})
    ) -> dict[str, RecentHour]:
        recent: dict[str, RecentHour] = {}
        for name in names:
            with suppress(NotFound, TallyMismatch):  # removed this very moment, or damaged
                recent[name] = self._queries.open(name).recent(before.get(name))
        return recent

    def _judge(self, names: Iterable[str]) -> dict[str, _Judged]:
        judged: dict[str, _Judged] = {}
        for name in names:
            with suppress(NotFound, TallyMismatch):  # removed this very moment, or damaged
                judged[name] = _Judged.of(self._queries.open(name))
        return judged


def _is_waiting(checks: MonitorChecks, now: float) -> bool:
    """Whether there was too little to judge predictions by, a while ago."""
    is_unknown = any(
        check.name in _OF_OUTCOMES and check.state is State.UNKNOWN for check in checks.checks
    )
    return is_unknown and not 0 <= now - checks.time < UNKNOWN_EVERY
