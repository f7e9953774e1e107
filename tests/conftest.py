"""What every test of the running application starts from."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from kullback.main import create_app
from kullback.settings import Settings
from tests.monitoring.service import Service, running


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Give the process its logging back."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    handlers, level, grave = root.handlers[:], root.level, uvicorn.level
    looked_up = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    uvicorn.setLevel(grave)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = looked_up


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/kullback.db")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of the application, which has started and will stop."""
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        yield client


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A running service whose clock stands still until a test moves it."""
    async with running(settings.database_url) as service:
        yield service
