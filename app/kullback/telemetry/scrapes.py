"""Scrapes: who scrapes sees every counter at 0 before it sees it grow.

`rate` and `increase` know of a counter what lies between two samples: what it has when it is first
seen is lost to them. A scrape that failed after it was answered has seen nothing, which nobody
here can know.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

SCRAPERS = 64  # remembered
CONNECTIONS = 16  # of each
AGENT_LENGTH = 200
IDLE_SECONDS = 80.0  # no connection is kept for as long between two requests
LOOK_BACK_SECONDS = 300.0  # as far as Prometheus looks for the last sample of a series
FORGOTTEN_SECONDS = 3600.0
_COUNTERS = frozenset({"counter", "histogram"})

Series = tuple[str, ...]


class Scraper(NamedTuple):
    """Who scrapes: servers behind one address and of one version differ by their connections."""

    host: str
    agent: str
    port: int  # 0 for a connection that is not kept

    @classmethod
    def of(cls, headers: Mapping[str, str], peer: tuple[str, int] | None) -> "Scraper | None":
        """Who sent these headers, where they are those of a scrape and not of somebody who looks.

        Args:
            headers: of the request.
            peer: its address and port.
        """
        agent = headers.get("user-agent", "")[:AGENT_LENGTH]
        is_scrape = "x-prometheus-scrape-timeout-seconds" in headers
        if peer is None or not (is_scrape or agent.startswith("Prometheus/")):
            return None
        is_kept = headers.get("connection", "").lower() != "close"
        return cls(peer[0], agent, peer[1] if is_kept else 0)


@dataclass(slots=True)
class _Memory:
    """What is known of the scrapers of one address and agent."""

    seen: float  # series that were there before are known to all of them
    last: float
    connections: dict[int, float] = field(default_factory=dict)  # the last scrape of each


class Scrapes:
    """Counters as whoever scrapes may see them; safe to use from any thread.

    A series that a scraper does not know is 0 in its first scrape that has it, and what it is from
    the next one on; it is never 0 again. Who comes for the first time knows what is older than
    LOOK_BACK_SECONDS, and nothing of a process that is younger.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._absent: dict[Series, float] = {}  # the last scrape that did not have it yet
        self._last = clock()  # nothing was there when the process began
        self._memories: dict[tuple[str, str], _Memory] = {}  # the last that came stands last

    def shown(self, metrics: Iterable[Metric], scraper: Scraper) -> list[Metric]:
        """What a scraper may see of these, now."""
        with self._lock:
            now = self._clock()
            seen = self._seen(scraper, now)
            absent: dict[Series, float] = {}
            shown = list(metrics)
            for metric in shown:
                if metric.type in _COUNTERS:
                    metric.samples = list(self._begun(metric.samples, seen, absent))
            self._absent, self._last = absent, now
            return shown

    def _begun(
        self, samples: Iterable[Sample], seen: float, absent: dict[Series, float]
    ) -> Iterator[Sample]:
        for sample in samples:
            series = (sample.name, *sample.labels.values())
            since = absent[series] = self._absent.get(series, self._last)
            yield sample if since < seen else sample._replace(value=0.0, exemplar=None)

    def _seen(self, scraper: Scraper, now: float) -> float:
        """Before when a series was there that this scraper has seen."""
        name = (scraper.host, scraper.agent)
        memory = self._memories.pop(name, None)
        if memory is None or now - memory.last > FORGOTTEN_SECONDS:
            memory = _Memory(now - LOOK_BACK_SECONDS, now - LOOK_BACK_SECONDS)
        open_ones = {port: at for port, at in memory.connections.items() if now - at < IDLE_SECONDS}
        if scraper.port in open_ones:
            seen = min(open_ones.values())  # what one has not seen all must wait for
        elif open_ones:  # another server, or one that has connected anew
            seen = now - LOOK_BACK_SECONDS
        else:
            seen = memory.last
        memory.seen, memory.last = max(memory.seen, seen), now
        if scraper.port:
            open_ones.pop(scraper.port, None)
            open_ones[scraper.port] = now
        memory.connections = dict(list(open_ones.items())[-CONNECTIONS:])
        self._memories[name] = memory
        while len(self._memories) > SCRAPERS:
            del self._memories[next(iter(self._memories))]
        return memory.seen
