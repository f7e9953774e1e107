"""A key that is made or revoked anywhere is known to every replica within seconds."""

from contextlib import AsyncExitStack
from time import monotonic

import anyio
import pytest
from httpx import AsyncClient

from kullback.key_checks import key_book
from kullback.main import create_app
from kullback.settings import Settings
from tests.access.service import bearer, issued
from tests.conftest import client_of
from tests.postgresql import Server

pytestmark = pytest.mark.anyio
DEADLINE = 30.0  # of the machine; what is promised is 5, and what is usual 3


async def until(clients: list[AsyncClient], key: str, status: int) -> None:
    """Wait until all of them answer so."""
    end = monotonic() + DEADLINE
    for client in clients:
        while (await client.get("/v1/monitors", headers=bearer(key))).status_code != status:
            assert monotonic() < end
            await anyio.sleep(0.2)


async def test_keys_of_replicas_are_the_same(postgresql: Server) -> None:
    async with AsyncExitStack() as stack:
        settings = Settings(database_url=postgresql.url(stack.enter_context(postgresql.database())))
        clients = [
            await stack.enter_async_context(client_of(create_app(settings))) for _ in range(2)
        ]
        await until(clients, "kb_no", 200)  # there is no key yet
        with key_book(settings) as book:  # what `kullback keys` does, while both run
            text = issued(book, "read").text
            await until(clients, "kb_no", 401)
            await until(clients, text, 200)
            book.revoke(text[3:15])
            await until(clients, text, 401)
