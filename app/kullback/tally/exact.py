"""Exact sums: the same bits whatever the order or the grouping.

A double is a whole number of units of 2⁻¹⁰⁷⁴. Sums are kept as such whole numbers: one Python
integer for a single sum, digits of 40 bits in planes for a sum per bin. Adding is then exact,
hence associative and commutative, which no sum of doubles is (ADR-0007).

What is summed is at least 0 and below 10²⁵⁰: who calls has made sure of it.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kullback.numerics.types import Array, Indices

UNIT = 1074
DIGIT = 40
ONES = "1"
_HALF = DIGIT // 2
_ROWS = 1 << 13  # 2¹³ rows of 40 bits sum to at most 2⁵³, which a double holds exactly
_PARTS = 1 << 13
_EXPECTED = 6  # parts of 20 bits that numbers of one kind have, and one more row
MASK = (1 << DIGIT) - 1
INDEX = np.dtype("<u2")


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
    rooms = {name: np.empty((_EXPECTED, min(_ROWS, size))) for name in columns}
    for start in range(0, size, _ROWS):
        rows = slice(start, start + _ROWS)
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


def split(rest: Array) -> Iterator[tuple[int, Array]]:
    """Cut numbers ≥ 0 into multiples of 2^grid of at most 40 bits, until nothing is left.

    Adding and taking away 1.5·2^(52+grid) rounds to a multiple of 2^grid, without error. Every
    grid is a multiple of 40, or the smallest there is.
    """
    top = math.frexp(rest.max())[1]
    while top > -UNIT:
        grid = max(-(-(top - DIGIT) // DIGIT) * DIGIT, -UNIT)
        magic = 1.5 * 2.0 ** (52 + grid)
        part = rest + magic
        part -= magic
        yield grid, part
        rest = rest - part
        top = grid if rest.any() else -UNIT


class Plane(NamedTuple):
    """One digit of every bin: its place 2^(40·step), and its bytes, `width` of them a bin."""

    step: int
    width: int
    digits: bytes


@dataclass(frozen=True, slots=True)
class BinSums:
    """An exact sum ≥ 0 for each bin that has one; equal sums are equal objects.

    `bins` are the indices of bins with a sum above 0, rising, two bytes each.
    """

    bins: bytes = b""
    planes: tuple[Plane, ...] = ()

    @classmethod
    def count(cls, index: Indices, size: int) -> "BinSums":
        """How many rows each of `size` bins has."""
        return _canonical({0: np.bincount(index, minlength=size)})

    @classmethod
    def of(cls, index: Indices, values: Array, size: int) -> "BinSums":
        """Σ values ≥ 0 of the rows of each of `size` bins."""
        sums: dict[int, Indices] = defaultdict(lambda: np.zeros(size, dtype=np.int64))
        for start in range(0, values.size, _ROWS):
            at = index[start : start + _ROWS]
            for grid, part in split(values[start : start + _ROWS]):
                step = grid // DIGIT
                digits = np.bincount(at, shifted(part, -DIGIT * step), size)
                sums[step] += digits.astype(np.int64)
        return _canonical(dict(sums))

    @classmethod
    def total(cls, parts: Sequence["BinSums"], size: int) -> "BinSums":
        """The sum of them all, bin by bin."""
        if len(parts) <= 1:
            return parts[0] if parts else cls()
        sums: dict[int, Indices] = {}
        for start in range(0, len(parts), _PARTS):
            for step, digits in _added(parts[start : start + _PARTS], size):
                sums[step] = sums[step] + digits if step in sums else digits
        return _canonical(sums)

    def difference(self, part: "BinSums", size: int) -> "BinSums":
        """The sum without a part of it, bin by bin.

        Raises:
            ArithmeticError: a bin has less than the part has of it.
        """
        if not part.planes:
            return self
        sums = dict(_added([self], size))
        for step, digits in _added([part], size):
            sums[step] = sums[step] - digits if step in sums else -digits
        return _canonical(sums)

    def indices(self) -> Indices:
        """The bins that have a sum."""
        return np.frombuffer(self.bins, INDEX).astype(np.int64)

    def reals(self, size: int) -> Array:
        """The sum of each of `size` bins as a double, (size,)."""
        dense = np.zeros(size)
        sums = np.zeros(len(self.bins) // INDEX.itemsize)
        for plane in self.planes:
            digits = numbers_of(plane.digits, plane.width).astype(np.float64)
            sums += shifted(digits, DIGIT * plane.step)
        dense[self.indices()] = sums
        return dense

    def whole(self) -> int:
        """The sum over all bins, in units of 2⁻¹⁰⁷⁴."""
        total = 0
        for plane in self.planes:
            digits: list[int] = numbers_of(plane.digits, plane.width).tolist()
            total += sum(digits) << (DIGIT * plane.step + UNIT + DIGIT)
        return total >> DIGIT  # the lowest digit reaches below the unit

    def encoded(self) -> bytes:
        """The bytes from which `decoded` makes it again."""
        size = len(self.bins) // INDEX.itemsize
        head = [size.to_bytes(2, "little"), bytes([len(self.planes)]), self.bins]
        for plane in self.planes:
            head += [bytes([plane.step + 128, plane.width]), plane.digits]
        return b"".join(head)


def shifted(values: Array, power: int) -> Array:
    """Values × 2^power, where no result is beyond a double; ldexp is three times slower."""
    if abs(power) <= 1000:
        return values * 2.0**power
    half = power // 2  # 2^power may be beyond a double itself
    shifted: Array = values * 2.0**half * 2.0 ** (power - half)
    return shifted


def decoded(content: bytes, at: int) -> tuple[BinSums, int]:
    """The sums whose bytes begin at a place, and the place behind them."""
    size, count = content[at] | content[at + 1] << 8, content[at + 2]
    end = at + 3 + size * INDEX.itemsize
    bins, at = content[at + 3 : end], end
    planes: list[Plane] = []
    for _ in range(count):
        step, width = content[at] - 128, content[at + 1]
        end = at + 2 + size * width
        planes.append(Plane(step, width, content[at + 2 : end]))
        at = end
    return BinSums(bins, tuple(planes)), at


def _added(parts: Iterable[BinSums], size: int) -> Iterator[tuple[int, Indices]]:
    """The digits of many sums added up, step by step, before carrying."""
    alike: dict[tuple[int, int], tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    for part in parts:
        for plane in part.planes:
            bins, digits = alike[plane.step, plane.width]
            bins.append(part.bins)
            digits.append(plane.digits)
    for (step, width), (bins, digits) in alike.items():
        index = np.frombuffer(b"".join(bins), INDEX)
        sums = np.bincount(index, numbers_of(b"".join(digits), width), size)
        yield step, sums.astype(np.int64)


def _canonical(sums: dict[int, Indices]) -> BinSums:
    """Digits below 2⁴⁰, no plane and no bin of nothing but zeros: one form for one value.

    Raises:
        ArithmeticError: a sum is below 0.
    """
    if not sums:
        return BinSums()
    bins = np.flatnonzero(np.bitwise_or.reduce(list(sums.values())))
    step, last = min(sums), max(sums)
    carry = np.zeros_like(bins)
    planes = []
    while step <= last or carry.any():
        digits = carry + sums[step][bins] if step in sums else carry
        kept, carry = digits & MASK, digits >> DIGIT
        if kept.any():
            planes.append(_plane(step, kept))
        if step >= last and (carry < 0).any():
            raise ArithmeticError("a sum is below 0")
        step += 1
    return BinSums(bins.astype(INDEX).tobytes(), tuple(planes))


def _plane(step: int, digits: Indices) -> Plane:
    width = (int(digits.max()).bit_length() + 7) // 8
    whole = digits.astype("<i8").view(np.uint8).reshape(-1, 8)
    return Plane(step, width, whole[:, :width].tobytes())


def numbers_of(raw: bytes, width: int) -> Indices:
    """Numbers of `width` bytes each: eight bytes are read of each, and those behind it dropped."""
    padded = raw + bytes(8 - width)
    wide = np.ndarray((len(raw) // width,), "<i8", padded, strides=(width,))
    digits: Indices = wide & np.int64((1 << 8 * width) - 1)
    return digits
