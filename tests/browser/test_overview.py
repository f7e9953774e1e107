"""The overview in a real browser: on a phone, and while its search is typed."""

from urllib.parse import urlsplit

import httpx

from tests.browser.conftest import address_of
from tests.browser.filling import MONITORS
from tests.browser.looking import on_phone, search


def test_tables_are_cards_on_a_phone_and_nothing_is_cut_off(client: httpx.Client) -> None:
    cells = [cell for cell in on_phone(address_of(client), "/") if cell["isShown"]]
    assert len(cells) > len(MONITORS)
    assert {cell["label"] for cell in cells} >= {'"State"', '"Verdict"', '"Effect"'}
    assert [cell for cell in cells if cell["left"] < 0 or cell["right"] > 390] == []


def test_rows_are_chosen_as_words_are_typed(client: httpx.Client) -> None:
    seen = search(address_of(client), "hostile")
    assert set(MONITORS) < set(seen["before"])
    assert set(seen["typed"]["rows"]) == {"hostile", "hostile-test"}
    assert urlsplit(seen["typed"]["address"]).query == "q=hostile"
    assert seen["field"] == ["q", "xhostile"]
    assert seen["opened"] == seen["typed"]["rows"]
    assert seen["sent"] == seen["typed"]
