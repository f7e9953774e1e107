"""Exact sums per bin, as digits of 40 bits in planes."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.exact import DIGIT, ROWS, UNIT, shifted

MASK = (1 << DIGIT) - 1
INDEX = np.dtype("<u2")
_PARTS = 1 << 13  # digits below 2⁴⁰ of so many sum to less than 2⁵³


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
        for start in range(0, values.size, ROWS):
            at = index[start : start + ROWS]
            for grid, part in split(values[start : start + ROWS]):
                step = grid // DIGIT
                digits = np.bincount(at, shifted(part, -DIGIT * step), size)
                sums[step] += digits.astype(np.int64)
        return _canonical(dict(sums))

    @classmethod
    def total(cls, parts: Sequence["BinSums"], size: int) -> "BinSums":
        """The sum of them all, bin by bin."""
        if len(parts) <= 1:
            return parts[0] if parts else cls()
        gathered = GatheredSums()
        for part in parts:
            gathered.add(part)
        return gathered.total(size)

    def difference(self, part: "BinSums", size: int) -> "BinSums":
        """The sum without a part of it, bin by bin.

        Raises:
            ArithmeticError: a bin has less than the part has of it.
        """
        if not part.planes:
            return self
        sums = GatheredSums().add(self).digits(size)
        for step, digits in GatheredSums().add(part).digits(size).items():
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


class GatheredSums:
    """Planes of many sums, put side by side until they are added up at once."""

    def __init__(self) -> None:
        self._alike: dict[tuple[int, int], tuple[list[bytes], list[bytes]]] = {}

    def add(self, sums: BinSums) -> Self:
        """Add sums."""
        for plane in sums.planes:
            self._add(plane.step, plane.width, sums.bins, plane.digits)
        return self

    def read(self, content: bytes, at: int) -> int:
        """Add the sums whose bytes, as `encoded` makes them, begin at a place; that behind them."""
        size, count = content[at] | content[at + 1] << 8, content[at + 2]
        start, at = at + 3, at + 3 + size * INDEX.itemsize
        bins = content[start:at]
        for _ in range(count):
            width = content[at + 1]
            end = at + 2 + size * width
            self._add(content[at] - 128, width, bins, content[at + 2 : end])
            at = end
        return at

    def digits(self, size: int) -> dict[int, Indices]:
        """The digits of all, added up, by step, before carrying."""
        sums: dict[int, Indices] = {}
        for (step, width), (bins, digits) in self._alike.items():
            for start in range(0, len(bins), _PARTS):
                some = slice(start, start + _PARTS)
                index = np.frombuffer(b"".join(bins[some]), INDEX)
                more = np.bincount(index, numbers_of(b"".join(digits[some]), width), size)
                whole = more.astype(np.int64)
                sums[step] = sums[step] + whole if step in sums else whole
        return sums

    def total(self, size: int) -> BinSums:
        """The sum of all, bin by bin."""
        return _canonical(self.digits(size))

    def _add(self, step: int, width: int, bins: bytes, digits: bytes) -> None:
        alike = self._alike.get((step, width))
        if alike is None:
            self._alike[step, width] = [bins], [digits]
        else:
            alike[0].append(bins)
            alike[1].append(digits)


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
