"""Runs: a world watched at looks, many at once, and what came of each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from math import ceil
from zlib import crc32

from kullback.judgement.settings import ChosenThresholds
from kullback.moments import HOUR
from tests.statistics.monitoring.alarms import (
    AlarmLog,
    Detection,
    FalseAlarms,
    RaisedAlarm,
    detection,
    is_expected,
)
from tests.statistics.monitoring.streams import WEEK
from tests.statistics.monitoring.tallied import watched
from tests.statistics.monitoring.worlds import BROKEN, HEALTHY, MonitoredWorld

ONSET = 8 * 24 + 10.0  # hours: as long as a monitor needs, and no longer, to know its stream
LOOKS_AN_HOUR = 6  # where something is to be found
AT_A_TIME = 8 * WEEK  # hours of a healthy world in one run
TWO_MINUTES = 1 / 30
MANY_ROWS = 20_000.0  # an hour
SEED = 15


@dataclass(frozen=True, slots=True)
class HealthyRun:
    """What a healthy world was told of in some hours; all of it is false."""

    name: str
    raised: Sequence[RaisedAlarm]
    hours: float

    @property
    def false_alarms(self) -> FalseAlarms:
        return FalseAlarms(len(self.raised), self.hours)


@dataclass(frozen=True, slots=True)
class BrokenRun:
    """What was found of a broken world."""

    name: str
    detection: Detection


Job = tuple[Callable[..., HealthyRun | BrokenRun], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Watch:
    """How a world is watched.

    Attributes:
        every: hours from look to look.
        checks: thresholds that are not the default ones.
        is_coarse: whether windows are hours, and there are no slices.
    """

    every: int = 1
    checks: Mapping[str, ChosenThresholds] = field(default_factory=dict)
    is_coarse: bool = False

    def over(self, world: MonitoredWorld) -> MonitoredWorld:
        """A world watched so; windows are no finer than is needed to tell when labels come."""
        is_late = world.traffic.delays is not None and not self.is_coarse
        window = HOUR // LOOKS_AN_HOUR if is_late else HOUR
        settings = {"window_seconds": window, **world.settings, "checks": self.checks}
        slices = () if self.is_coarse else world.slices
        return replace(world, settings=settings, slices=slices)


HOURLY = Watch()
COARSE = Watch(is_coarse=True)


def healthy_run(name: str, hours: int, part: int = 0, watch: Watch = HOURLY) -> HealthyRun:
    """Looks at a healthy world."""
    looks = [float(hour) for hour in range(watch.every, hours + 1, watch.every)]
    if HEALTHY[name].traffic.delays is not None:  # labels are late where two looks find them so
        looks = sorted([*looks, *(hour - TWO_MINUTES for hour in looks)])
    log = watched(watch.over(HEALTHY[name]), _seed(name, part), looks)
    return HealthyRun(name, tuple(log.raised), log.hours)


def broken_run(name: str, onset: float = ONSET, part: int = 0, watch: Watch = HOURLY) -> BrokenRun:
    """Looks at a broken world, which are six an hour from the onset on."""
    expected = BROKEN[name].expected
    assert expected is not None
    world = watch.over(BROKEN[name].breaking_at(onset))
    mature = onset + world.hours_to_mature
    limit = (mature if expected.of == "mature" else onset) + expected.within

    def is_enough(log: AlarmLog) -> bool:
        raised = log.raised[-1:]
        return any(alarm.at > onset and is_expected(alarm.check, expected) for alarm in raised)

    log = watched(
        world, _seed(name, part), _looks(onset, 2 * limit - onset, watch.every), is_enough
    )
    return BrokenRun(name, detection(log.raised, onset, mature, expected))


def healthy_jobs(names: Sequence[str], hours: float) -> list[Job]:
    """So many hours of each healthy world in runs of weeks, the first run of every world first.

    Of a world of very many rows there are fewer. All but each third run are of all rows alone.
    """
    jobs: list[Job] = []
    for number in range(ceil(hours / AT_A_TIME)):
        watch = HOURLY if number % 3 == 2 else COARSE
        for name in names:
            share = min(MANY_ROWS / HEALTHY[name].traffic.rows, 1.0)
            length = int(min(hours - number * AT_A_TIME, AT_A_TIME) * share)
            if length > 1 and (share == 1 or not number):
                jobs.append((healthy_run, (name, length, number, watch)))
    return jobs


def as_done(jobs: Sequence[Job], workers: int) -> Iterator[HealthyRun | BrokenRun]:
    """The results of jobs as they are done, by so many processes."""
    pool = ProcessPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(run, *arguments) for run, arguments in jobs]):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _looks(onset: float, stop: float, every: int) -> list[float]:
    before = [float(hour) for hour in range(every, int(onset), every)]
    steps = int((min(stop, onset + 12) - int(onset)) * LOOKS_AN_HOUR)
    close = [int(onset) + step / LOOKS_AN_HOUR for step in range(steps + 1)]
    after = [float(hour) for hour in range(int(onset) + 13, int(stop) + 1)]
    return before + close + after


def _seed(name: str, part: int) -> tuple[int, ...]:
    return SEED, crc32(name.encode()), part
