"""The page of a monitor in a real browser: from the verdict to the cause, and into a ticket."""

from datetime import datetime, timedelta
from time import time
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest

from tests.browser.looking import chromium, handle, node
from tests.serving import serving

HOUR = 3600.0
COUNTRY = "B<r> & co"


@pytest.fixture(scope="module")
def seen() -> dict[str, object]:
    """What somebody sees of a monitor of which one country is off."""
    node()
    chromium()
    rng = np.random.default_rng(5)
    n = 4000
    chance = rng.uniform(0.05, 0.4, n)
    country = rng.choice(["DE", "FR", COUNTRY], n, p=[0.6, 0.2, 0.2])
    rows = {
        "y_true": (rng.random(n) < chance).astype(int).tolist(),
        "y_proba": np.where(country == COUNTRY, 2.2 * chance, chance).tolist(),
        "timestamp": (time() - 3 * HOUR * rng.random(n)).tolist(),
        "slice": {"country": country.tolist()},
        "features": {"age": rng.integers(20, 70, n).tolist()},
    }
    settings = {"slices": ["country"], "features": {"age": "numeric"}}
    with serving() as service, httpx.Client(base_url=service.address, timeout=60) as client:
        client.put("/v1/monitors/clicks", json=settings).raise_for_status()
        client.post("/v1/monitors/clicks/observations", json=rows).raise_for_status()
        result: dict[str, object] = handle(service.address, "/monitors/clicks")
        result["address"] = service.address
        return result


def test_the_verdict_is_copied_as_markdown_with_the_time_it_is_of(seen: dict[str, object]) -> None:
    lines = str(seen["markdown"]).splitlines()
    assert lines[0] == "**Monitor clicks: critical**"
    assert any("country = B\\<r\\> \\& co: predictions are 2.2" in line for line in lines)
    assert lines[-1] == str(seen["link"])


def test_the_link_has_absolute_times(seen: dict[str, object]) -> None:
    parts = urlsplit(str(seen["link"]))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{seen['address']}/monitors/clicks"
    assert set(parse_qs(parts.query)) == {"from", "to"}
    assert seen["focus"] == "copy-link", "the keyboard stays where it was"
    assert seen["byHand"] == ["copy", seen["link"]], "as without a clipboard"


def test_what_is_worst_comes_before_pictures_and_is_a_click_away(seen: dict[str, object]) -> None:
    order = seen["order"]
    assert isinstance(order, list)
    places = [order.index(name) for name in ("checks", "now", "slices", "features", "course")]
    assert places == sorted(places)
    assert order[-1] == "about"
    assert seen["jumps"] == 0, "no link of the list leads nowhere"
    assert seen["worst"] == f"country = {COUNTRY}"
    alone, every = seen["alone"], seen["all"]
    assert isinstance(alone, dict)
    assert isinstance(every, dict)
    assert parse_qs(urlsplit(alone["url"]).query)["slice"] == [f"country={COUNTRY}"]
    assert alone["title"].endswith(f"country = {COUNTRY} alone")
    assert "4,000 rows" not in alone["rows"]
    assert "4,000 rows" in every["rows"]


def test_cards_are_equal_and_nothing_is_cut_off_on_a_phone(seen: dict[str, object]) -> None:
    heights = seen["heights"]
    assert isinstance(heights, list)
    assert len(heights) == 6
    assert len({round(height) for height in heights[:3]}) == 1
    assert len({round(height) for height in heights[3:]}) == 1
    assert seen["cutOff"] == []
    assert not seen["formIsShown"], "numbers come before forms"
    cells = seen["cells"]
    assert isinstance(cells, list)
    assert set(cells) == {"State", "In words"}, "the sentence has the rest"


def test_the_list_of_sections_stays_in_sight_on_a_phone(seen: dict[str, object]) -> None:
    jump = seen["jump"]
    assert isinstance(jump, dict)
    assert jump["y"] == 0
    assert jump["height"] < 60, "one line"


def test_charts_count_the_hours_of_the_zone_that_the_address_asks_for(
    seen: dict[str, object],
) -> None:
    clocks = seen["clocks"]
    assert isinstance(clocks, dict)
    utc, local = clocks["utc"], clocks["local"]
    assert (utc["label"], local["label"]) == ("Time (UTC)", "Time (local)")
    latest = [datetime.fromisoformat(each["reading"][8:24]) for each in (utc, local)]
    assert latest[1] - latest[0] == timedelta(hours=5, minutes=30), "as clocks in Kolkata"
    assert all(tick[3:5] in {"00", "30"} for tick in local["ticks"]), "round by those clocks"
