"""This file is about what the service answers to the hostile bodies, as a table."""

import sys

import anyio
from httpx import ASGITransport, AsyncClient

from app.main import create_app
from app.settings import Settings
from tests.api.hostile import TYPES, Table, bodies, counted, post_all, shown


async def main() -> None:
    """Post every body to every metric, as each type, and print how often each status came."""
    app = create_app(Settings())
    corpus, table = list(bodies()), Table()
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        for media_type, kind in TYPES.items():
            answers = await post_all(client, corpus, media_type)
            table += counted((answer for _, _, answer in answers), kind)
    sys.stdout.write(shown(len(corpus), table) + "\n")


if __name__ == "__main__":
    anyio.run(main)
