"""Reports never hold up writes, are made once for all who ask, and not for who has left."""

import threading
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from starlette.types import Message

from kullback.monitoring.report import MonitorReport
from kullback.monitoring.selection import MonitorSelection
from tests.conftest import client_of

pytestmark = pytest.mark.anyio

MONITOR = "/v1/monitors/clicks"
REPORT = f"{MONITOR}/report?from=0"
ROWS = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}
SOON = 60


class Blocked:
    """Reports that are not made before they are let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.number = 0
        self._opened = threading.Event()
        self._original = MonitorSelection.report

    def made(self, selection: MonitorSelection) -> MonitorReport:
        report = self._original(selection)
        self.number += 1
        self.begun.release()
        assert self._opened.wait(SOON)
        return report

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocked]:
    reports = Blocked()
    monkeypatch.setattr(MonitorSelection, "report", lambda selection: reports.made(selection))  # noqa: PLW0108 - it binds
    yield reports
    reports.open()


@pytest.fixture
async def clicks(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with client_of(app) as client:
        await client.put(MONITOR, json={"task": "binary"})
        await client.post(f"{MONITOR}/observations", json=ROWS)
        yield client


async def begun(reports: Blocked) -> None:
    with anyio.fail_after(SOON):
        await anyio.to_thread.run_sync(reports.begun.acquire)


async def waiting(app: FastAPI, number: int) -> None:
    """Until so many wait for reports."""
    shared = app.state.store_requests._shared  # noqa: SLF001 - nobody else needs to know
    for _ in range(100 * SOON):
        if sum(work.waiting for work in shared._under_way.values()) == number:  # noqa: SLF001
            return
        await anyio.sleep(0.01)
    raise AssertionError("they do not wait")


async def test_the_same_report_is_made_once_and_another_after_a_write(
    app: FastAPI, clicks: AsyncClient, blocked: Blocked
) -> None:
    counts: list[int] = []

    async def read() -> None:
        counts.append((await clicks.get(REPORT)).json()["n"])

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(read)
        await begun(blocked)
        await waiting(app, 20)
        with anyio.fail_after(SOON):
            await clicks.post(f"{MONITOR}/observations", json=ROWS)
        group.start_soon(read)
        await begun(blocked)
        blocked.open()
    assert sorted(counts) == [2] * 20 + [4]
    assert blocked.number == 2


async def test_a_write_does_not_wait_for_reports(clicks: AsyncClient, blocked: Blocked) -> None:
    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(clicks.get, f"{REPORT}&to={10**9 + number}")
        for _ in range(2):
            await begun(blocked)  # nobody is free to read
        with anyio.fail_after(SOON):
            answer = await clicks.post(f"{MONITOR}/observations", json=ROWS)
        blocked.open()
    assert answer.status_code == 200
    assert blocked.number == 100


async def test_no_report_is_made_for_who_has_left(
    app: FastAPI, clicks: AsyncClient, blocked: Blocked
) -> None:
    left = anyio.Event()
    left.set()
    async with anyio.create_task_group() as group:
        for number in range(2):
            group.start_soon(clicks.get, f"{REPORT}&to={10**9 + number}")
            await begun(blocked)
        for number in range(10):
            await read_until(left, app, f"from=0&to={2 * 10**9 + number}")
        blocked.open()
    assert (await clicks.get(f"{REPORT}&to={10**9}")).status_code == 200
    assert blocked.number == 3


async def test_it_is_made_while_anybody_waits_though_the_first_has_left(
    app: FastAPI, clicks: AsyncClient, blocked: Blocked
) -> None:
    statuses: list[int] = []
    left = anyio.Event()

    async def read() -> None:
        statuses.append((await clicks.get(REPORT)).status_code)

    async with anyio.create_task_group() as group:
        async with anyio.create_task_group() as first:
            first.start_soon(read_until, left, app, "from=0")
            await begun(blocked)
            group.start_soon(read)
            await waiting(app, 2)
            left.set()
        blocked.open()
    assert statuses == [200]
    assert blocked.number == 1


async def read_until(left: anyio.Event, app: FastAPI, query: str) -> None:
    """Ask for a report, and leave unanswered."""
    sent: list[Message] = []
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{MONITOR}/report",
        "query_string": query.encode(),
        "headers": [(b"host", b"kullback")],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    assert sent == []
