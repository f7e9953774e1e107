"""Numbers in refusals: they never contradict the refusal."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kullback.numerics.numerals import numeral

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.00000005, "1.00000005"),
        (0.9999999999, "0.9999999999"),
        (1.6, "1.6"),
        (2.0, "2"),
        (-1e-300, "-1e-300"),
        (0.1 + 0.2, "0.3"),
        (123456789.0, "123456789"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_as_many_digits_as_it_takes(value: float, text: str) -> None:
    assert numeral(value) == text


def test_a_sum_just_beyond_its_tolerance_is_shown_beyond_it() -> None:
    assert numeral(1.0000010444, 1 + 1e-6) == "1.000001044"
    assert numeral(1.0000010444) == "1.000001"


@given(finite, st.lists(finite, max_size=3))
@example(1.7976931345e308, [1.7976931345e308])  # rounded up it would be infinite
def test_what_is_shown_lies_where_the_number_lies(value: float, limits: list[float]) -> None:
    seen = float(numeral(value, *limits))
    assert [seen < each for each in limits] == [value < each for each in limits]
    assert [seen > each for each in limits] == [value > each for each in limits]
    assert all(abs(seen - value) <= abs(value - each) / 99 for each in limits)
    assert not seen.is_integer() or seen == value
