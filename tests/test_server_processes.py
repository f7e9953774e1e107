"""Several processes serve one port, are looked after, and end together."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import pytest

from tests.postgresql import Server
from tests.serving import SERVE, Served, serving

PROCESSES = 2
SOON = 30.0
TWO = (*SERVE, "--workers", str(PROCESSES))


@pytest.fixture
def url(postgresql: Server) -> Iterator[str]:
    with postgresql.database() as name:
        yield postgresql.url(name)


def lines(log: Path, message: str, count: int = 1) -> list[str]:
    """What so many lines of the log say behind a message, once they are there."""
    until, pause = monotonic() + SOON, Event()
    while True:
        said = re.findall(rf'"message": "{message}([^"]*)"', log.read_text())
        if len(said) >= count:
            return said
        assert monotonic() < until, log.read_text()
        pause.wait(0.05)


def children(server: Served) -> list[int]:
    """The processes that a service has started."""
    number = server.process.pid
    return list(map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split()))


def wait_until_gone(process: int) -> None:
    until, pause = monotonic() + SOON, Event()
    while Path(f"/proc/{process}").exists():
        assert monotonic() < until
        pause.wait(0.05)


def scored(address: str) -> int:
    """A score, over a connection of its own: any process may answer."""
    body = {"y_true": [1, 0], "y_proba": [0.5, 0.5]}
    with httpx.Client(trust_env=False, timeout=SOON) as client:
        return client.post(f"{address}/v1/scores/log-loss", json=body).status_code


def requests_of(management: str) -> float:
    text = httpx.get(f"{management}/metrics", trust_env=False).text
    counts = re.findall(r"^http_requests_total\{.*log-loss.*\} (.*)$", text, re.MULTILINE)
    return sum(map(float, counts))


def test_each_answers_on_the_port_and_has_its_own_metrics(url: str) -> None:
    with serving(*TWO, KULLBACK_DATABASE_URL=url) as server:
        managements = lines(server.log, "probes and metrics on ", PROCESSES)
        assert [scored(server.address) for _ in range(40)] == [200] * 40
        for each in managements:
            assert httpx.get(f"{each}/readyz", trust_env=False).status_code == 200
        counts = [requests_of(each) for each in managements]
        assert sum(counts) == 40
        assert min(counts) > 0  # 1 in 2^39 that one has none
        monitor = httpx.put(f"{server.address}/v1/monitors/m", json={"task": "binary"})
        assert monitor.status_code == 201
        names = [
            httpx.get(f"{server.address}/v1/monitors/m", trust_env=False).json()["name"]
            for _ in range(10)
        ]
        assert names == ["m"] * 10
        server.process.terminate()
        assert server.process.wait(SOON) == -signal.SIGTERM
        assert [json.loads(line)["level"] for line in server.log.read_text().splitlines()]


def test_who_dies_is_started_again_and_nobody_is_turned_away_meanwhile(url: str) -> None:
    with serving(*TWO, KULLBACK_DATABASE_URL=url) as server:
        lines(server.log, "listening on ", PROCESSES)
        (dying, other) = children(server)
        os.kill(dying, signal.SIGKILL)
        assert [scored(server.address) for _ in range(20)] == [200] * 20
        (said,) = lines(server.log, "process 1 ended")
        assert said == " with status -9, and starts again"
        lines(server.log, "listening on ", PROCESSES + 1)
        again = children(server)
        assert len(again) == PROCESSES
        assert other in again
        assert dying not in again


def test_they_finish_what_was_begun_and_end_with_their_parent(url: str) -> None:
    with serving(*TWO, KULLBACK_DATABASE_URL=url) as server:
        lines(server.log, "listening on ", PROCESSES)
        started = children(server)
        server.process.kill()
        server.process.wait()
        for each in started:
            wait_until_gone(each)
        assert len(lines(server.log, "stopping", PROCESSES)) == PROCESSES


def test_they_end_at_once_where_the_first_start_fails() -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with (
        pytest.raises(AssertionError, match="cannot start"),
        serving(*TWO, KULLBACK_DATABASE_URL=nowhere) as server,
    ):
        pytest.fail(server.address)


def test_a_port_that_another_has_is_not_shared(url: str) -> None:
    with serving(*TWO, KULLBACK_DATABASE_URL=url) as server:
        port = server.address.rpartition(":")[2]
        with (
            pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1:{port}"),
            serving(*TWO, "--port", port, KULLBACK_DATABASE_URL=url) as second,
        ):
            pytest.fail(second.address)
