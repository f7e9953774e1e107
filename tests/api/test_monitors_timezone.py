"""A monitor with a time zone has its days: of 23, 24 and 25 hours, as pandas groups them."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tests.monitoring.service import MONITOR, NOON, Document, Service, refused

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
SUMMER = datetime(2026, 3, 29, tzinfo=UTC).timestamp()  # clocks are put forward in Berlin
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def fill(service: Service, times: list[float]) -> None:
    n = len(times)
    rows: Document = {"y_true": [at % 2 for at in range(n)], "y_proba": [0.5] * n}
    await service.post("observations", **rows, timestamp=times)


def days_of(times: list[float], zone: str) -> dict[str, int]:
    """How many rows lie in each day of a zone, by its start in UTC: what pandas says."""
    local = pd.to_datetime(pd.Series(times), unit="s", utc=True).dt.tz_convert(zone)
    starts = local.dt.tz_localize(None).dt.normalize().dt.tz_localize(zone).dt.tz_convert("UTC")
    counts = starts.value_counts().sort_index()
    return {start.strftime("%Y-%m-%dT%H:%M:%SZ"): int(n) for start, n in counts.items()}


@pytest.mark.parametrize("zone", ZONES)
async def test_a_year_of_hours_falls_into_the_days_that_pandas_makes(
    service: Service, zone: str
) -> None:
    service.clock.now = NOON + 365 * DAY
    await service.put(timezone=zone, retention_days=400)
    times = [NOON + HOUR * at + 1800 * (at % 2) for at in range(365 * 24 - 13)]
    await fill(service, times)
    asked: Document = {"from": NOON - DAY, "to": NOON + 366 * DAY}
    for step in ("86400", "day", "1d", "24h", "1440min", "86400s"):
        series = await service.points(step=step, **asked)
        assert {point["from"]: point["n"] for point in series} == days_of(times, zone)
        assert all(a["to"] == b["from"] for a, b in pairwise(series))
        service.tidy()
    hours = {moment(point["to"]) - moment(point["from"]) for point in series}
    changes = {"Asia/Kolkata": set(), "UTC": set(), "Australia/Lord_Howe": {23.5, 24.5}}
    assert hours == {each * HOUR for each in changes.get(zone, {23, 25}) | {24}}
    weeks = await service.points(step="week", **asked)
    assert sum(point["n"] for point in weeks) == len(times)
    for point in weeks:
        start = pd.Timestamp(point["from"]).tz_convert(zone)
        assert (start.hour, start.minute, start.day_of_week) == (0, 0, 0)


async def test_a_day_that_is_half_over_grows_with_what_comes(service: Service) -> None:
    await service.put(timezone="Asia/Kathmandu", retention_days=90)
    midnight = moment("2026-03-05T00:00:00+05:45")
    await fill(service, [midnight - 60, midnight, midnight + 60])
    before = await service.points(step="day", last="3d")
    assert [point["n"] for point in before] == [1, 2]
    await fill(service, [midnight - 61, midnight + 61])
    for later in (0, 2 * DAY, 40 * DAY):
        service.clock.now = NOON + later
        service.tidy()
        points = await service.points(step="day", last="60d")
        assert [(moment(point["from"]) - midnight, point["n"]) for point in points] == [
            (-DAY, 2),
            (0, 3),
        ]


async def test_windows_of_a_zone_stay_as_fine_as_its_days_need(service: Service) -> None:
    for zone, width in (("Europe/Berlin", HOUR), ("Asia/Kolkata", 1800), ("Asia/Kathmandu", 900)):
        name = zone.partition("/")[2].lower()
        path = f"/v1/monitors/{name}"
        service.clock.now = NOON
        await service.put(path, timezone=zone, retention_days=90)
        times = [NOON - 60 * at for at in range(300)]
        await service.post(
            "observations", path, y_true=[1] * 300, y_proba=[0.5] * 300, timestamp=times
        )
        service.clock.now = NOON + 80 * DAY
        service.tidy()
        late = [NOON - 60 * at for at in range(300)]
        await service.post(
            "observations", path, y_true=[1] * 300, y_proba=[0.5] * 300, timestamp=late
        )
        record = next(each for each in service.store.records("monitor") if each.name == name)
        parts = service.store.parts(record.id, 0, 1 << 40)
        assert {cell.width for cell, _ in parts} == {width}


async def test_days_of_utc_from_before_stay_and_lie_in_the_day_of_their_middle(
    service: Service,
) -> None:
    await service.put(retention_days=90)
    await fill(service, [NOON - 40 * DAY, NOON - 41 * DAY, NOON - HOUR])
    service.clock.now += DAY
    service.tidy()
    await service.put(timezone="America/New_York")
    service.tidy()
    points = await service.points(step="day", last="60d")
    assert [(point["from"], point["n"]) for point in points] == [
        ("2026-01-23T05:00:00Z", 1),
        ("2026-01-24T05:00:00Z", 1),
        ("2026-03-05T05:00:00Z", 1),
    ]


async def test_windows_of_local_time_are_removed_and_days_of_utc_as_a_whole(
    service: Service,
) -> None:
    await service.put(retention_days=90)
    await fill(service, [NOON - 40 * DAY, NOON - 2 * HOUR, NOON - HOUR])
    service.tidy()
    local: Document = {"from": "2026-03-05 05:00:00", "to": "2026-03-05 05:30:00"}
    answer = await service.client.delete(f"{MONITOR}/windows", params=local)
    assert refused(answer) == ("invalid-input", "/from")
    await service.put(timezone="America/New_York")
    answer = await service.client.delete(f"{MONITOR}/windows", params=local)
    assert (answer.json()["from"], answer.json()["removed"]) == ("2026-03-05T10:00:00Z", 1)
    day: Document = {"from": "2026-01-24 00:00:00", "to": "2026-01-24 23:00:00"}
    answer = await service.client.delete(f"{MONITOR}/windows", params=day)
    assert answer.json() == {
        "from": "2026-01-24T00:00:00Z",
        "to": "2026-01-25T04:00:00Z",
        "removed": 1,
        "labelled": 1,
    }
    assert (await service.report(last="90d"))["n"] == 1


@pytest.mark.parametrize(
    ("zone", "more"),
    [
        ("Mars/Olympus", {}),
        ("europe/berlin", {}),
        ("+01:00", {}),
        ("", {}),
        ("../etc", {}),
        ("x" * 65, {}),
        (1, {}),
        ("Europe/Berlin", {"window_seconds": 2 * HOUR}),
        ("Asia/Kolkata", {"window_seconds": HOUR}),
        ("Asia/Kolkata", {"window_seconds": 1200}),
    ],
)
async def test_other_zones_are_refused(service: Service, zone: object, more: Document) -> None:
    answer = await service.client.put(MONITOR, json={"timezone": zone, **more})
    place = "/window_seconds" if more else "/timezone"
    assert refused(answer) == ("invalid-input", place)


async def test_a_zone_comes_stays_and_goes(service: Service) -> None:
    assert (await service.put())["timezone"] is None
    assert (await service.put(timezone="Europe/Berlin"))["timezone"] == "Europe/Berlin"
    assert (await service.put(retention_days=40))["timezone"] == "Europe/Berlin"
    assert (await service.get())["timezone"] == "Europe/Berlin"
    assert (await service.put(timezone=None))["timezone"] is None


async def test_times_of_a_query_without_an_offset_are_local(service: Service) -> None:
    await service.put()
    await fill(service, [NOON - 5400, NOON - 1800])
    local: Document = {"from": "2026-03-05 12:00:00", "to": "2026-03-05 13:00:00"}
    for what in ("report", "series"):
        answer = await service.client.get(f"{MONITOR}/{what}", params=local)
        assert refused(answer) == ("invalid-input", "/from")
        assert "set the monitor's timezone" in answer.json()["detail"]
    period = await service.client.put(f"{MONITOR}/reference", json=local)
    assert refused(period) == ("invalid-input", "/from")
    await service.put(timezone="Europe/Berlin")
    report = await service.report(**local)
    assert (report["from"], report["n"]) == ("2026-03-05T11:00:00Z", 1)
    assert (await service.put(f"{MONITOR}/reference", **local))["n"] == 1
    backwards = await service.client.put(
        f"{MONITOR}/reference", json={"from": local["to"], "to": local["from"]}
    )
    assert refused(backwards) == ("invalid-input", "/from")


async def test_the_last_hours_and_days_are_a_time(service: Service) -> None:
    await service.put(retention_days=90)
    await fill(service, [NOON - age for age in (60, 2 * HOUR, 2 * DAY, 10 * DAY, 50 * DAY)])
    for last, n in (
        ("30min", 1),
        ("1800", 1),
        ("hour", 1),
        ("24h", 2),
        ("day", 2),
        ("7d", 3),
        ("1w", 3),
        ("30d", 4),
        ("90d", 5),
        ("999999999w", 5),
    ):
        report = await service.report(last=last)
        assert report["n"] == n
        assert sum(point["n"] for point in await service.points(last=last, step=60)) == n
    day = await service.report(last="24h")
    assert day == await service.report()


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"last": "24h", "from": NOON - 60}, "/last"),
        ({"last": "24h", "to": NOON}, "/last"),
        ({"last": "0"}, "/last"),
        ({"last": "-1d"}, "/last"),
        ({"last": "5m"}, "/last"),
        ({"last": "1.5h"}, "/last"),
        ({"last": ""}, "/last"),
        ({"last": "99999999999d"}, "/last"),
    ],
)
async def test_other_lengths_are_refused(service: Service, query: Document, place: str) -> None:
    await service.put()
    for what in ("report", "series"):
        answer = await service.client.get(f"{MONITOR}/{what}", params=query)
        assert refused(answer) == ("invalid-input", place)


async def test_other_steps_are_refused(service: Service) -> None:
    await service.put()
    for step in ("fortnight", "1.5h", "0", "-60", "61", "367d", ""):
        answer = await service.client.get(f"{MONITOR}/series", params={"step": step})
        assert refused(answer) == ("invalid-input", "/step")


async def test_an_experiment_has_no_zone(service: Service) -> None:
    path = "/v1/experiments/ranker"
    await service.put(path, arms=["a", "b"], minimum_effect=0.01)
    rows = {"y_true": [1], "y_proba": [0.5], "arm": ["a"], "unit": ["u"]}
    answer = await service.client.post(
        f"{path}/observations", json=rows | {"timestamp": ["2026-03-05 11:00:00"]}
    )
    assert refused(answer) == ("invalid-input", "/timestamp/0")
    assert "an experiment has no timezone" in answer.json()["detail"]


def test_pandas_days_of_a_year_are_drawn_right() -> None:
    """The oracle itself, by hand."""
    times = [SUMMER - HOUR, SUMMER, SUMMER + 22 * HOUR - 1, SUMMER + 22 * HOUR]
    assert days_of(times, "Europe/Berlin") == {
        "2026-03-28T23:00:00Z": 3,
        "2026-03-29T22:00:00Z": 1,
    }
    assert np.diff([moment(day) for day in days_of(times, "Europe/Berlin")]) == [23 * HOUR]
