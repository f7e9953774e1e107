"""Size of a Parquet file once its pages are decompressed.

The footer says where pages are, and each page how large it becomes and how many values it holds,
in Thrift's compact protocol. It is read here because pyarrow inflates a page before anyone can
count, and because its view of a column's footer ends the process if its statistics do not fit.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kullback.errors import BodyTooLarge, MalformedBody

MAX_FOOTER = 1 << 20
MAX_HEADERS = 1 << 21  # of all pages together: some 40,000 pages
_MAX_DEPTH = 16
_MAGIC = b"PAR1"

_TRUE, _FALSE, _BYTE, _I32, _I64, _DOUBLE, _BINARY = 1, 2, 3, 5, 6, 7, 8
_LIST, _SET, _MAP, _STRUCT, _UUID = 9, 10, 11, 12, 13

_VALUE = 8  # bytes of a value once it is read: run lengths hide many in few bytes
_DATA = {(5, _STRUCT): (2, _I32), (8, _STRUCT): (4, _I32)}  # data pages: where the encoding stands
_DIFFERENCES = (6, 7)  # encodings of texts that have no codes, DELTA_(LENGTH_)BYTE_ARRAY
_ROWS = 1 << 20  # at once: each has a copy of the texts that its codes stand for

# A field is named by its number and its type, since pyarrow passes over one of another type.
Field = tuple[int, int]
Value = int | list["Value"] | dict[Field, "Value"]
Struct = dict[Field, Value]


class PageSummary(NamedTuple):
    """What the pages of a file say of how it can be read in little memory."""

    rows_at_once: int
    coded: bool  # whether every text may stay what its code stands for


def check_size(file: memoryview, cap: int) -> PageSummary:
    """Refuse a file whose values, or whose pages once inflated, take more than `cap` bytes.

    Raises:
        MalformedBody: its footer or a page header does not hold together.
        BodyTooLarge: it is larger than that, or its footer and headers are than anyone's need be.
    """
    try:
        groups = [_structs(group, (1, _LIST)) for group in _structs(_footer(file), (4, _LIST))]
        columns = [_struct(chunk.get((3, _STRUCT))) for group in groups for chunk in group]
        largest, coded = _check_pages(file, columns, cap)
        # a text without a code may be as long as its page, and stand in every row of it
        row = largest * max(map(len, groups), default=1)
        return PageSummary(_ROWS if coded else max(1, cap // max(row, 1)), coded)
    except (IndexError, ValueError) as error:
        raise MalformedBody("the body is not a valid Parquet file") from error


def _footer(file: memoryview) -> Struct:
    if len(file) < 12 or file[:4] != _MAGIC or file[-4:] != _MAGIC:
        raise ValueError(len(file))
    length = int.from_bytes(file[-8:-4], "little")
    if length > MAX_FOOTER:
        raise BodyTooLarge(f"the file's footer is larger than {MAX_FOOTER} bytes")
    if length > len(file) - 12:
        raise ValueError(length)
    return _Reader(file, len(file) - 8 - length).struct()


def _check_pages(file: memoryview, columns: list[Struct], cap: int) -> tuple[int, bool]:
    """The size of the largest page, and whether every text has a code or stands there plainly."""
    inflated = values = read = largest = 0
    coded = True
    for page, size in (each for column in columns for each in _pages(file, column)):
        becomes = _number(page, (2, _I32))
        inflated, largest = inflated + becomes, max(largest, becomes)
        read += size
        for kind in _DATA.keys() & page.keys():
            head = _struct(page[kind])
            values += _VALUE * _number(head, (1, _I32))
            coded = coded and _number(head, _DATA[kind]) not in _DIFFERENCES
        if max(inflated, values) > cap:
            raise BodyTooLarge(f"the file takes more than {cap} bytes when it is read")
        if read > MAX_HEADERS:
            raise BodyTooLarge(f"the file's page headers are larger than {MAX_HEADERS} bytes")
    return largest, coded


def _pages(file: memoryview, column: Struct) -> Iterator[tuple[Struct, int]]:
    """The header of each page of a column, where pyarrow looks for them, and its size."""
    if _number(column, (5, _I64)) == 0:
        return
    at = _number(column, (9, _I64))
    if 0 < _number(column, (11, _I64)) < at:
        at = _number(column, (11, _I64))
    end = at + _number(column, (7, _I64))
    if end > len(file):
        raise ValueError(end)
    while at < end:
        reader = _Reader(file[at : at + MAX_HEADERS], 0)
        page = reader.struct()
        yield page, reader.at
        at += reader.at + _number(page, (3, _I32))
    if at > end:
        raise ValueError(at)


def _number(struct: Struct, field: Field) -> int:
    """A field that counts something; 0 where it is left out."""
    value = struct.get(field, 0)
    if not isinstance(value, int) or value < 0:
        raise ValueError(field)
    return value


def _struct(value: Value | None) -> Struct:
    if not isinstance(value, dict):
        raise ValueError(value)  # noqa: TRY004 - the bytes are wrong, not our types
    return value


def _structs(struct: Struct, field: Field) -> list[Struct]:
    value = struct.get(field, [])
    if not isinstance(value, list):
        raise ValueError(field)  # noqa: TRY004 - see _struct
    return [_struct(item) for item in value]


class _Reader:
    """Thrift's compact protocol from a place on; texts are passed over."""

    def __init__(self, raw: memoryview, at: int) -> None:
        self.at = at
        self._raw = raw
        self._depth = 0

    def struct(self) -> Struct:
        """The fields of a struct by their numbers."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(self._depth)
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._integer(32)
            if not 0 <= number < 1 << 15 or (number, kind) in fields:
                raise ValueError(number)  # readers differ in what they make of it
            fields[number, kind] = kind if kind in (_TRUE, _FALSE) else self._value(kind)
        self._depth -= 1
        return fields

    def _value(self, kind: int) -> Value:
        if kind in (_TRUE, _FALSE, _BYTE):  # within a list a boolean takes a byte
            return self._byte()
        if kind <= _I64:
            return self._integer(64 if kind == _I64 else 32)
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            return self._list()
        if kind == _MAP:
            return self._map()
        sizes = {_DOUBLE: 8, _UUID: 16}
        size = self._varint() if kind == _BINARY else sizes.get(kind)
        if size is None or size > len(self._raw) - self.at:
            raise ValueError(kind)
        self.at += size
        return 0

    def _list(self) -> Value:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        self._depth += 1
        if self._depth > _MAX_DEPTH or size > len(self._raw) - self.at:
            raise ValueError(size)
        items = [self._value(head & 15) for _ in range(size)]
        self._depth -= 1
        return items

    def _map(self) -> Value:
        size = self._varint()
        kinds = self._byte() if size else 0
        self._depth += 1
        if self._depth > _MAX_DEPTH or size > len(self._raw) - self.at:
            raise ValueError(size)
        for _ in range(size):
            self._value(kinds >> 4)
            self._value(kinds & 15)
        self._depth -= 1
        return 0

    def _integer(self, size: int) -> int:
        number = self._varint()
        if number >> size:
            raise ValueError(number)
        return (number >> 1) ^ -(number & 1)

    def _varint(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
        raise ValueError(number)

    def _byte(self) -> int:
        byte = self._raw[self.at]
        self.at += 1
        return byte
