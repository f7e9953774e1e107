"""A service with keys under test: its application, its book of keys, and clients that have one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.access.book import KeyBook, StoreShelf
from kullback.access.keys import SCOPES, IssuedKey, KeyGrant, ScopeName
from kullback.clock import WatchedClock
from kullback.main import Runtime, create_app
from kullback.settings import Settings
from tests.monitoring.service import NEVER, Clock


def bearer(text: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {text}"}


@dataclass
class Guarded:
    """A running service, and the key that may do everything there."""

    app: FastAPI
    client: AsyncClient  # which has no key
    book: KeyBook
    clock: Clock
    admin: str

    async def issue(self, *scopes: ScopeName, **fields: object) -> str:
        """A new key of these scopes; its text."""
        sent = {"label": "test", "scopes": scopes or SCOPES[:3], **fields}
        answer = await self.client.post("/v1/keys", json=sent, headers=bearer(self.admin))
        assert answer.status_code == 201, answer.text
        text: str = answer.json()["key"]
        return text


@asynccontextmanager
async def guarded(settings: Settings, *before: KeyGrant) -> AsyncIterator[Guarded]:
    """A service whose book of keys has an administrator from the start."""
    clock = Clock()
    runtime = Runtime(clock=WatchedClock(clock, clock), maintenance_seconds=NEVER)
    store = runtime.store(settings)
    book = KeyBook(StoreShelf(store), settings.pepper(), clock)
    admin = issued(book, *SCOPES)
    for grant in before:
        book.create(grant)
    app = create_app(settings, runtime, store)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        yield Guarded(app, client, book, clock, admin.text)


def issued(book: KeyBook, *scopes: ScopeName) -> IssuedKey:
    """A new key in a book."""
    return book.create(KeyGrant("test", scopes))
