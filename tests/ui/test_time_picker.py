"""The picker of times leads at once to spans, by short addresses."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from kullback.ui.short_addresses import without_empty
from kullback.ui.time_picker import time_picker
from kullback.ui.times import RANGES, Ground, view
from tests.monitoring.service import Service
from tests.ui.opened import Page

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 30, 13, 50, 20, tzinfo=UTC).timestamp()
GROUND = Ground(60, ("country", "device"), NOW)
HOUR = 3600.0


def opened(address: str) -> tuple[float, float]:
    """The time that an address asks for, which is followed without a word."""
    chosen = view(dict(parse_qsl(address.removeprefix("?"))), GROUND)
    assert chosen.messages == ()
    return chosen.start, chosen.stop


def test_ranges_are_short_addresses_and_the_present_is_marked() -> None:
    picker = time_picker(view({"range": "6h"}, GROUND), GROUND, {"by": "", "tz": "local"})
    assert [each.to for each in picker.ranges] == [f"?range={key}&tz=local" for key in RANGES]
    assert [each.text for each in picker.ranges] == ["1 h", "6 h", "24 h", "7 d", "30 d"]
    assert [each.text for each in picker.ranges if each.is_here] == ["6 h"]


def test_earlier_and_later_are_spans_of_the_same_length_side_by_side() -> None:
    chosen = view({"from": "2026-11-29T10:00", "to": "2026-11-29 12:00Z"}, GROUND)
    picker = time_picker(chosen, GROUND, {"by": "country"})
    assert picker.earlier == "?from=2026-11-29T08:00&to=2026-11-29T10:00&by=country"
    assert opened(picker.earlier) == (chosen.start - 2 * HOUR, chosen.start)
    assert picker.later is not None
    assert opened(picker.later) == (chosen.stop, chosen.stop + 2 * HOUR)
    assert (picker.is_custom, picker.start, picker.kept) == (
        True,
        "2026-11-29T10:00",
        {"by": "country"},
    )


def test_there_is_no_later_than_now_and_no_earlier_than_all_time() -> None:
    assert time_picker(view({}, GROUND), GROUND, {}).later is None
    first = view({"from": "1970-01-01", "to": "1970-01-02"}, GROUND)
    assert time_picker(first, GROUND, {}).earlier is None


def test_there_is_no_earlier_than_what_is_kept() -> None:
    week = replace(GROUND, oldest=NOW - 7 * 24 * HOUR)
    shown, steps = view({"range": "24h"}, week), 0
    while (earlier := time_picker(shown, week, {}).earlier) is not None:
        shown, steps = view(dict(parse_qsl(earlier[1:])), week), steps + 1
        assert steps <= 8, "whoever follows it comes to an end"
    assert shown.start <= week.oldest < shown.stop


def test_a_slice_keeps_the_time_and_a_time_keeps_the_slice() -> None:
    picker = time_picker(view({"range": "7d", "by": "device"}, GROUND), GROUND, {"by": "device"})
    assert [(each.text, each.to, each.is_here) for each in picker.slices] == [
        ("all rows", "?range=7d", False),
        ("country", "?range=7d&by=country", False),
        ("device", "?range=7d&by=device", True),
    ]
    assert {each.to[-9:] for each in picker.ranges} == {"by=device"}


@pytest.mark.parametrize("query", [{}, {"from": "1970-01-01"}])
def test_no_time_ends_when_time_begins(query: dict[str, str]) -> None:
    chosen = view({"to": "1970-01-01T00:00", **query}, GROUND)
    assert chosen.messages == ("“From” must be before “to”. The last 24 hours are shown.",)
    assert chosen.stop - chosen.start == 24 * HOUR
    first = view({"to": "1970-01-01T06:00"}, GROUND)
    assert (first.start, first.stop, first.messages) == (0.0, 6 * HOUR, ())


@pytest.mark.parametrize("text", ["2026-11-29", "2026-11-29T00:00", "2026-11-29 00:00:00Z"])
def test_a_time_is_written_as_iso_dates_are(text: str) -> None:
    chosen = view({"from": text, "to": "2026-11-30"}, GROUND)
    assert (chosen.stop - chosen.start, chosen.messages) == (24 * HOUR, ())


@pytest.mark.parametrize(
    ("path", "query", "leads"),
    [
        ("/monitors/clicks", "range=6h&from=&to=&by=", "./clicks?range=6h"),
        ("/monitors/a:b", "from=", "./a:b"),
        ("/", "q=&state=ok", "./?state=ok"),
        ("/", "q=a%26b+c&tag=", "./?q=a%26b+c"),
        ("/", "q=a=&tag=", "./?q=a="),
        ("/", "q=a=", None),
        ("/", "q=a", None),
        ("/", "q", None),
        ("/", "", None),
        ("/monitors/x", "a=\r\nset-cookie: b&c=", "./x?a=%0D%0Aset-cookie:%20b"),
    ],
)
def test_empty_fields_are_left_out(path: str, query: str, leads: str | None) -> None:
    scope = {"method": "GET", "path": path, "query_string": query.encode()}
    assert without_empty(scope) == leads
    assert without_empty({**scope, "method": "POST"}) is None


async def test_a_form_leads_to_its_short_address(service: Service) -> None:
    await service.put(slices=["country"])
    await service.post("observations", y_true=[1], y_proba=[0.5], slice={"country": ["DE"]})
    answer = await service.client.get("/monitors/clicks?range=6h&from=&to=&by=")
    assert (answer.status_code, answer.headers["location"]) == (302, "./clicks?range=6h")
    page = Page.of(await service.client.get("/monitors/clicks?range=6h"))
    assert page.links["1 h"] == "?range=1h"
    assert page.links["country"].startswith("?range=6h&by=country")
    earlier = Page.of(await service.client.get("/monitors/clicks" + page.links["← Earlier"]))
    assert "No rows came in this time." in earlier.text
    assert "→" in "".join(earlier.links)
