"""A table of what the service answers to the hostile bodies."""

import sys
from tempfile import TemporaryDirectory

import anyio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.main import create_app
from kullback.settings import Settings
from tests.api.hostile import TYPES, Hostile, Table, bodies, counted, post_all, shown


async def main() -> None:
    """Post every body to every metric, as each type, and print how often each status came."""
    corpus, table = list(bodies()), Table()
    with TemporaryDirectory() as directory:
        app = create_app(Settings(database_url=f"sqlite:///{directory}/kullback.db"))
        await post(app, corpus, table)
    sys.stdout.write(shown(len(corpus), table) + "\n")


async def post(app: FastAPI, corpus: list[Hostile], table: Table) -> None:
    """Count the answers of a running application."""
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        for media_type, kind in TYPES.items():
            answers = await post_all(client, corpus, media_type)
            table.update(counted((answer for _, _, answer in answers), kind))


if __name__ == "__main__":
    anyio.run(main)
