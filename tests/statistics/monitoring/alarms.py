"""Alarms: when a check begins to warn, and how often that happens where nothing is wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scipy.stats import chi2

from kullback.moments import HOUR
from tests.statistics.monitoring.streams import ORIGIN
from tests.statistics.monitoring.worlds import Expected

YEAR = 8766.0  # hours
WEEK = 168.0
_CALM = {"ok", "unknown"}


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """A check at one look."""

    name: str
    state: str
    slice: str
    statement: str


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """A check that was calm and is so no longer; `at` is in hours since the origin."""

    at: float
    check: CheckSeen

    def __str__(self) -> str:
        place = f" {self.check.slice}" if self.check.slice else ""
        return f"{self.check.name}{place} ({self.check.state}): {self.check.statement}"


@dataclass(slots=True)
class AlarmLog:
    """What was raised over many looks, in order.

    Attributes:
        raised: each time that a check began to warn.
        hours: how long it was looked.
        alarmed: of these, hours in which a check warned.
    """

    raised: list[RaisedAlarm] = field(default_factory=list)
    hours: float = 0.0
    alarmed: float = 0.0
    _states: dict[str, str] = field(default_factory=dict)
    _last: float | None = None

    def look(self, now: float, checks: Iterable[CheckSeen]) -> None:
        """Look at all checks at one moment, epoch seconds."""
        at = (now - ORIGIN) / HOUR
        step = 0.0 if self._last is None else at - self._last
        self._last = at
        self.hours += step
        if any(state not in _CALM for state in self._states.values()):
            self.alarmed += step
        for check in checks:
            before = self._states.get(check.name, "unknown")
            if before in _CALM and check.state not in _CALM:
                self.raised.append(RaisedAlarm(at, check))
            self._states[check.name] = check.state


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Alarms where nothing is wrong, and for how long it was looked, hours."""

    alarms: int
    hours: float

    @property
    def per_week(self) -> float:
        return self.alarms * WEEK / self.hours

    @property
    def per_year(self) -> float:
        return self.alarms * YEAR / self.hours

    @property
    def most_per_year(self) -> float:
        """The upper end of the exact one-sided interval of 95 % of a Poisson rate.

        Source: Garwood, Biometrika 28 (1936).
        """
        return float(chi2.ppf(0.95, 2 * self.alarms + 2)) / 2 * YEAR / self.hours

    def __add__(self, other: "FalseAlarms") -> "FalseAlarms":
        return FalseAlarms(self.alarms + other.alarms, self.hours + other.hours)


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found of something that broke.

    Attributes:
        first: the first alarm after the onset, of whatever check.
        right: the first of a check that was expected, naming what was expected.
        before: alarms before the onset, which were false.
        onset, mature: what hours are counted from.
        expected: what was to be found.
    """

    first: RaisedAlarm | None
    right: RaisedAlarm | None
    before: int
    onset: float
    mature: float
    expected: Expected

    @property
    def limit(self) -> float:
        """By when it was to be found, in hours since the origin."""
        return (self.mature if self.expected.of == "mature" else self.onset) + self.expected.within

    @property
    def is_right(self) -> bool:
        """Whether it was found in time, by the right check, which named the right place."""
        return self.right is not None and self.right.at <= self.limit + 1e-9


def detection(
    raised: Sequence[RaisedAlarm], onset: float, mature: float, expected: Expected
) -> Detection:
    """What these alarms say of what broke at the onset."""
    after = [alarm for alarm in raised if alarm.at > onset]
    right = [alarm for alarm in after if is_expected(alarm.check, expected)]
    return Detection(
        next(iter(after), None),
        next(iter(right), None),
        len(raised) - len(after),
        onset,
        mature,
        expected,
    )


def is_expected(check: CheckSeen, expected: Expected) -> bool:
    """Whether it is one of the checks, and names the slice or the feature."""
    return check.name in expected.checks and expected.named in f"{check.slice} {check.statement}"
