"""A notice of the operator stands on all pages, as text, while its file is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from kullback.main import create_app
from kullback.settings import Settings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def pages(directory: Path, notice: Path) -> AsyncIterator[AsyncClient]:
    app = create_app(
        Settings(database_url=f"sqlite:///{directory}/kullback.db", notice_file=notice)
    )
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1") as client,
    ):
        yield client


async def test_a_notice_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "notice"
    async with pages(tmp_path, path) as client:
        assert "notice" not in (await client.get("/")).text
        headers = {"if-none-match": (await client.get("/playground")).headers["etag"]}
        path.write_text("Back at <b>noon</b>.\n")
        for page in ("/", "/playground", "/playground/log-loss"):
            text = (await client.get(page, headers=headers)).text
            assert '<p class="notice" role="status">Back at &lt;b&gt;noon&lt;/b&gt;.</p>' in text
        path.unlink()
        assert (await client.get("/playground", headers=headers)).status_code == 304


async def test_what_cannot_be_read_is_no_notice(tmp_path: Path) -> None:
    async with pages(tmp_path, tmp_path) as client:
        assert (await client.get("/")).status_code == 200
