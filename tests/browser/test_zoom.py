"""Charts that are zoomed into in a real browser, pages with many marks, and files of figures."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import zoom

PHONE = 390
MARKS = 14
MONITOR, EXPERIMENT = "/monitors/drifter", "/experiments/ranker"


@pytest.fixture(scope="module")
def seen(client: httpx.Client) -> Any:  # noqa: ANN401 - what a test looks at is told there
    now = datetime.now(UTC)
    for at in range(MARKS):
        when = now - timedelta(minutes=40 * (at + 1))
        mark = {"time": when.isoformat().replace("+00:00", "Z"), "text": f"deploy {at} of a model"}
        client.post(f"/v1{MONITOR}/annotations", json=mark).raise_for_status()
    return zoom(address_of(client), MONITOR, EXPERIMENT)


def test_a_zoom_of_a_monitor_keeps_the_place(seen: Any) -> None:  # noqa: ANN401
    page = seen["monitor"]
    assert page["hidden"]
    assert page["hint"]
    assert set(parse_qs(urlsplit(page["zoomed"]["url"]).query)) == {"from", "to"}
    assert 0 <= page["zoomed"]["top"] < 500, "the chart is where it can be seen"


def test_a_link_leads_back_from_a_zoom(seen: Any) -> None:  # noqa: ANN401
    page = seen["monitor"]
    assert urlsplit(page["after"]["url"]).query == urlsplit(page["before"]).query
    assert page["after"]["scroll"] > 500


def test_a_zoom_of_an_experiment_is_in_the_address_and_all_charts_follow(seen: Any) -> None:  # noqa: ANN401
    page = seen["experiment"]
    query = parse_qs(urlsplit(page["zoomed"]["url"]).query)
    ends = [datetime.fromisoformat(f"{query[name][0]}Z").timestamp() for name in ("from", "to")]
    assert set(page["zoomed"]["ranges"]) == {"effect", "evidence"}
    assert all(ranges == ends for ranges in page["zoomed"]["ranges"].values())
    assert page["all"]["effect"][0] < ends[0]
    assert page["zoomed"]["scroll"] > 500, "nothing was loaded anew"


def test_a_zoom_of_an_experiment_outlasts_a_renewal_and_is_in_its_link(seen: Any) -> None:  # noqa: ANN401
    page = seen["experiment"]
    assert page["renewed"] == page["opened"] == page["zoomed"]["ranges"]
    assert page["reset"] == {"url": page["before"], "ranges": page["all"]}


def test_many_marks_are_no_wider_than_a_phone_and_read_as_far_as_there_is_room(seen: Any) -> None:  # noqa: ANN401
    page = seen["phone"]
    assert page["widest"] == PHONE
    assert 1 <= len(page["boxes"]) < MARKS
    places = sorted((box["left"], box["right"]) for box in page["boxes"])
    assert all(right <= left for (_, right), (left, _) in pairwise(places))
    assert all(box["right"] <= PHONE and box["bottom"] <= page["plot"] for box in page["boxes"])


def test_what_happened_is_told_from_the_latest_on_five_at_once(seen: Any) -> None:  # noqa: ANN401
    assert seen["phone"]["rows"] == [f"deploy {at} of a model" for at in range(5)]


def test_a_file_stays_until_a_slow_browser_has_read_it(seen: Any) -> None:  # noqa: ANN401
    assert seen["file"] == {"isConnected": True, "isThere": True}


def test_without_scripts_charts_over_time_are_pictures(seen: Any) -> None:  # noqa: ANN401
    plain = seen["plain"]
    assert plain["figures"] >= 4
    assert plain["pictures"] == plain["figures"]
    assert plain["boxes"] == plain["hints"] == 0
