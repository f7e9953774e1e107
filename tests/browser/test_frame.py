"""What stands around pages in a real browser: times, their picker, the API's viewer, problems."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser.conftest import address_of
from tests.browser.looking import frame

AHEAD = timedelta(hours=5, minutes=30)  # in India, where the browser says it is
WORDS = r"just now|(in )?\d+ (minute|hour|day|month|year)s?( ago)?"


@pytest.fixture(scope="module")
def seen(client: httpx.Client) -> Any:  # noqa: ANN401 - what a test looks at is told there
    return frame(address_of(client))


def said(moment: str, ahead: timedelta, zone: str) -> str:
    shown = datetime.fromisoformat(moment).astimezone(UTC) + ahead
    return f"{shown:%Y-%m-%d %H:%M} {zone}"


@pytest.mark.parametrize(
    ("name", "ahead", "zone"),
    [("utc", timedelta(), "UTC"), ("plain", timedelta(), "UTC"), ("local", AHEAD, "+05:30")],
)
def test_times_are_in_words_and_dates_in_the_zone_of_the_address(
    seen: Any,  # noqa: ANN401
    name: str,
    ahead: timedelta,
    zone: str,
) -> None:
    times = seen["zones"][name]
    assert any(title for _, title, _ in times)
    assert any(not title for _, title, _ in times)
    for moment, title, text in times:
        date = said(moment, ahead, zone)
        assert (title or text) == date
        assert not title or re.fullmatch(WORDS, text), text


def test_links_keep_the_zone_that_was_chosen(seen: Any) -> None:  # noqa: ANN401
    query = parse_qs(urlsplit(seen["zones"]["kept"]).query)
    assert query == {"range": ["6h"], "tz": ["local"]}


def test_fields_of_times_show_the_zone_and_addresses_stay_in_utc(
    seen: Any,  # noqa: ANN401
) -> None:
    field = seen["chosen"]
    utc, local = (datetime.fromisoformat(field[name] + "Z") for name in ("utc", "local"))
    assert local - utc == AHEAD
    assert "local time" in field["label"]
    assert parse_qs(urlsplit(field["url"]).query)["from"] == [field["utc"]]


def test_files_are_answered_in_local_time_too(seen: Any) -> None:  # noqa: ANN401
    statuses = [status for _, status in seen["zones"]["files"]]
    assert len(statuses) >= 4
    assert set(statuses) == {200}, seen["zones"]["files"]


def test_a_click_leads_back_to_utc(seen: Any) -> None:  # noqa: ANN401
    back = seen["zones"]["back"]
    assert parse_qs(urlsplit(back["url"]).query) == {"range": ["6h"]}
    assert all((title or text).endswith("UTC") for _, title, text in back["times"])


def test_the_picker_of_times_stays_in_sight(seen: Any) -> None:  # noqa: ANN401
    assert seen["sticky"]["scrolled"] > 500
    assert seen["sticky"]["top"] == 0


def test_the_viewer_of_the_api_follows_the_theme_in_our_frame(seen: Any) -> None:  # noqa: ANN401
    light, dark = seen["viewer"]["light"], seen["viewer"]["dark"]
    assert seen["viewer"]["here"] == "API docs"
    assert light["title"] < 128 < light["paper"]
    assert dark["around"] == dark["paper"] < 128 < dark["title"]
    assert light["wraps"] == "normal", "words are not broken where a column is narrow"


def test_problems_are_pages_that_everybody_can_use_and_that_lead_on(
    seen: Any,  # noqa: ANN401
) -> None:
    problems = seen["problems"]
    faults = {path: ids for path, ids in problems.items() if not path.endswith(" links")}
    assert set(map(tuple, faults.values())) == {()}
    assert "/monitors/clicks" in problems["/monitors/clikcs links"]
    assert "/problems/invalid-input" in problems["/problems/invalid links"]
    assert "/" in problems["/no-such links"]
