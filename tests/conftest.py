"""What every test starts from: how examples are drawn, and the running application."""

import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from coverage import Coverage
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import HealthCheck
from hypothesis import settings as profile

from kullback.main import create_app
from kullback.settings import Settings
from tests.api.hostile.caller import Caller
from tests.monitoring.service import Service, running

pytest_plugins = ["tests.postgresql"]

# Laws are tried on the same examples in every run, on however slow a machine; `make laws`
# tries ten times as many (--hypothesis-profile thorough).
profile.register_profile(
    "laws",
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
profile.register_profile("fast", profile.get_profile("laws"), max_examples=10)
profile.register_profile("thorough", profile.get_profile("laws"), max_examples=300)
profile.load_profile("laws")


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later collection of garbage."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def only_tests_are_measured() -> None:
    """Let coverage count what runs in the processes of tests, not in those that they start."""
    os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.fixture(scope="module", autouse=True)
def only_first_runs_are_traced(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave out of coverage what runs the same lines on very many inputs: tracing it costs half."""
    tracer = Coverage.current()
    if tracer is None or request.node.get_closest_marker("untraced") is None:
        yield
        return
    tracer.stop()
    yield
    tracer.start()


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


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/kullback.db")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an application, which has started and will stop."""
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def shared_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """One application for all tests of a file, which leave nothing behind in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared')}/kullback.db"
    app = create_app(Settings(database_url=url))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
async def client(shared_app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        transport=ASGITransport(shared_app), base_url="http://kullback"
    ) as client:
        yield client


@pytest.fixture(scope="module")
def caller(shared_app: FastAPI) -> Caller:
    return Caller(shared_app)


@pytest.fixture
async def own_client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an application for one test alone."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A running service whose clock stands still until a test moves it."""
    async with running(settings.database_url) as service:
        yield service
