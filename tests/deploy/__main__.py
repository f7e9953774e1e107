"""Days of worlds through a real Prometheus: which alerts the shipped rules raise, and when.

`python -m tests.deploy` is a part of `make bench-monitoring`.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.simulated import STEP, Firing, ScrapedWorlds
from tests.statistics.__main__ import Table, aligned
from tests.statistics.monitoring.alarms import detection
from tests.statistics.monitoring.runs import SEED
from tests.statistics.monitoring.streams import ORIGIN
from tests.statistics.monitoring.worlds import HEALTHY, WORLDS, MonitoredWorld

ONSET = 58.0  # hours
DAYS = 9  # of a healthy world
HEALTHY_ONES = ("by hour of day", "clicks after 2 min, others after 30", "uploads once a day")
BROKEN_ONES = (
    "joined to the wrong rows",
    "a new country, 3.97 times too high",
    "labels stop",
    "scaling bug, labels 3 h late",
    "half the clicks lost",
    "predictions stop",
)


def main(names: Sequence[str]) -> int:
    """Print a table; 1 where an alert is false, late, or not what the API answers."""
    scraped = ScrapedWorlds()
    chosen = names or (*HEALTHY_ONES, *BROKEN_ONES)
    with TemporaryDirectory() as held:
        folder = Path(held)
        for name in chosen:
            url = f"sqlite:///{folder}/{len(scraped.logs)}.db"
            seed = SEED, list(WORLDS).index(name), 0
            asyncio.run(scraped.add(name, _watched(name), seed, _looks(name), url))
            sys.stderr.write(f"{name}: scraped {len(scraped.checks[name])} times\n")
        firing, expected = scraped.firing(folder), scraped.expected()
    table: Table = [("world", "scrapes", "by", "first", "alert", "others")]
    complaints = [f"{alert}: not of both" for alert in sorted(firing ^ expected)[:10]]
    for name in chosen:
        row, wrong = _row(name, scraped, firing)
        table.append(row)
        complaints += wrong
    sys.stdout.write(f"{aligned(table)}\n")
    for each in complaints:
        sys.stdout.write(f"\nbroken bound: {each}")
    agree = "alerts and API agree at every scrape, and all bounds hold"
    sys.stdout.write("\n" if complaints else f"\n{agree}\n")
    return 1 if complaints else 0


def _watched(name: str) -> MonitoredWorld:
    return WORLDS[name].breaking_at(ONSET)


def _looks(name: str) -> list[float]:
    """Scrapes every five minutes, from the first hour on."""
    hours = DAYS * 24 if name in HEALTHY else ONSET + 5
    return [1 + step * STEP / 3600 for step in range(int((hours - 1) * 3600) // STEP + 1)]


def _row(name: str, scraped: ScrapedWorlds, firing: Firing) -> tuple[tuple[str, ...], list[str]]:
    """What fired of a world, and what is wrong with that."""
    alerts = sorted((now, alert) for now, alert, monitor, *_ in firing if monitor in {name, ""})
    first = {alert: (now - ORIGIN) / 3600 for now, alert in reversed(alerts)}
    world, number = _watched(name), str(len(scraped.checks[name]))
    if world.expected is None:
        wrong = [f"{name}: {alert} fires" for alert in first]
        return (name, number, "", "never" if not first else "", ", ".join(first), ""), wrong
    mature = ONSET + world.hours_to_mature
    found = detection(scraped.logs[name].raised, ONSET, mature, world.expected)
    wrong = [] if found.is_right else [f"{name} is not found in time"]
    wrong += [f"{name}: {alert} fires before" for alert, at in first.items() if at < ONSET]
    order = sorted(first, key=lambda alert: first[alert])
    times = [f"{alert} {first[alert] - ONSET:.2f} h" for alert in order[1:]]
    since = f"{first[order[0]] - ONSET:.2f} h" if order else "never"
    by = f"{found.limit - ONSET:.1f} h"
    return (name, number, by, since, order[0] if order else "", ", ".join(times)), wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
