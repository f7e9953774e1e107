"""The Tally: the bundle of sums that monitors and experiments keep."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args
from zlib import crc32

import numpy as np

from kullback.errors import DamagedTally, TallyMismatch
from kullback.scoring.conventions import ConventionName
from kullback.tally.bin_sums import BinSums, GatheredSums, Plane
from kullback.tally.bins import BINS, RANK_BINS
from kullback.tally.exact import DIGIT, UNIT
from kullback.tally.sum_names import (
    ABSENT,
    CLASS_SQUARES,
    CLASSES,
    COUNTS,
    HISTOGRAM,
    LABELS,
    MEASURES,
    MOMENTS,
    MOST_MEASURES,
    MOST_UNIT_CLASSES,
    RANKS,
    SCALARS,
    SQUARES,
    UNITS,
    VECTORS,
)
from kullback.tally.units import BUCKETS, GROUPS

Task = Literal["binary", "multiclass", "multilabel"]

_VERSION = 2
_UNCHECKED = 1  # the version before, which had no checksum
_CLUSTERED = 0x80
_TASKS: tuple[str, ...] = get_args(Task)
_CONVENTIONS: tuple[str, ...] = get_args(ConventionName)
_HEAD = 5
_CHECKSUM = 4
_BYTES = DIGIT // 8
_ONES = -(-2 * UNIT // DIGIT)  # the plane where 1 is
_UPS = tuple(
    DIGIT * _ONES if name in COUNTS else UNIT if name in MOMENTS else 0 for name in SCALARS
)


@dataclass(frozen=True)
class Layout:
    """What a tally is of: only tallies of one layout add up.

    Rows of a `clustered` tally all come with units. It has no second moments of losses and
    predictions, as errors are those of units; for that of AUC it has RANKS.
    """

    task: Task
    classes: int
    convention: ConventionName
    clustered: bool = False

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many bins each of VECTORS has."""
        histogram, units = [BINS] * len(HISTOGRAM), [BUCKETS] * len(UNITS)
        ranks = [GROUPS * RANK_BINS] * len(RANKS)
        classes, squares, labels = (
            [self.classes] * len(names) for names in (CLASSES, CLASS_SQUARES, LABELS)
        )
        unit_classes = BUCKETS * min(self.classes, MOST_UNIT_CLASSES)
        measures, absent = [BUCKETS * MOST_MEASURES] * len(MEASURES), [2] * len(ABSENT)
        older = (*histogram, *units, *classes, *ranks, *squares, unit_classes, *labels)
        return (*older, *measures, *absent)

    def encoded(self) -> bytes:
        """Five bytes: version, task, convention, classes."""
        task = _TASKS.index(self.task) | (_CLUSTERED if self.clustered else 0)
        codes = (_VERSION, task, _CONVENTIONS.index(self.convention))
        return bytes(codes) + self.classes.to_bytes(2, "little")

    @classmethod
    def decoded(cls, head: bytes) -> "Layout":
        """See encoded.

        Raises:
            TallyMismatch: the bytes are of a version that is not known here.
        """
        if not head or head[0] not in {_VERSION, _UNCHECKED}:
            raise TallyMismatch(f"a tally of version {head[:1].hex()} is not known here")
        task, convention = _TASK_OF[head[1] & ~_CLUSTERED], _CONVENTION_OF[head[2]]
        clustered = bool(head[1] & _CLUSTERED)
        return cls(task, int.from_bytes(head[3:5], "little"), convention, clustered)


_TASK_OF: dict[int, Task] = dict(enumerate(get_args(Task)))
_CONVENTION_OF: dict[int, ConventionName] = dict(enumerate(get_args(ConventionName)))


@dataclass(frozen=True, slots=True)
class Tally:
    """Exact weighted sums of rows: a commutative monoid under +, whose zero is Tally(layout).

    The sum of the tallies of two batches is the tally of both, bit by bit, in whatever order and
    grouping; equal tallies have equal bytes. Rows that were taken back are subtracted as exactly:
    a + b − b is a, and a − a is zero.

    Attributes:
        layout: what it is of.
        scalars: sums named by SCALARS: COUNTS, MOMENTS in units of 2⁻¹⁰⁷⁴, and SQUARES in units
            of 2⁻²¹⁴⁸, without any rounding of the products.
        vectors: sums per bin named by VECTORS.
    """

    layout: Layout
    scalars: tuple[int, ...] = (0,) * len(SCALARS)
    vectors: tuple[BinSums, ...] = (BinSums(),) * len(VECTORS)

    def __add__(self, other: "Tally") -> "Tally":
        return total([self, other])

    def __sub__(self, other: "Tally") -> "Tally":
        return difference(self, other)

    def scalar(self, name: str) -> int:
        """One of SCALARS, in units of 2⁻¹⁰⁷⁴ if it is not a count."""
        return self.scalars[SCALARS.index(name)] >> (UNIT if name in SQUARES else 0)

    def square(self, name: str) -> int:
        """One of SQUARES, in units of 2⁻²¹⁴⁸."""
        return self.scalars[SCALARS.index(name)]

    def vector(self, name: str) -> BinSums:
        """One of VECTORS."""
        return self.vectors[VECTORS.index(name)]

    def encoded(self) -> bytes:
        """The bytes that `decoded` makes it from."""
        kept = [_packed(self.scalars), *self.vectors]
        there = [number for number, sums in enumerate(kept) if sums.planes]
        head = self.layout.encoded()
        body = bytes([len(there), *there]) + b"".join(kept[number].encoded() for number in there)
        return head + _checksum(head, body) + body

    @classmethod
    def decoded(cls, content: bytes) -> "Tally":
        """See encoded.

        Raises:
            TallyMismatch: the bytes are of a version that is not known here.
            DamagedTally: they are not what they were.
        """
        return decoded_total([content])


def widest(layouts: Sequence[Layout]) -> Layout:
    """The layout of a sum: classes may have been added behind those that there were.

    Raises:
        TallyMismatch: they are not all of one layout, but for the number of classes.
    """
    wide = max(layouts, key=lambda layout: layout.classes)
    for layout in layouts:
        if layout != wide and replace(layout, classes=wide.classes) != wide:
            raise TallyMismatch(f"{layout} does not add to {wide}")
    return wide


def total(tallies: Sequence[Tally]) -> Tally:
    """The sum of one tally or more.

    Raises:
        TallyMismatch: they are not all of one layout, but for the number of classes.
    """
    layout = widest([tally.layout for tally in tallies])
    scalars = zip(*(tally.scalars for tally in tallies), strict=True)
    vectors = zip(*(tally.vectors for tally in tallies), strict=True)
    return Tally(layout, tuple(map(sum, scalars)), tuple(map(BinSums.total, vectors, layout.sizes)))


def difference(whole: Tally, part: Tally) -> Tally:
    """The tally of the rows of `whole` that are not those of `part`, to the bit.

    Raises:
        TallyMismatch: they are not of one layout, but for the number of classes.
        ArithmeticError: `part` is not in `whole`, as far as sums can tell.
    """
    layout = widest([whole.layout, part.layout])
    sums = zip(whole.vectors, part.vectors, layout.sizes, strict=True)
    rest = Tally(
        layout,
        tuple(map(int.__sub__, whole.scalars, part.scalars)),
        tuple(have.difference(gone, size) for have, gone, size in sums),
    )
    if min(rest.scalars) < 0 or not _are_rows(rest):
        raise ArithmeticError("more rows would be taken from a tally than are in it")
    return rest


def _are_rows(tally: Tally) -> bool:
    """Whether sums can be those of rows, as far as metrics rely on it."""
    weight, positive = tally.scalar("w"), tally.scalar("wy")
    squares, of_positive = tally.square("ww"), tally.square("wwy")
    rows = tally.scalar("rows")
    return (
        positive <= weight
        and of_positive <= squares
        and (weight == positive) == (squares == of_positive)
        and (positive > 0) == (of_positive > 0)
        and (weight > 0) == (tally.scalar("weighted_rows") > 0)
        and (rows > 0 or not any(tally.scalars))
    )


def decoded_total(contents: Sequence[bytes]) -> Tally:
    """The sum of one tally or more, from their bytes: faster than to decode each.

    Raises:
        TallyMismatch: they are not all of one layout, but for the number of classes, or of a
            version that is not known here.
        DamagedTally: they are not what they were.
    """
    try:
        return _decoded_total(contents)
    except (ArithmeticError, LookupError, ValueError) as error:  # of those without a checksum
        raise DamagedTally("a stored tally is damaged: it cannot be read") from error


def _decoded_total(contents: Sequence[bytes]) -> Tally:
    heads = {content[:_HEAD]: None for content in contents}
    layouts = [Layout.decoded(head) for head in heads]
    places = [sums_start(content) for content in contents]
    layout = widest(layouts)
    columns = [GatheredSums() for _ in range(1 + len(VECTORS))]
    for content, first in zip(contents, places, strict=True):
        at = first + 1 + content[first]
        for number in content[first + 1 : at]:
            at = columns[number].read(content, at)
    sizes = (len(SCALARS), *layout.sizes)
    scalars, *vectors = map(GatheredSums.total, columns, sizes)
    return Tally(layout, _unpacked(scalars), tuple(vectors))


def _checksum(head: bytes, body: bytes | memoryview) -> bytes:
    return crc32(body, crc32(head)).to_bytes(_CHECKSUM, "little")


def sums_start(content: bytes) -> int:
    """Where the sums begin in bytes that are as they were written, as far as they can tell.

    Raises:
        DamagedTally: they are not.
    """
    if content[0] == _UNCHECKED:
        return _HEAD
    first = _HEAD + _CHECKSUM
    if content[_HEAD:first] != _checksum(content[:_HEAD], memoryview(content)[first:]):
        raise DamagedTally("a stored tally is damaged: it fails its checksum")
    return first


def _packed(scalars: Sequence[int]) -> BinSums:
    """Scalars as digits in planes, so that they add up like everything else.

    They are shifted so that 1 is in the same plane whatever the units are: fewer planes then.
    """
    shifted = [scalar << up for scalar, up in zip(scalars, _UPS, strict=True)]
    bins = [number for number, scalar in enumerate(shifted) if scalar]
    width = max(-(-scalar.bit_length() // DIGIT) for scalar in shifted)
    raw = b"".join(shifted[number].to_bytes(width * _BYTES, "little") for number in bins)
    digits = np.frombuffer(raw, np.uint8).reshape(len(bins), width, _BYTES)
    planes = []
    for step in np.flatnonzero(digits.any(axis=(0, 2))).tolist():
        size = int(np.flatnonzero(digits[:, step].any(axis=0))[-1]) + 1
        planes.append(Plane(step - _ONES, size, digits[:, step, :size].tobytes()))
    return BinSums(np.array(bins, "<u2").tobytes(), tuple(planes))


def _unpacked(sums: BinSums) -> tuple[int, ...]:
    scalars = [0] * len(SCALARS)
    for plane in sums.planes:
        for place, number in enumerate(sums.indices().tolist()):
            digits = plane.digits[place * plane.width : (place + 1) * plane.width]
            scalars[number] += int.from_bytes(digits, "little") << DIGIT * (plane.step + _ONES)
    return tuple(scalar >> up for scalar, up in zip(scalars, _UPS, strict=True))
