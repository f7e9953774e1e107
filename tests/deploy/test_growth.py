"""What a real Prometheus sees to grow is what came: new slices, new monitors, restarts."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.deploy.live import Prometheus, free_port, prometheus, until
from tests.serving import SERVE, Served, serving

SCRAPES = 15  # of each series
SLICE = 'kullback_slice_examples_total{monitor="rare",slice="country=%s"}'
MONITOR = 'kullback_examples_total{monitor="%s"}'


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that scraped a service from its start on, over a restart; for a while two did."""

    server: Prometheus
    steps_of_both: list[list[float]]

    def increase(self, selector: str) -> float:
        """As the server finds it at its last scrape: later it adds what it extrapolates."""
        last = self.server.value("timestamp(up)")
        return self.server.value(f"sum(increase({selector}[10m]))", last)


def steps(server: Prometheus, selector: str) -> list[float]:
    """The values of a series as they followed each other."""
    values = server.history(selector)
    return [value for at, value in enumerate(values) if at == 0 or value != values[at - 1]]


@contextmanager
def service(directory: Path, port: int) -> Iterator[Served]:
    database = f"sqlite:///{directory}/kullback.db"
    command = [str(port) if word == "0" else word for word in SERVE]
    with serving(*command, KULLBACK_DATABASE_URL=database) as served:
        yield served


def send(served: Served, monitor: str, country: str, rows: int) -> None:
    body = {"y_true": [1] * rows, "y_proba": [0.5] * rows, "slice": {"country": [country] * rows}}
    place = f"{served.address}/v1/monitors/{monitor}/observations"
    httpx.post(place, json=body).raise_for_status()


def make(served: Served, monitor: str) -> None:
    body = {"slices": ["country"]}
    httpx.put(f"{served.address}/v1/monitors/{monitor}", json=body).raise_for_status()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory, port = tmp_path_factory.mktemp("service"), free_port()
    target = f"http://127.0.0.1:{port}"

    def scraping() -> AbstractContextManager[Prometheus]:
        return prometheus([target], tmp_path_factory.mktemp("prometheus"))

    def seen(selector: str, value: float, *servers: Prometheus) -> None:
        question = f"{selector} == {value}"
        until(lambda: all(server.values(question) for server in servers), question)

    with scraping() as server:
        with service(directory, port) as served, scraping() as other:
            make(served, "rare")
            seen(MONITOR % "rare", 0, server, other)
            for country in ("DE", "FR"):
                send(served, "rare", country, 1000)
                httpx.get(f"{target}/metrics").raise_for_status()  # somebody looks
                seen(SLICE % country, 1000, server, other)
            make(served, "filled")
            send(served, "filled", "DE", 1000)
            seen(MONITOR % "filled", 1000, server, other)
            steps_of_both = [
                steps(each, selector)
                for each in (server, other)
                for selector in (SLICE % "DE", SLICE % "FR", MONITOR % "filled")
            ]
            os.kill(served.process.pid, signal.SIGKILL)
        with service(directory, port) as served:
            send(served, "rare", "FR", 1500)
            seen(SLICE % "FR", 1500, server)
            seen(SLICE % "DE", 0, server)
            enough = f"min(count_over_time(kullback_slice_examples_total[10m])) >= {SCRAPES}"
            until(lambda: bool(server.values(enough)), enough)
            yield Watched(server, steps_of_both)


@pytest.mark.parametrize(
    ("selector", "rows"),
    [
        (SLICE % "DE", 1000),
        (SLICE % "FR", 2500),
        (MONITOR % "rare", 3500),
        (MONITOR % "filled", 1000),
        (SLICE.replace("rare", "filled") % "DE", 1000),
        ('kullback_predictions_total{monitor="rare"}', 3500),
    ],
)
def test_increase_is_what_came(watched: Watched, selector: str, rows: int) -> None:
    assert watched.increase(selector) == pytest.approx(rows, rel=0.02)


def test_each_of_two_servers_sees_what_is_new_at_zero(watched: Watched) -> None:
    assert watched.steps_of_both == [[0, 1000]] * 6


@pytest.mark.parametrize(
    ("selector", "expected"), [(SLICE % "DE", [0, 1000, 0]), (SLICE % "FR", [0, 1000, 0, 1500])]
)
def test_known_slices_stand_at_zero_after_a_restart(
    watched: Watched, selector: str, expected: list[float]
) -> None:
    assert steps(watched.server, selector) == expected
