"""Moments are written so that every program reads them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.moments import moment


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (-1.0, "1969-12-31T23:59:59Z"),
        (951_782_400.0, "2000-02-29T00:00:00Z"),
        (951_782_400.25, "2000-02-29T00:00:00.250000Z"),
    ],
)
def test_seconds_are_written_in_utc(seconds: float, written: str) -> None:
    assert moment(seconds) == written


@given(st.integers(-(10**10), 10**11))
def test_what_was_written_is_read_as_the_same_second(seconds: int) -> None:
    assert datetime.fromisoformat(moment(seconds)).timestamp() == seconds
