"""Runs: a world watched at looks, many at once, and what came of each."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise

from tests.statistics.monitoring.alarms import Detection, FalseAlarms, RaisedAlarm, detection
from tests.statistics.monitoring.streams import WEEK
from tests.statistics.monitoring.tallied import watched
from tests.statistics.monitoring.worlds import BROKEN, HEALTHY, WORLDS

ONSET = 8 * 24 + 10.0  # hours: as long as a monitor needs, and no longer, to know its stream
LOOKS_AN_HOUR = 6  # where something is to be found
AT_A_TIME = 8 * WEEK  # hours of a healthy world in one run
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


def healthy_run(name: str, hours: int, part: int = 0) -> HealthyRun:
    """Hourly looks at a healthy world."""
    looks = [float(hour) for hour in range(1, hours + 1)]
    log = watched(HEALTHY[name], _seed(name, part), looks)
    return HealthyRun(name, tuple(log.raised), log.hours)


def broken_run(name: str, onset: float = ONSET, part: int = 0) -> BrokenRun:
    """Looks at a broken world: hourly, and six an hour from an hour before the onset."""
    expected = BROKEN[name].expected
    assert expected is not None
    world = BROKEN[name].breaking_at(onset)
    mature = onset + world.hours_to_mature
    limit = (mature if expected.of == "mature" else onset) + expected.within
    log = watched(world, _seed(name, part), _looks(onset, 2 * limit - onset))
    return BrokenRun(name, detection(log.raised, onset, mature, expected))


def parts(hours: float) -> Iterator[tuple[int, int]]:
    """Hours of a healthy world in runs of weeks: the length and the number of each."""
    edges = [*range(0, int(hours), AT_A_TIME), int(hours)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        yield stop - start, number


def all_at_once(
    jobs: Sequence[Job],
    workers: int,
    told: Callable[[], None],
) -> list[HealthyRun | BrokenRun]:
    """The results of jobs, in their order, by so many processes."""
    with ProcessPoolExecutor(workers) as pool:
        futures: list[Future[HealthyRun | BrokenRun]] = [
            pool.submit(run, *arguments) for run, arguments in jobs
        ]
        for _ in as_completed(futures):
            told()
        return [future.result() for future in futures]


def _looks(onset: float, stop: float) -> list[float]:
    before = [float(hour) for hour in range(1, int(onset))]
    steps = int((min(stop, onset + 12) - int(onset)) * LOOKS_AN_HOUR)
    close = [int(onset) + step / LOOKS_AN_HOUR for step in range(steps + 1)]
    after = [float(hour) for hour in range(int(onset) + 13, int(stop) + 1)]
    return before + close + after


def _seed(name: str, part: int) -> tuple[int, ...]:
    return SEED, list(WORLDS).index(name), part
