"""Digits: numbers to those that their standard error has, and p-values that people read."""

import math

import pytest

from kullback.numerics.digits import chance, decimals, magnitude, number, p_value


@pytest.mark.parametrize(
    ("value", "standard_error", "text"),
    [
        (-0.000744, 0.00031, "-0.00074"),
        (0.0123, 0.0031, "+0.0123"),
        (1234.5, 250.0, "+1,234"),
        (0.0, 0.01, "0.000"),
        (1.25e-11, 3e-12, "+1.25e-11"),
        (-0.00001, 0.01, "+0.000"),
        (0.123456, None, "+0.1235"),
        (0.123456, 0.0, "+0.1235"),
        (0.123456, float("inf"), "+0.1235"),
        (0.6931471805599453, 4.6e-17, "+0.6931"),
        (0.0, 2.9e-18, "0"),
        (4.2e67, None, "+4.200e+67"),
        (None, None, "—"),
    ],
)
def test_a_number_has_the_digits_of_its_standard_error(
    value: float | None, standard_error: float | None, text: str
) -> None:
    assert number(value, decimals(standard_error), signed=True) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "< 0.001"),
        (1.4e-261, "< 0.001"),
        (0.00099999, "< 0.001"),
        (0.001, "= 0.001"),
        (0.0344005, "= 0.034"),
        (0.999, "= 1"),
        (None, "—"),
    ],
)
def test_a_p_value_has_two_digits_or_is_small(p: float | None, text: str) -> None:
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("value", "log_value", "words"),
    [
        (None, None, "—"),
        (0.0, None, "0"),
        (1.7976931348623157e308, None, "> 10³⁰⁸"),
        (3.4377, math.log(3.4377), "3.44"),
        (4021.0, math.log(4021.0), "4,021"),
        (2.5e-7, math.log(2.5e-7), "2.5 × 10⁻⁷"),
        (9.96e5, math.log(9.96e5), "1.0 × 10⁶"),
        (1.7976931348623157e308, 1000 * math.log(10), "1.0 × 10¹⁰⁰⁰"),
    ],
)
def test_a_number_is_told_however_large(
    value: float | None, log_value: float | None, words: str
) -> None:
    assert magnitude(value, log_value) == words


@pytest.mark.parametrize(
    ("p", "words"),
    [(None, "—"), (1.0, "1"), (0.034, "0.034"), (3.28e-10, "3.3 × 10⁻¹⁰"), (0.0, "< 10⁻³⁰⁸")],
)
def test_a_probability_is_told_however_small(p: float | None, words: str) -> None:
    assert chance(p) == words
