"""Clock times are what the standard library says, and days go from midnight to midnight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.moments import DAY, HOUR
from kullback.timezones import (
    LocalTime,
    Timestamps,
    check_timezone,
    finest_width,
    from_local,
    local_days,
    names,
    offset,
    resolved,
)

ZONES = {  # and the widest windows of which their days are made
    "UTC": 3600,
    "Europe/Berlin": 3600,
    "Europe/London": 3600,
    "America/New_York": 3600,
    "America/Los_Angeles": 3600,
    "America/Santiago": 3600,  # clocks are put forward at midnight
    "America/Havana": 3600,  # and back to it
    "America/St_Johns": 1800,  # once at one minute past midnight
    "Asia/Kolkata": 1800,
    "Asia/Kathmandu": 900,
    "Asia/Tokyo": 3600,
    "Australia/Lord_Howe": 1800,  # by half an hour
    "Pacific/Apia": 3600,  # left out a day
    "Pacific/Chatham": 900,
    "Africa/Monrovia": 3600,  # 44 minutes and 30 seconds, up to 1972
}
WALL = datetime(1970, 1, 1)  # noqa: DTZ001 - a clock on a wall
FIRST, LAST = date(1970, 1, 3).toordinal(), date(2100, 12, 30).toordinal()
zones = st.sampled_from(sorted(ZONES))
clocks = st.datetimes(datetime(1970, 1, 2), datetime(2100, 12, 31))  # noqa: DTZ001
days = st.integers(FIRST, LAST).map(date.fromordinal)


def changes(zone: str, year: int) -> list[datetime]:
    """The hours of a year, in UTC, in which the offset of a zone changes."""
    first, place = datetime(year, 1, 1, tzinfo=UTC), ZoneInfo(zone)
    hours = [first + timedelta(hours=at) for at in range(366 * 24)]
    offsets = [hour.astimezone(place).utcoffset() for hour in hours]
    return [hour for hour, a, b in zip(hours, offsets, offsets[1:], strict=False) if a != b]


def midnight(zone: str, day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


@given(zones, st.lists(clocks, min_size=1, max_size=30))
@example("Africa/Monrovia", [datetime(1972, 1, 7, 0, 44, second) for second in (29, 30, 31)])  # noqa: DTZ001
def test_clock_times_are_what_the_standard_library_says(zone: str, local: list[datetime]) -> None:
    seconds = np.array([(each - WALL) / timedelta(seconds=1) for each in local])
    expected = [each.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp() for each in local]
    assert from_local(zone, seconds).tolist() == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [1971, 1988, 2011, 2026, 2040])
def test_so_are_those_around_each_change(zone: str, year: int) -> None:
    around = [
        (hour + timedelta(minutes=minutes, seconds=second)).astimezone(ZoneInfo(zone))
        for hour in changes(zone, year)
        for minutes in range(-90, 240, 3)
        for second in (0, 59)
    ]
    local = [
        each.replace(tzinfo=None) + gap
        for each in around
        for gap in (timedelta(0), timedelta(hours=1))
    ]
    seconds = np.array([(each - WALL) / timedelta(seconds=1) for each in local])
    expected = [each.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp() for each in local]
    assert from_local(zone, seconds).tolist() == expected


def test_a_skipped_time_and_one_that_is_shown_twice_by_hand() -> None:
    berlin = np.array(
        [datetime(2026, 3, 29, 2, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)]
    )
    seconds = np.array([each.timestamp() for each in berlin])
    found = [
        datetime.fromtimestamp(at, UTC).isoformat() for at in from_local("Europe/Berlin", seconds)
    ]
    assert found == ["2026-03-29T01:30:00+00:00", "2026-10-25T00:30:00+00:00"]


@given(zones, days, st.floats(0, 1, exclude_max=True), st.sampled_from([1, 2, 7, 28]))
def test_days_go_from_midnight_to_midnight(zone: str, day: date, share: float, count: int) -> None:
    start, stop = midnight(zone, day), midnight(zone, day + timedelta(days=1))
    if start == stop:  # a day that was left out
        return
    moment = start + (stop - start) * share
    first = day - timedelta(days=(day - date(1970, 1, 5)).days % count)
    expected = midnight(zone, first), midnight(zone, first + timedelta(days=count))
    assert local_days(zone, min(moment, stop - 1), count) == expected
    if count == 7:
        assert first.weekday() == 0


@given(zones, st.lists(clocks, min_size=2, max_size=10))
def test_days_neither_overlap_nor_leave_a_gap(zone: str, moments: list[datetime]) -> None:
    for each in moments:
        at = (each - WALL) / timedelta(seconds=1)
        start, stop = local_days(zone, at, 1)
        assert start <= at < stop
        assert local_days(zone, stop, 1)[0] == stop
        assert local_days(zone, start - 1, 1)[1] == start


def test_days_have_23_and_25_hours_where_clocks_change() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 1), 24)):
        start, stop = local_days("Europe/Berlin", midnight("Europe/Berlin", day), 1)
        assert stop - start == hours * HOUR


@pytest.mark.parametrize(("zone", "width"), ZONES.items())
def test_days_are_whole_windows(zone: str, width: int) -> None:
    assert finest_width(zone) == width
    first = midnight(zone, date(2016, 1, 1))
    for day in range(0, 3650, 7):
        start, stop = local_days(zone, first + day * DAY, 1)
        assert start % width == stop % width == 0


@given(zones, clocks)
def test_an_offset_is_that_of_the_moment(zone: str, moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    expected = at.astimezone(ZoneInfo(zone)).utcoffset()
    assert timedelta(seconds=offset(zone, at.timestamp())) == expected


def test_only_times_without_a_zone_are_read_in_one() -> None:
    times = Timestamps(np.array([1e9, 1e9]), np.array([False, True]))
    assert times.moments("t", "Asia/Kathmandu", "").tolist() == [1e9, 1e9 - 20_700]
    assert Timestamps(np.array([1e9])).moments("t", None, "").tolist() == [1e9]
    with pytest.raises(InvalidInput, match=r"without a time zone: .*; or not") as refused:
        times.moments("t", None, "; or not")
    assert [each.pointer for each in refused.value.offences] == ["/t/1"]
    assert resolved(LocalTime(1e9), "Asia/Kathmandu", "from") == 1e9 - 20_700
    assert resolved(1e9, None, "from") == 1e9
    with pytest.raises(InvalidInput, match="set the monitor's timezone"):
        resolved(LocalTime(1e9), None, "from")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("+02:00", "Europe/Berlin is one"),
        ("localtime", "IANA"),
        ("Factory", "IANA"),
        ("Europe", "IANA"),
        ("../UTC", "IANA"),
        ("/etc/passwd", "IANA"),
        ("Europe/Berlin\x00", "IANA"),
        ("", "IANA"),
    ],
)
def test_other_names_are_refused(name: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_timezone("timezone", name)
    assert meant in refused.value.message


def test_every_name_of_iana_is_one() -> None:
    for name in sorted(names())[::40]:
        check_timezone("timezone", name)
        ZoneInfo(name)
    assert {"UTC", "Europe/Berlin", "Asia/Calcutta"} <= names()
