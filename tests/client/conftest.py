"""A service of their own for tests of the client, and calls that block or await alike."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import iscoroutine
from itertools import count
from typing import Any

import pytest

from kullback_client import AsyncClient, Client, Monitor
from tests.serving import Served, serving

_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Caller:
    """A client of either kind, and what waits for its answers."""

    client: Client | AsyncClient
    runner: asyncio.Runner

    def get(self, answer: Any) -> Any:  # noqa: ANN401 - of any method, of either client
        """The answer, when it is there."""
        return self.runner.run(answer) if iscoroutine(answer) else answer


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture(params=["blocking", "awaiting"])
def caller(request: pytest.FixtureRequest, served: Served) -> Iterator[Caller]:
    with asyncio.Runner() as runner:
        if request.param == "blocking":
            with Client(served.address) as client:
                yield Caller(client, runner)
        else:
            awaiting = AsyncClient(served.address)
            yield Caller(awaiting, runner)
            runner.run(awaiting.close())


@pytest.fixture
def kb(served: Served) -> Iterator[Client]:
    with Client(served.address) as client:
        yield client


@pytest.fixture
def unused() -> Callable[[], str]:
    """Names that no monitor and no experiment has had."""
    return lambda: f"name-{next(_NUMBERS)}"


@pytest.fixture
def monitor(kb: Client, unused: Callable[[], str]) -> Monitor:
    return kb.monitor(unused()).ensure(slices=["country"], features={"age": "numeric"})
