"""Overload: many callers who do not wait, and what becomes of answers, probes and memory.

`python -m tests.torture.overload [ROWS...]` measures; only a machine that does nothing else shows
what a service can do.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.serving import Served, management, serving
from tests.torture.storm import Order, Storm, Weather

CONNECTIONS = 200
PEAK = 8  # connections that keep a server busy and of which none waits in vain
SIZES = (1_000, 10_000, 100_000)
PATH = "/v1/scores/log-loss"


@dataclass(frozen=True, slots=True)
class Overload:
    """One size of body: at its peak, and with too many callers."""

    rows: int
    peak: Weather
    storm: Weather
    probes: Weather
    megabytes: float  # resident at most

    @property
    def goodput(self) -> float:
        """Answers 200 in a second, as a share of the peak."""
        storm, peak = self.storm, self.peak
        return storm.served / storm.seconds / (peak.served / peak.seconds)

    @property
    def goodput_by_work(self) -> float:
        """The same for a second of the processor, which does not depend on what else runs."""
        storm, peak = self.storm, self.peak
        return storm.served / storm.processor / (peak.served / peak.processor)

    def row(self) -> tuple[str, ...]:
        """The figures as text, under COLUMNS."""
        milliseconds = (
            self.peak.quantile(0.99),
            self.storm.quantile(0.99),
            self.probes.quantile(0.99),
        )
        return (
            f"{self.rows:,}",
            f"{self.peak.served / self.peak.seconds:,.0f}/s",
            f"{self.goodput:.0%}",
            f"{self.goodput_by_work:.0%}",
            *(f"{seconds * 1e3:,.0f} ms" for seconds in milliseconds),
            f"{self.storm.statuses.get('503', 0):,}",
            str(self.storm.broken),
            f"{self.megabytes:,.0f} MB",
        )


COLUMNS = (
    "rows",
    "peak",
    "goodput",
    "by work",
    "p99 peak",
    "p99 of all",
    "p99 health",
    "503",
    "broken",
    "RSS",
)


def overload(server: Served, order: Order, health: str) -> Overload:
    """A few callers, then as many as are ordered, while `health` is probed."""
    few = Order(order.address, order.path, PEAK, order.seconds, order.rows)
    peak = Storm(few).weather(server)
    storm = Storm(order)
    probes = Storm(Order(health, "/livez", 1, order.seconds, pause=0.05))
    weather = storm.weather(server)
    return Overload(order.rows, peak, weather, probes.weather(server), _peak_megabytes(server))


def _peak_megabytes(server: Served) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match.group(1)) / 1024


def measured(rows: int, seconds: float = 5.0) -> Overload:
    """The figures of one size of body, on a server of its own."""
    with serving(KULLBACK_METRICS_PORT="0") as server:
        order = Order(server.address, PATH, CONNECTIONS, seconds, rows)
        return overload(server, order, management(server))


def main(sizes: Sequence[int]) -> None:
    """Print the figures of each size."""
    sys.stdout.write(" | ".join(COLUMNS) + "\n")
    for rows in sizes:
        sys.stdout.write(" | ".join(measured(rows).row()) + "\n")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
