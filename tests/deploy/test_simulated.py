"""Alerts of whole worlds: what the shipped rules say is what the API answers, at each scrape."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from kullback.moments import HOUR
from tests.deploy.simulated import STEP, Firing, ScrapedWorlds
from tests.statistics.monitoring.alarms import detection
from tests.statistics.monitoring.runs import SEED, Watch
from tests.statistics.monitoring.streams import ORIGIN
from tests.statistics.monitoring.worlds import WORLDS, MonitoredWorld

pytestmark = [pytest.mark.untraced, pytest.mark.anyio]


@dataclass(frozen=True, slots=True)
class Watched:
    """A world, the alerts of which one has to fire, and how it is watched.

    Attributes:
        onset: the hour at which something breaks.
        hours: how long it is watched from then on.
        rows: of an hour.
        is_coarse: whether windows are hours.
    """

    world: str
    alerts: tuple[str, ...] = ()
    onset: int = 58
    hours: float = 1.0
    rows: float = 2000.0
    is_coarse: bool = True

    @property
    def broken(self) -> MonitoredWorld:
        """The world as it is watched."""
        world = Watch(is_coarse=self.is_coarse).over(WORLDS[self.world].breaking_at(self.onset))
        return replace(world, slices=(), traffic=replace(world.traffic, rows=self.rows))

    @property
    def looks(self) -> list[float]:
        """Every hour, and every five minutes once something breaks."""
        steps = range(int(self.hours * HOUR) // STEP + 1)
        return [float(hour) for hour in range(1, self.onset)] + [
            self.onset + step * STEP / HOUR for step in steps
        ]


WATCHED: Mapping[str, Watched] = {
    "healthy": Watched("by hour of day", rows=500.0),
    "misjoined": Watched(
        "joined to the wrong rows", ("KullbackNoSkill", "KullbackLogLossWorse"), hours=2.0
    ),
    "unlabelled": Watched(
        "labels stop", ("KullbackLabelsStopped",), onset=20, hours=1.5, rows=700.0, is_coarse=False
    ),
}


@pytest.fixture(scope="module")
async def scraped(tmp_path_factory: pytest.TempPathFactory) -> ScrapedWorlds:
    """The worlds, each from its origin on."""
    folder, worlds = tmp_path_factory.mktemp("worlds"), ScrapedWorlds()
    for name, each in WATCHED.items():
        seed = SEED, list(WORLDS).index(each.world), 0
        await worlds.add(name, each.broken, seed, each.looks, f"sqlite:///{folder}/{name}.db")
    return worlds


@pytest.fixture(scope="module")
def firing(scraped: ScrapedWorlds, tmp_path_factory: pytest.TempPathFactory) -> Firing:
    return scraped.firing(tmp_path_factory.mktemp("blocks"))


async def test_alerts_say_at_each_scrape_what_the_api_answers(
    scraped: ScrapedWorlds, firing: Firing
) -> None:
    assert len({now for now, *_ in firing}) > 5
    assert firing == scraped.expected()


async def test_a_healthy_world_alerts_nobody(firing: Firing) -> None:
    assert [each for each in sorted(firing) if each[2] in {"healthy", ""}] == []


@pytest.mark.parametrize("name", [name for name, each in WATCHED.items() if each.alerts])
async def test_the_right_alert_fires_in_time(
    scraped: ScrapedWorlds, firing: Firing, name: str
) -> None:
    each = WATCHED[name]
    expected = each.broken.expected
    assert expected is not None
    mature = each.onset + each.broken.hours_to_mature
    limit = detection(scraped.logs[name].raised, each.onset, mature, expected).limit
    first = min(((now - ORIGIN) / 3600, alert) for now, alert, of, *_ in firing if of == name)
    assert first[1] in each.alerts
    assert each.onset < first[0] <= limit
