"""A page that is renewed in a real browser: what is open stays open, what is typed stays."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import renewed

PAGES = ("/monitors/drifter", "/monitors/hostile", "/experiments/ranker", "/experiments/layout")


@pytest.fixture(scope="module")
def seen(client: httpx.Client) -> Any:  # noqa: ANN401 - what a test looks at is told there
    return renewed(address_of(client), *PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_what_is_open_stays_open_and_what_is_closed_stays_closed(
    seen: Any,  # noqa: ANN401
    path: str,
) -> None:
    assert seen["closed"][path]["count"] > 5
    assert seen["closed"][path]["other"] == []


def test_words_that_are_typed_outlast_a_renewal_and_are_searched(seen: Any) -> None:  # noqa: ANN401
    assert seen["typed"]["field"] == "hostile"
    query = parse_qs(urlsplit(seen["typed"]["address"]).query)
    assert query == {"q": ["hostile"], "tz": ["local"]}
    assert set(seen["typed"]["links"]) == {"?tz=local"}, "rows that come later keep the zone"
