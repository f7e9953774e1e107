"""Moments are RFC 3339, as loggers write it, or epoch seconds; nothing else is guessed at."""

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.payload.timestamps import parsed_moment, parsed_time, timestamps
from kullback.timezones import LocalTime

law = settings(deadline=None, derandomize=True, max_examples=250)
NOON = 1_769_860_800.0
READ = {
    "2026-01-31T12:00:00Z": NOON,
    "2026-01-31t12:00:00z": NOON,
    "2026-01-31 12:00:00Z": NOON,
    "2026-01-31T12:00:00-00:00": NOON,
    "2026-01-31T17:30:00+05:30": NOON,
    "2026-01-31T13:00:00+0100": NOON,
    "2026-01-31T13:00:00+01": NOON,
    "2026-01-31T08:30:00-0330": NOON,
    "2026-01-31 13:00:00 +01:00": NOON,
    "2026-01-31 13:00:00,000 +0100": NOON,
    "2026-01-31 12:00:00 UTC": NOON,
    "2026-01-31T12:00:00 Z": NOON,
    "2026-01-31T12:00:00.5Z": NOON + 0.5,
    "2026-01-31T12:00:00,5Z": NOON + 0.5,
    "2026-01-31 12:00:00,123 +0000": NOON + 0.123,
    "2026-01-31T12:00:00.500000999Z": NOON + 0.5,
    "2026-01-31 12:00:00.500000999999999 z": NOON + 0.5,
    "2016-12-31T23:59:60Z": 1_483_228_799.999999,
    "2017-01-01T00:59:60.75+01:00": 1_483_228_799.999999,
    "2017-01-01T00:59:60,75 +0100": 1_483_228_799.999999,
    "1970-01-01T00:00:00Z": 0.0,
}
REFUSED = {
    "": "an RFC 3339 time",
    "now": "in words",
    "yesterday at noon": "in words",
    "Sat, 31 Jan 2026 12:00:00 GMT": "in words",
    "31 Jan 2026 12:00:00 +0000": "an RFC 3339 time",
    "1769860800": "epoch seconds are numbers, not strings",
    "1769860800.5": "epoch seconds are numbers, not strings",
    "1.7698608e9": "epoch seconds are numbers, not strings",
    "2026-01-31": "a date without a time of day",
    "01-09-2018": "in either order",
    "29.11.2026": "in either order",
    "11/29/2026 14:27:18": "in either order",
    "2026/01/31 12:00:00Z": "joined by -",
    "2026.01.31T12:00:00Z": "joined by -",
    "2026-1-31T12:00:00Z": "two digits each",
    "2026-01-3T12:00:00Z": "two digits each",
    "2026-01-31T12:00Z": "its seconds are missing",
    "2026-01-31 12:00": "its seconds are missing",
    "20260131T120000Z": "- and : are missing",
    "2026-W05-6T12:00:00Z": "weeks and days of the year",
    "2026-031T12:00:00Z": "weeks and days of the year",
    "2026-01-31T24:00:00Z": "midnight is 00:00:00 of the next day",
    "2026-01-31T02:27:18 PM": "hours are 00 to 23",
    "2026-01-31T12:60:00Z": "no such time or offset",
    "2026-01-31T12:00:61Z": "no such time or offset",
    "2026-02-30T12:00:00Z": "no such time or offset",
    "2026-02-30T12:00:00": "no such time or offset",
    "2026-13-01T12:00:00Z": "no such time or offset",
    "0000-01-01T00:00:00Z": "no such time or offset",
    "2026-01-31T12:00:00+24:00": "no such time or offset",
    "2026-01-31T12:00:00+01:00:30": "RFC 3339",
    "2026-01-31T12:00:00.Z": "digits are missing after its seconds",
    "2026-01-31T12:00:00 CET": "its zone is a name, not an offset",
    "2026-01-31T13:00:00+01:00[Europe/Berlin]": "its zone is a name, not an offset",
    "2026-01-31T12:00:00  Z": "RFC 3339",
    "2026-01-31T12:00:00 ": "blanks around it",
    "2026-01-31T12:00:00Z\n": "blanks around it",
    " 2026-01-31T12:00:00Z": "blanks around it",
    "\u0662026-01-31T12:00:00Z": "RFC 3339",
    "2026-01-31T12:00:00." + "1" * 1000 + "Z": "RFC 3339",
    "2026" * 100_000: "RFC 3339",
}


@law
@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.just(UTC) | st.timezones(),
    ).filter(lambda moment: (moment.utcoffset() or moment.resolution).seconds % 60 == 0),
    st.sampled_from(["%z", "%:z", " %z", " %:z"]),
    st.sampled_from("T t"),
    st.sampled_from(".,"),
)
def test_a_moment_is_what_the_standard_library_says(
    moment: datetime, zone: str, letter: str, point: str
) -> None:
    offset = moment.strftime("%z")
    offset = f"{offset[:3]}:{offset[3:]}" if ":" in zone else offset
    blank = " " * (" " in zone)
    fraction = f"{moment.microsecond:06}"
    day, hour = moment.date().isoformat(), moment.time().isoformat("seconds")
    text = f"{day}{letter}{hour}{point}{fraction}{blank}{offset}"
    assert timestamps("t", [text]).seconds.tolist() == [moment.timestamp()]


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_every_spelling_of_rfc_3339_is_read(text: str, expected: float) -> None:
    found = timestamps("t", [text])
    assert (found.seconds.tolist(), found.naive) == ([expected], None)
    assert parsed_time("from", text) == expected


@pytest.mark.parametrize(("text", "why"), REFUSED.items(), ids=range(len(REFUSED)))
def test_any_other_text_is_refused_by_its_row_and_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        timestamps("t", ["2026-01-31T12:00:00Z", text])
    (offence,) = refused.value.offences
    assert offence.pointer == "/t/1"
    assert offence.detail.endswith(
        "an RFC 3339 time with Z or an offset is expected, such as 2026-01-31T12:00:00Z"
    )


def test_all_rows_that_cannot_be_read_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        timestamps("t", ["now", "2026-01-31T12:00:00Z", *["2026-01-31"] * 30])
    assert refused.value.total == 31
    assert [each.pointer for each in refused.value.offences][:3] == ["/t/0", "/t/2", "/t/3"]


def test_times_without_a_zone_are_marked_row_by_row() -> None:
    texts = ["2026-01-31T12:00:00", "2026-01-31 12:00:00,5", "2026-01-31T12:00:00Z"]
    found = timestamps("t", texts)
    assert found.seconds.tolist() == [NOON, NOON + 0.5, NOON]
    assert found.naive is not None
    assert found.naive.tolist() == [True, True, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_ticks_without_a_zone_are_seconds_all_marked(unit: str) -> None:
    ticks: Any = np.array(["2026-01-31T12:00:00.5", "1970-01-01"], f"datetime64[{unit}]")
    found = timestamps("t", ticks)
    assert found.seconds.tolist() == [NOON + 0.5 * (unit != "s"), 0.0]
    assert found.naive is not None
    assert found.naive.all()


@pytest.mark.parametrize("value", [-1e-9, 253_402_300_800.0, 1e300, np.inf, -np.inf, np.nan])
def test_numbers_outside_of_four_digit_years_are_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="1970 to 9999") as refused:
        timestamps("t", np.array([0.0, value]))
    assert refused.value.offences[0].pointer == "/t/1"


def test_strings_that_leave_those_years_by_their_offset_are_refused() -> None:
    for text in ("1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"):
        with pytest.raises(InvalidInput, match="1970 to 9999"):
            timestamps("t", [text])


@pytest.mark.parametrize("text", ["1769860800", "1769860800.0", "2026-01-31T12:00:00Z"])
def test_a_parameter_of_a_query_is_either(text: str) -> None:
    assert parsed_moment("from", text) == NOON


def test_a_parameter_without_a_zone_is_local_or_refused() -> None:
    assert parsed_time("from", "2026-01-31 12:00:00") == LocalTime(NOON)
    with pytest.raises(InvalidInput, match="without a time zone") as refused:
        parsed_moment("from", "2026-01-31 12:00:00")
    assert refused.value.offences[0].pointer == "/from"


@pytest.mark.parametrize("text", ["", "now", "2026-01-31", "nan", "-1", "1e300", "inf", "true"])
def test_other_parameters_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parsed_moment("from", text)
    assert refused.value.offences[0].pointer == "/from"


def test_half_a_million_strings_take_less_than_two_seconds() -> None:
    times = [f"2026-01-31T12:{i % 60:02}:00.123Z" for i in range(500_000)]
    begun = time.process_time()
    assert len(timestamps("t", times)) == len(times)
    assert time.process_time() - begun < 2
