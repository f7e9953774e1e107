"""Every promise of a store is tested on both engines."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kullback.storage.base import Store
from kullback.storage.sql import open_store
from tests.postgresql import Server
from tests.storage.writes import Opening, merge


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'kullback.db'}"


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    with postgresql.database() as name:
        yield postgresql.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database of either kind."""
    found = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(found, str)
    return found


@pytest.fixture
def opening() -> Iterator[Opening]:
    """Opens stores, and closes them in the end; one whose disk fails stops the test."""
    with ExitStack() as stores:

        def opened(url: str, clock: Callable[[], float] = lambda: 1000.0) -> Store:
            store = open_store(url, merge, on_fatal=pytest.fail, clock=clock)
            stores.callback(store.close)
            return store

        yield opened


@pytest.fixture
def store(url: str, opening: Opening) -> Store:
    return opening(url)


@pytest.fixture
def replicas(postgresql_url: str, opening: Opening) -> tuple[Store, Store]:
    """Two stores, as of two processes, on one database."""
    return opening(postgresql_url), opening(postgresql_url)
