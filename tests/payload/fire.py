"""Bombs on a real service, and what each costs it."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.payload.bombs import Bomb, Maker
from tests.serving import Served, serving

SECONDS_PER_KIB = 0.05
SECONDS = 0.25  # for any request, on a machine that does other things too
LARGEST_RSS = 512 << 20
MONITOR = "/v1/monitors/clicks"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request was answered, the CPU time that it took, and the memory at the most."""

    status: int
    seconds: float
    rss: int

    def check(self, bomb: Bomb) -> None:
        """It was refused, for little."""
        assert self.status in {413, 422}, self
        assert self.seconds <= SECONDS + SECONDS_PER_KIB * len(bomb.body) / 1024, self
        assert self.rss <= LARGEST_RSS, self


def cost(served: Served, bomb: Bomb) -> Cost:
    """What a bomb costs a service that has a monitor."""
    headers = {"content-type": bomb.media_type, "content-encoding": bomb.encoding}
    Path(f"/proc/{served.process.pid}/clear_refs").write_text("5")
    before = _seconds(served)
    answer = httpx.post(served.address + bomb.path, content=bomb.body, headers=headers, timeout=300)
    return Cost(answer.status_code, _seconds(served) - before, _high_water(served))


def fired(bombs: Iterable[Maker], told: Callable[[int], None]) -> Mapping[str, object]:
    """Fire each of these at one service; the dearest of what they cost."""
    done, dearest, rss = 0, 0.0, 0
    with serving() as served:
        httpx.put(served.address + MONITOR, json={}).raise_for_status()
        for make in bombs:
            bomb = make()
            found = cost(served, bomb)
            found.check(bomb)
            dearest = max(dearest, found.seconds * 1024 / len(bomb.body))
            done, rss = done + 1, max(rss, found.rss)
            told(done)
    return {"bombs": done, "CPU seconds per KiB": round(dearest, 4), "MiB": rss >> 20}


def _seconds(served: Served) -> float:
    fields = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _high_water(served: Served) -> int:
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
