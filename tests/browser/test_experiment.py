"""The page of an experiment in a real browser: what is seen first, opened, copied and read."""

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import examine, on_phone

DESK, PHONE = 3300, 900  # pixels; the page has a jump list
PAGES = ("/experiments/ranker", "/experiments/layout")


@pytest.mark.parametrize("path", PAGES)
def test_the_verdict_comes_first_and_nothing_is_cut(client: httpx.Client, path: str) -> None:
    seen = examine(address_of(client), path)
    parts = seen["parts"]
    tops = [parts[name]["top"] for name in (".verdict", ".chips", "#course", "#arms", "#export")]
    assert tops == sorted(tops)
    assert parts[".verdict svg"]["bottom"] <= parts[".verdict"]["bottom"] < PHONE
    assert parts["#by-metric svg"]["width"] > 300
    assert seen["cut"] == []
    assert seen["height"] <= DESK
    assert seen["phone"]["width"] <= 390
    assert seen["phone"]["verdict"] < PHONE < seen["phone"]["form"]


def test_a_check_opens_by_the_keyboard_and_the_report_is_copied(client: httpx.Client) -> None:
    address = address_of(client)
    seen = examine(address, PAGES[0])
    assert not seen["closed"]
    assert seen["opened"]["isVisible"]
    assert "ok" in seen["opened"]["words"]
    report = f"/v1{PAGES[0]}/report"
    markdown = client.get(report, headers={"accept": "text/markdown"}).text
    assert seen["copied"].strip() == markdown.strip()
    assert seen["words"] == "Copied."
    assert seen["place"] == "#arms"


def test_tables_of_an_experiment_are_cards_on_a_phone(client: httpx.Client) -> None:
    cells = [cell for cell in on_phone(address_of(client), PAGES[0]) if cell["isShown"]]
    assert {'"Rows"', '"Log loss (nats)"', '"AUC"'} <= {cell["label"] for cell in cells}
    assert [cell for cell in cells if cell["left"] < 0 or cell["right"] > 390] == []
