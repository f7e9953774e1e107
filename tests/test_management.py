"""Probes and metrics on a port of their own answer whatever the service does."""

from threading import Event
from time import monotonic

import httpx
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.api import system
from tests.serving import Served, management, serving
from tests.test_ending import ENDLESS, ENTROPY, SOON, sent, wait_until_worked_on


def managing(server: Served) -> httpx.Client:
    """A client of the port for probes and metrics."""
    return httpx.Client(base_url=management(server), trust_env=False, timeout=SOON)


def test_it_answers_while_the_event_loop_does_not_turn() -> None:
    with (
        serving(*ENDLESS, KULLBACK_METRICS_PORT="0", KULLBACK_GRACE_SECONDS="1") as server,
        managing(server) as client,
        sent(server, ENTROPY, len(ENTROPY)),
    ):
        wait_until_worked_on(server)
        answers = [client.get(path) for path in ("/livez", "/readyz", "/metrics")]
        missing = client.get("/v1/monitors")
        trap = client.get("/metrics", headers={"host": "evil"})
        server.process.terminate()
        server.process.wait(SOON)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "process_cpu_seconds_total" in answers[-1].text
    assert missing.status_code == 404
    assert trap.status_code == 421  # no page elsewhere makes its own name lead here


def test_it_says_that_the_service_stops_until_it_has() -> None:
    with (
        serving(KULLBACK_METRICS_PORT="0", KULLBACK_GRACE_SECONDS="600") as server,
        managing(server) as client,
        sent(server, ENTROPY[:5], len(ENTROPY)) as caller,
    ):
        assert httpx.get(f"{server.address}/readyz", trust_env=False).status_code == 200
        answer = httpx.get(f"{server.address}/metrics", trust_env=False)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "metrics are on KULLBACK_METRICS_PORT here"
        server.process.terminate()
        pause, until = Event(), monotonic() + SOON
        while (status := client.get("/readyz").status_code) == 200 and monotonic() < until:
            pause.wait(0.05)
        assert status == 503
        assert client.get("/livez").status_code == 200
        caller.send(ENTROPY[5:])
        assert caller.getresponse().status == 200
        server.process.wait(SOON)


@pytest.mark.anyio
async def test_a_loop_that_turned_and_turns_no_more_is_not_alive(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "STUCK_SECONDS", -1.0)
    readiness, statuses = app.state.readiness, list[int]()
    transport = ASGITransport(app.state.management)
    async with AsyncClient(transport=transport, base_url="http://kullback") as client:
        for step in (lambda: None, readiness.beat, readiness.rest):
            step()
            statuses.append((await client.get("/livez")).status_code)
    assert statuses == [200, 503, 200]  # nothing is known of it, it hangs, it stops
