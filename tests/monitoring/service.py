"""A service with monitors under test: requests over HTTP, its clock set by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.clock import WatchedClock
from kullback.main import Runtime, create_app
from kullback.services import Services
from kullback.settings import Settings
from kullback.storage.base import Store

Document = dict[str, Any]
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC).timestamp()
MONITOR = "/v1/monitors/clicks"
NEVER = 1e6  # seconds: maintenance happens when a test asks for it


@dataclass
class Clock:
    """What time it is."""

    now: float = NOON + 30.5

    def __call__(self) -> float:
        return self.now


@dataclass
class Service:
    """A running service, and the clock it goes by."""

    app: FastAPI
    client: AsyncClient
    store: Store
    clock: Clock = field(default_factory=Clock)

    @property
    def inside(self) -> Services:
        """What stands on its store."""
        services = self.app.state.store_requests.services
        assert isinstance(services, Services)
        return services

    def tidy(self) -> None:
        """Do the maintenance that is due."""
        self.inside.monitor_maintenance.compact_all()

    async def put(self, path: str = MONITOR, /, **fields: object) -> Document:
        """Create or change a monitor, or set a reference."""
        return done(await self.client.put(path, json=fields))

    async def post(self, what: str, path: str = MONITOR, /, **fields: object) -> Document:
        """Add rows."""
        return done(await self.client.post(f"{path}/{what}", json=fields))

    async def get(self, path: str = MONITOR, /, **query: str | float) -> Document:
        """Read something."""
        return done(await self.client.get(path, params=query))

    async def report(self, path: str = MONITOR, /, **query: str | float) -> Document:
        return await self.get(f"{path}/report", **query)

    async def points(self, path: str = MONITOR, /, **query: str | float) -> list[Document]:
        """The points of a series."""
        found: list[Document] = (await self.get(f"{path}/series", **query))["points"]
        return found

    async def samples(self, **labels: str) -> dict[str, float]:
        """What Prometheus reads, by name and labels; of `labels` alone, which are left out."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        found = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        return {name: float(value) for name, value in found if all(one in name for one in wanted)}


def done(answer: httpx.Response) -> Document:
    """What is answered where all went well."""
    assert answer.status_code in {200, 201}, answer.text
    found: Document = answer.json()
    return found


def refused(answer: httpx.Response, status: int = 422) -> tuple[str, str]:
    """The type of a refusal, and the first place that it names."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    places = problem["errors"]
    return problem["type"].removeprefix("/problems/"), places[0]["pointer"] if places else ""


@asynccontextmanager
async def running(
    url: str,
    maintenance_seconds: float = NEVER,
    clock: Clock | None = None,
    steady: Clock | None = None,
) -> AsyncIterator[Service]:
    """A service on the database at `url`, from its start to its end.

    Its clock is believed, as the one that nobody sets is the same, unless that is another.
    """
    clock = clock or Clock()
    watched = WatchedClock(clock, steady or clock)
    world = Runtime(clock=watched, on_fatal=pytest.fail, maintenance_seconds=maintenance_seconds)
    settings = Settings(database_url=url)
    store = world.store(settings)
    app = create_app(settings, world, store)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        yield Service(app, client, store, clock)
