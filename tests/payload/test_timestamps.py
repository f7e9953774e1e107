"""Moments are RFC 3339 with an offset, or epoch seconds; nothing else is guessed at."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.payload.timestamps import parsed_moment, seconds

law = settings(deadline=None, derandomize=True, max_examples=250)
NOON = 1_769_860_800.0


@law
@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.just(UTC) | st.timezones(),
    ).filter(lambda moment: (moment.utcoffset() or moment.resolution).seconds % 60 == 0)
)
def test_a_moment_is_what_the_standard_library_says(moment: datetime) -> None:
    assert seconds("t", [moment.isoformat()]).tolist() == [moment.timestamp()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31 12:00:00Z", NOON),
        ("2026-01-31T12:00:00-00:00", NOON),
        ("2026-01-31T17:30:00+05:30", NOON),
        ("2026-01-31T12:00:00.5Z", NOON + 0.5),
        ("2026-01-31T12:00:00.500000999Z", NOON + 0.5),
        ("2016-12-31T23:59:60Z", 1_483_228_799.999999),
        ("2017-01-01T00:59:60.75+01:00", 1_483_228_799.999999),
        ("1970-01-01T00:00:00Z", 0.0),
    ],
)
def test_every_spelling_of_rfc_3339_is_read(text: str, expected: float) -> None:
    assert seconds("t", [text]).tolist() == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1769860800",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:00:30",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00Z\n",
        "\u0662026-01-31T12:00:00Z",
        "2026-01-31T12:00:00." + "1" * 1000 + "Z",
    ],
)
def test_any_other_text_is_refused_by_its_row(text: str) -> None:
    with pytest.raises(InvalidInput, match="RFC 3339") as refused:
        seconds("t", ["2026-01-31T12:00:00Z", text])
    assert refused.value.offences[0].pointer == "/t/1"


@pytest.mark.parametrize("value", [-1e-9, 253_402_300_800.0, 1e300, np.inf, -np.inf, np.nan])
def test_numbers_outside_of_four_digit_years_are_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="1970 to 9999") as refused:
        seconds("t", np.array([0.0, value]))
    assert refused.value.offences[0].pointer == "/t/1"


def test_strings_that_leave_those_years_by_their_offset_are_refused() -> None:
    for text in ("1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"):
        with pytest.raises(InvalidInput, match="1970 to 9999"):
            seconds("t", [text])


@pytest.mark.parametrize("text", ["1769860800", "1769860800.0", "2026-01-31T12:00:00Z"])
def test_a_parameter_of_a_query_is_either(text: str) -> None:
    assert parsed_moment("from", text) == NOON


@pytest.mark.parametrize("text", ["", "now", "2026-01-31", "nan", "-1", "1e300", "inf", "true"])
def test_other_parameters_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parsed_moment("from", text)
    assert refused.value.offences[0].pointer == "/from"


def test_half_a_million_strings_take_less_than_two_seconds() -> None:
    times = [f"2026-01-31T12:{i % 60:02}:00.123Z" for i in range(500_000)]
    begun = time.process_time()
    assert seconds("t", times).size == len(times)
    assert time.process_time() - begun < 2
