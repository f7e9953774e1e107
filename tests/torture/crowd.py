"""A crowd of sockets that say nothing, and what others notice of it."""

import os
import resource
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np

from tests.serving import Served

EVERY = 50  # sockets between two questions for health


@dataclass(frozen=True, slots=True)
class Crowded:
    """What was seen while a crowd came."""

    sockets: int
    probes: int
    cpu_ms: float  # of the service, for each probe and the sockets before it
    p99_ms: float
    longest_ms: float
    calm_ms: float  # the longest without a crowd, on the same machine a moment before
    descriptors: int  # more than before, at most
    mib: float  # resident, more than before


def crowded(served: Served, sockets: int) -> Crowded:
    """Open sockets one after the other, keep them, and ask for health in between."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, sockets + 500)), hard))
    url = httpx.URL(served.address)
    files, memory = descriptors(served), resident(served)
    calm = max(_wait(url) for _ in range(1 + sockets // EVERY))
    worked = cpu_seconds(served)
    waits, most = list[float](), 0
    with ExitStack() as stack:
        for number in range(sockets):
            stack.enter_context(socket.create_connection((url.host, url.port or 0), 60))
            if number % EVERY == 0:
                waits.append(_wait(url))
                most = max(most, descriptors(served))
        grown = (resident(served) - memory) / (1 << 20)
    cpu = 1e3 * (cpu_seconds(served) - worked) / len(waits)
    p99, longest = (1e3 * float(quantile) for quantile in np.quantile(waits, [0.99, 1]))
    return Crowded(sockets, len(waits), cpu, p99, longest, 1e3 * calm, most - files, grown)


def _wait(url: httpx.URL) -> float:
    """Seconds until health is answered, on a connection of its own."""
    began = perf_counter()
    probe = HTTPConnection(url.host, url.port, timeout=60)
    probe.request("GET", "/livez")
    assert probe.getresponse().status == 200
    probe.close()
    return perf_counter() - began


def descriptors(served: Served) -> int:
    """How many files a service has open."""
    return len(os.listdir(f"/proc/{served.process.pid}/fd"))  # noqa: PTH208 - names alone


def resident(served: Served) -> int:
    """Bytes of memory that a service holds."""
    pages = Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def cpu_seconds(served: Served) -> float:
    """CPU time that a service has taken."""
    fields = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
