"""Sums without rounding, beside sums of fractions."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.types import Array, Indices
from kullback.tally.bin_sums import BinSums, GatheredSums
from kullback.tally.exact import ONES, UNIT, exact_products, real
from tests import strategies as draw
from tests.tally.strategies import magnitude

BINS = 7
values = st.integers(0, 12).flatmap(lambda n: draw.columns_of(n, magnitude))
rows = st.integers(0, 12).flatmap(
    lambda n: st.tuples(draw.indices(n, BINS), draw.columns_of(n, magnitude))
)
pairs = st.integers(1, 12).flatmap(
    lambda n: st.tuples(draw.columns_of(n, magnitude), draw.columns_of(n, magnitude))
)


def fractions(numbers: Array) -> list[Fraction]:
    return [Fraction(number) for number in numbers.tolist()]


def units(total: Fraction, power: int = UNIT) -> int:
    """As a whole number of units of 2^-power, which it must be."""
    whole = total * 2**power
    assert whole.denominator == 1
    return int(whole)


def exact_sum(numbers: Array) -> int:
    """The sum of all, as that of one bin."""
    return BinSums.of(np.zeros(numbers.size, dtype=np.int64), numbers, 1).whole()


def many(n: int = 20_000) -> Array:
    """Numbers of every size, of more than one block."""
    rng = np.random.default_rng(3)
    wide = 10.0 ** rng.uniform(-320.0, 250.0, n)
    return np.where(rng.random(n) < 0.01, wide, rng.lognormal(0.0, 4.0, n))


@given(values)
def test_a_sum_is_that_of_fractions(numbers: Array) -> None:
    expected = sum(fractions(numbers), Fraction())
    assert exact_sum(numbers) == units(expected)
    assert real(exact_sum(numbers)) == float(expected)


def test_a_sum_of_many_is_that_of_fractions_in_any_order() -> None:
    numbers = many()
    expected = units(sum(fractions(numbers), Fraction()))
    assert exact_sum(numbers) == expected
    assert exact_sum(np.sort(numbers)) == expected
    assert sum(exact_sum(part) for part in np.array_split(numbers, 7)) == expected


@given(pairs)
def test_products_are_those_of_fractions(columns: tuple[Array, Array]) -> None:
    first, second = columns
    found = exact_products({"a": first, "b": second}, [("a", "a"), ("a", "b")])
    products = zip(fractions(first), fractions(second), strict=True)
    assert found["a", "b"] == units(sum((a * b for a, b in products), Fraction()), 2 * UNIT)
    squares = (a * a for a in fractions(first))
    assert found["a", "a"] == units(sum(squares, Fraction()), 2 * UNIT)
    assert found[ONES, "a"] == units(sum(fractions(first), Fraction()), 2 * UNIT)


def test_products_of_many_are_those_of_fractions() -> None:
    first, second = many(), many()[::-1]
    found = exact_products({"a": first, "b": second}, [("a", "b"), ("b", "b")])
    products = zip(fractions(first), fractions(second), strict=True)
    assert found["a", "b"] == units(sum((a * b for a, b in products), Fraction()), 2 * UNIT)
    squares = (b * b for b in fractions(second))
    assert found["b", "b"] == units(sum(squares, Fraction()), 2 * UNIT)
    assert found[ONES, "b"] == units(sum(fractions(second), Fraction()), 2 * UNIT)


@pytest.mark.parametrize("value", [2.0**20, 1.0, 1 - 2.0**-53, 2.0**-1074, 2.0**800])
def test_full_blocks_of_what_fills_its_digits_are_summed(value: float) -> None:
    numbers = np.full(2**14, value)
    found = exact_products({"a": numbers}, [("a", "a")])
    assert exact_sum(numbers) == units(2**14 * Fraction(value))
    assert found["a", "a"] == units(2**14 * Fraction(value) ** 2, 2 * UNIT)


def test_full_blocks_of_parts_as_large_as_they_get_are_summed() -> None:
    # of a part of 20 bits just less than a half is left to the next
    numbers = (2.0**20 - 0.5 - np.random.default_rng(1).random(2**13) / 64) / 2.0**20
    found = exact_products({"a": numbers}, [("a", "a")])
    squares = (number**2 for number in fractions(numbers))
    assert found["a", "a"] == units(sum(squares, Fraction()), 2 * UNIT)


def by_bin(index: Indices, numbers: Array) -> list[float]:
    sums = [Fraction()] * BINS
    for at, number in zip(index.tolist(), fractions(numbers), strict=True):
        sums[at] += number
    return [float(total) for total in sums]


@given(rows)
def test_the_sums_of_bins_are_those_of_fractions(found: tuple[Indices, Array]) -> None:
    index, numbers = found
    sums = BinSums.of(index, numbers, BINS)
    expected = by_bin(index, numbers)
    assert sums.reals(BINS).tolist() == pytest.approx(expected, rel=1e-15, abs=0.0)
    assert sums.indices().tolist() == [at for at, total in enumerate(expected) if total > 0]
    assert sums.whole() == exact_sum(numbers)


def test_many_rows_in_bins_are_summed_in_any_order() -> None:
    numbers = many()
    index = np.random.default_rng(5).integers(0, BINS, numbers.size)
    sums, order = BinSums.of(index, numbers, BINS), np.argsort(numbers)
    assert sums.whole() == exact_sum(numbers)
    assert sums == BinSums.of(index[order], numbers[order], BINS)
    assert sums.reals(BINS).tolist() == pytest.approx(by_bin(index, numbers), rel=1e-15)


@given(st.lists(rows, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_equal_sums_are_equal_objects_and_bytes(
    found: list[tuple[Indices, Array]], random: Random
) -> None:
    index = np.concatenate([index for index, _ in found])
    numbers = np.concatenate([numbers for _, numbers in found])
    whole = BinSums.of(index, numbers, BINS)
    parts = [BinSums.of(*part, BINS) for part in found]
    random.shuffle(parts)
    added = BinSums.total(parts, BINS)
    nested = BinSums.total([parts[0], BinSums.total([*parts[1:], BinSums()], BINS)], BINS)
    assert added == nested == whole
    assert added.encoded() == nested.encoded() == whole.encoded()


def test_a_sum_reached_in_different_digits_has_one_form() -> None:
    one = np.zeros(1, np.int64)
    halves = [BinSums.of(one, np.array([2.0**39]), 1)] * 2
    assert BinSums.total(halves, 1) == BinSums.of(one, np.array([2.0**40]), 1)
    assert BinSums.count(one, 3) == BinSums.of(one, np.ones(1), 3)
    assert BinSums.of(one, np.zeros(1), 1) == BinSums()


@given(rows, rows)
def test_bytes_make_them_again_and_say_where_they_end(
    first: tuple[Indices, Array], second: tuple[Indices, Array]
) -> None:
    sums = [BinSums.of(*part, BINS) for part in (first, second)]
    content = b"head" + sums[0].encoded() + sums[1].encoded()
    again, end = [GatheredSums(), GatheredSums()], 4
    for each in again:
        end = each.read(content, end)
    assert end == len(content)
    assert [each.total(BINS) for each in again] == sums


@given(st.lists(st.integers(0, BINS - 1), max_size=20))
def test_rows_are_counted(index: Sequence[int]) -> None:
    counts = BinSums.count(np.array(index, np.int64), BINS)
    assert counts.reals(BINS).tolist() == [index.count(at) for at in range(BINS)]
    assert counts.whole() == len(index) << UNIT


def test_more_parts_than_one_pass_takes_are_added() -> None:
    part = BinSums.of(np.arange(2), np.array([2.0**40 - 1, 3.0]), 2)
    assert BinSums.total([part] * 9000, 2).reals(2).tolist() == [9000 * (2.0**40 - 1), 27000.0]
