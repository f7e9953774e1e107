"""Exact sums: the same bits whatever the order or the grouping.

A double is a whole number of units of 2⁻¹⁰⁷⁴. Sums are kept as such whole numbers: one Python
integer for a single sum, digits of 40 bits in planes for a sum per bin. Adding is then exact,
hence associative and commutative, which no sum of doubles is (ADR-0007).

What is summed is at least 0 and below 10²⁵⁰: who calls has made sure of it.
"""

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from kullback.numerics.types import Array

UNIT = 1074
DIGIT = 40
ONES = "1"
_HALF = DIGIT // 2
ROWS = 1 << 13  # 2¹³ rows of 40 bits sum to at most 2⁵³, which a double holds exactly
_EXPECTED = 6  # parts of 20 bits that numbers of one kind have, and one more row


def real(units: int) -> float:
    """A whole number of units as the nearest double."""
    return units / (1 << UNIT)


def exact_products(
    columns: Mapping[str, Array], pairs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Σ a·b of pairs of columns ≥ 0, (n,) each, in units of 2⁻²¹⁴⁸; the products are not rounded.

    Columns are known by their names. Of a column whose squares are asked for the pair with ONE
    comes too: Σ a, in the same units.
    """
    totals = dict.fromkeys(pairs, 0)
    totals |= {(ONES, first): 0 for first, second in pairs if first == second}
    size = max(column.size for column in columns.values())
    rooms = {name: np.empty((_EXPECTED, min(ROWS, size))) for name in columns}
    for start in range(0, size, ROWS):
        rows = slice(start, start + ROWS)
        parts = {name: _parts(columns[name][rows], rooms[name]) for name in columns}
        for first, second in pairs:
            ones, product = _product(parts[first], parts[second])
            totals[first, second] += product
            if first == second:
                totals[ONES, first] += ones
    return totals


class _Parts(NamedTuple):
    """Numbers as Σ rowᵢ·2^gridᵢ, rows (1 + k, n) whole and of 20 bits; row 0 is of ones."""

    grids: list[int]
    rows: Array


def _parts(rest: Array, room: Array) -> _Parts:
    grids, rows = [0], room[:, : rest.size]
    rows[0] = 1.0
    top = math.frexp(rest.max())[1]
    while top > _HALF:  # to scale these down would lose the smallest beside them
        rows = _with_room(rows, len(grids))
        whole = np.rint(rest * 2.0 ** (_HALF - top), out=rows[len(grids)])
        rest = rest - whole * 2.0 ** (top - _HALF)
        grids.append(top - _HALF)
        top = math.frexp(np.abs(rest).max())[1]
    rest, grid = shifted(rest, _HALF - top), top - _HALF
    while True:
        rows = _with_room(rows, len(grids))
        rest -= np.rint(rest, out=rows[len(grids)])
        grids.append(grid)
        # what needs a second row hardly ever ends before the fourth: not worth a look
        if len(grids) not in {3, 4} and not rest.any():
            return _Parts(grids, rows[: len(grids)])
        step = _HALF + 1  # at most ½ is left
        if len(grids) >= _EXPECTED:  # it may be far less
            step = _HALF - math.frexp(np.abs(rest).max())[1]
            rest = shifted(rest, step)
        else:
            rest *= 2.0**step
        grid -= step


def _with_room(rows: Array, row: int) -> Array:
    return rows if row < len(rows) else np.concatenate((rows, np.empty_like(rows)))


def _product(first: _Parts, second: _Parts) -> tuple[int, int]:
    """Σ of the second, and Σ of the products: whole numbers below 2⁵³ in any order of adding."""
    # both with row 0 would be a matrix and its own transpose, for which BLAS is slow
    sums: list[list[float]] = (first.rows @ second.rows[1:].T).tolist()
    low, least = first.grids[-1], second.grids[-1]
    ups = [grid - least for grid in second.grids[1:]]
    ones, *products = [
        sum([int(value) << up for value, up in zip(row, ups, strict=True)]) for row in sums
    ]
    total = sum(map(int.__lshift__, products, [grid - low for grid in first.grids[1:]]))
    return _in_units(ones, least), _in_units(total, low + least)


def _in_units(total: int, grid: int) -> int:
    """Multiples of 2^grid as multiples of 2⁻²¹⁴⁸, which they are too where the grid is finer."""
    return total << 2 * UNIT + grid if grid >= -2 * UNIT else total >> -2 * UNIT - grid


def shifted(values: Array, power: int) -> Array:
    """Values × 2^power, where no result is beyond a double; ldexp is three times slower."""
    if abs(power) <= 1000:
        return values * 2.0**power
    half = power // 2  # 2^power may be beyond a double itself
    shifted: Array = values * 2.0**half * 2.0 ** (power - half)
    return shifted
