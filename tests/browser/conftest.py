"""What the browser saw, once for all tests of pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from kullback.scoring.catalog import METRICS
from tests.browser.filling import EXPERIMENTS, MONITORS, fill, many
from tests.browser.looking import Page, chromium, look, node, weights
from tests.serving import serving

MISSING = ("/monitors/no-such", "/experiments/no-such", "/playground/no-such")
PATHS = (
    "/",
    "/docs",
    "/playground",
    *MISSING,
    *(f"/monitors/{name}" for name in MONITORS),
    *(f"/experiments/{name}" for name in EXPERIMENTS),
    "/monitors/hostile?by=country",
    "/experiments/ranker?step=3600",
    *(f"/playground/{name}" for name in METRICS),
)
CROWD = 200


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A client of a service that has something to show."""
    node()
    chromium()
    with serving() as served, httpx.Client(base_url=served.address, timeout=60) as client:
        fill(client)
        yield client


@pytest.fixture(scope="session")
def hours() -> dict[str, str]:
    """A time of whole hours that has passed, so that it is the same whenever it is asked for."""
    stop = datetime.now(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    start = stop - timedelta(hours=20)
    return {"from": start.isoformat(), "to": stop.isoformat()}


@pytest.fixture(scope="session")
def course(hours: dict[str, str]) -> str:
    """The page of a monitor at that time."""
    return f"/monitors/clicks?{urlencode({'range': 'custom', **hours})}"


@pytest.fixture(scope="session")
def pages(
    client: httpx.Client, course: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Page]:
    """Every page, as a browser saw it."""
    out = tmp_path_factory.mktemp("look") / "seen.json"
    return look(address_of(client), out, [*PATHS, course])


@pytest.fixture(scope="session")
def crowd(client: httpx.Client) -> dict[str, int]:
    """What the overview of very many monitors weighs, part by part."""
    with serving() as served, httpx.Client(base_url=served.address, timeout=60) as other:
        assert address_of(other) != address_of(client)
        many(other, CROWD)
        return weights(served.address, "/")


def address_of(client: httpx.Client) -> str:
    """Where the service is."""
    return str(client.base_url).rstrip("/")
