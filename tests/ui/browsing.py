"""Browsers under test: clients that keep their cookies, and log in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from httpx import ASGITransport, AsyncClient, Response

from tests.access.service import Guarded

OWN = {"origin": "http://kullback"}


@asynccontextmanager
async def browser(service: Guarded, base: str = "http://kullback") -> AsyncIterator[AsyncClient]:
    """A client that keeps its cookies."""
    async with AsyncClient(transport=ASGITransport(service.app), base_url=base) as client:
        yield client


async def log_in(client: AsyncClient, key: str, place: str = "", **headers: str) -> Response:
    return await client.post("/login", data={"key": key, "next": place}, headers={**OWN, **headers})
