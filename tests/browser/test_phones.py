"""Pages on a phone: what is long has a list of its parts, and what is fine is folded."""

import httpx

from tests.browser.conftest import PATHS, address_of
from tests.browser.looking import heights

LONG = 3000  # pixels
LISTED = tuple(path for path in PATHS if path != "/docs")  # the viewer has a list of its own
DRIFTER = "/monitors/drifter"


def test_no_long_page_is_without_a_list_of_its_parts(client: httpx.Client) -> None:
    seen = heights(address_of(client), LISTED)
    long = {path: page for path, page in seen.items() if page["height"] > LONG}
    assert {DRIFTER, "/playground"} <= long.keys()
    assert [path for path, page in long.items() if not page["hasList"]] == []


def test_pictures_are_folded_and_open_by_a_tap(client: httpx.Client) -> None:
    seen = heights(address_of(client), [DRIFTER])[DRIFTER]
    assert seen["folded"] == 2
    assert seen["hidden"] == 0
