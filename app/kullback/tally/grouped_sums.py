"""Exact sums per bin of many groups of rows at once: of each group what BinSums.of has."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kullback.numerics.types import Array, Indices
from kullback.tally.bin_sums import INDEX as BIN
from kullback.tally.bin_sums import MASK, BinSums, Plane, numbers_of, split
from kullback.tally.exact import DIGIT, UNIT, shifted

_DENSE = 4  # cells for each row: of more most have none
Digits = Sequence[tuple[int, Indices]]


@dataclass(frozen=True, slots=True)
class GroupSums:
    """By group its sums, and the total of them in units of 2⁻¹⁰⁷⁴; of no rows there are none."""

    sums: Mapping[int, BinSums]
    totals: Mapping[int, int]

    def of(self, group: int) -> BinSums:
        """The sums of one group."""
        return self.sums.get(group, BinSums())

    def total(self, group: int) -> int:
        """The total of one group."""
        return self.totals.get(group, 0)


class Cells:
    """The cell of each row, a bin of a group: of at most 2²² rows, whose sums 63 bits hold."""

    def __init__(self, group: Indices, groups: int, bins: Indices, size: int) -> None:
        self._size, self._place = size, group * size + bins
        self._numbers: Indices | None = None
        if groups * size > _DENSE * bins.size:
            self._numbers, self._place = np.unique(self._place, return_inverse=True)
        self._cells = groups * size if self._numbers is None else self._numbers.size

    def counts(self) -> GroupSums:
        """How many rows each cell has."""
        counts = np.bincount(self._place, minlength=self._cells)
        return _by_group({0: counts}, self._size, self._numbers)

    def sums(self, digits: Digits) -> GroupSums:
        """Σ of numbers, cut into digits, in each cell."""
        sums: dict[int, Indices] = defaultdict(lambda: np.zeros(self._cells, np.int64))
        for step, part in digits:
            np.add.at(sums[step], self._place, part)
        return _by_group(sums, self._size, self._numbers)


def added(parts: Sequence[tuple[int, BinSums]], groups: int, size: int) -> GroupSums:
    """The sum of what each group has several parts of, with the number of the group of each."""
    alike: dict[tuple[int, int], list[tuple[int, bytes, bytes]]] = defaultdict(list)
    for group, part in parts:
        for step, width, digits in part.planes:
            alike[step, width].append((group, part.bins, digits))
    sums: dict[int, Indices] = {}
    for (step, width), planes in alike.items():
        rows = [len(bins) // BIN.itemsize for _, bins, _ in planes]
        first = np.repeat(np.array([group for group, _, _ in planes]) * size, rows)
        place = first + np.frombuffer(b"".join([bins for _, bins, _ in planes]), BIN)
        numbers = numbers_of(b"".join([digits for _, _, digits in planes]), width)
        _add(sums, step, np.bincount(place, numbers, groups * size).astype(np.int64))
    return _by_group(sums, size)


def _add(sums: dict[int, Indices], step: int, digits: Indices) -> None:
    sums[step] = sums[step] + digits if step in sums else digits


def _by_group(sums: Mapping[int, Indices], size: int, numbers: Indices | None = None) -> GroupSums:
    """Sums of cells, of all cells or of those with these numbers, by group."""
    there = np.flatnonzero(np.bitwise_or.reduce(list(sums.values()))) if sums else np.zeros(0, int)
    if not there.size:
        return GroupSums({}, {})
    number = there if numbers is None else numbers[there]
    group = number // size
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    bins = (number - group * size).astype(BIN)
    digits = [
        _Digit(step, kept, starts)
        for step, kept in _carried({step: digit[there] for step, digit in sums.items()})
    ]
    by_group, totals = dict[int, BinSums](), dict[int, int]()
    for at, (start, stop) in enumerate(pairwise([*starts.tolist(), there.size])):
        rows, name = slice(start, stop), int(group[start])
        planes = tuple(digit.plane(at, rows) for digit in digits if digit.widths[at])
        by_group[name] = BinSums(bins[rows].tobytes(), planes)
        # the lowest digit reaches below the unit
        total = sum(digit.totals[at] << digit.step * DIGIT + UNIT + DIGIT for digit in digits)
        totals[name] = total >> DIGIT
    return GroupSums(by_group, totals)


class _Digit:
    """A digit of each cell, group by group: its bytes, how many the largest takes, and Σ."""

    def __init__(self, step: int, digits: Indices, starts: Indices) -> None:
        self.step = step
        self.widths = [
            (digit.bit_length() + 7) // 8 for digit in np.maximum.reduceat(digits, starts).tolist()
        ]
        self.totals: list[int] = np.add.reduceat(digits, starts).tolist()
        self._bytes = digits.astype("<i8").view(np.uint8).reshape(-1, 8)

    def plane(self, group: int, rows: slice) -> Plane:
        """The digits of a group."""
        width = self.widths[group]
        return Plane(self.step, width, self._bytes[rows, :width].tobytes())


def digits_of(values: Array) -> Digits:
    """Numbers ≥ 0 as digits of 40 bits, with the place of each."""
    steps = [(grid // DIGIT, part) for grid, part in split(values)]
    return [(step, shifted(part, -DIGIT * step).astype(np.int64)) for step, part in steps]


def _carried(sums: Mapping[int, Indices]) -> Iterator[tuple[int, Indices]]:
    """The same sums with digits from 0 to below 2⁴⁰, the lowest first."""
    step, last = min(sums), max(sums)
    carry = np.zeros_like(sums[step])
    while step <= last or carry.any():
        digits = carry + sums[step] if step in sums else carry
        yield step, digits & MASK
        carry, step = digits >> DIGIT, step + 1
