"""Size of an Arrow stream, or of the stream in an Arrow file, once its buffers are decompressed.

A compressed buffer states its inflated length in its first eight bytes. Reading those, through the
few fields of the metadata that lead to them, costs nothing; trusting pyarrow to stop would cost
the memory first: it inflates 33 KB to a gigabyte before anyone can count.
"""

import struct
from collections.abc import Iterator

from kullback.errors import BodyTooLarge, InvalidInput, MalformedBody

_CONTINUATION = 0xFFFFFFFF
_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2
_VERSION_5 = 4
_FILE, _PADDED = b"ARROW1", 8
MAX_MESSAGES = 10_000
NOT_ARROW = "the body is not a valid Arrow IPC stream or file"


def stream_of(body: memoryview) -> memoryview:
    """The stream that a file in the random-access format holds; a stream as it is.

    The footer, which repeats the schema and says where the batches are, is passed over: whoever
    wrote it may have said anything.

    Raises:
        MalformedBody: the file has no end.
    """
    if body[: len(_FILE)] != _FILE:
        return body
    footer = len(body) - len(_FILE) - 4
    if footer < _PADDED or body[footer + 4 :] != _FILE:
        raise MalformedBody("the Arrow file ends too early")
    end = footer - struct.unpack_from("<i", body, footer)[0]
    if not _PADDED <= end <= footer:
        raise MalformedBody("the Arrow file has no footer where its end says")
    return body[_PADDED:end]


def inflated_size(stream: memoryview) -> int:
    """Bytes of all buffers of the stream after decompression.

    Raises:
        MalformedBody: the stream's framing does not hold together.
        BodyTooLarge: it has more messages than anyone needs.
    """
    size = 0
    try:
        for number, (meta, body) in enumerate(_messages(stream)):
            if number > MAX_MESSAGES:
                raise BodyTooLarge(f"the stream has more than {MAX_MESSAGES} batches")
            size += _message_size(stream, meta, body)
    except (struct.error, IndexError, ValueError) as error:
        raise MalformedBody(NOT_ARROW) from error
    return size


def _messages(stream: memoryview) -> Iterator[tuple[int, int]]:
    """Where the metadata and the body of each message begin."""
    at = 0
    while at + 4 <= len(stream):
        (length,) = struct.unpack_from("<I", stream, at)
        at += 4
        if length == _CONTINUATION:
            (length,) = struct.unpack_from("<I", stream, at)
            at += 4
        if length == 0:
            return
        body = at + length
        root = _table(stream, at)
        yield root, body
        size_field = _field(stream, root, 3)
        size = struct.unpack_from("<q", stream, size_field)[0] if size_field else 0
        if size < 0:
            raise ValueError(size)
        at = body + size


def _table(stream: memoryview, at: int) -> int:
    """The table that a flatbuffer offset at `at` leads to."""
    table: int = at + struct.unpack_from("<I", stream, at)[0]
    return table


def _field(stream: memoryview, table: int, number: int) -> int:
    """Where a field of a flatbuffer table stands; 0 where it is left out."""
    vtable = table - struct.unpack_from("<i", stream, table)[0]
    if vtable < 0:
        raise ValueError(vtable)
    (size,) = struct.unpack_from("<H", stream, vtable)
    slot = 4 + 2 * number
    if slot >= size:
        return 0
    (offset,) = struct.unpack_from("<H", stream, vtable + slot)
    return table + offset if offset else 0


def _refuse_early_compression(stream: memoryview, root: int) -> None:
    """Before version 5 a word in a message's own metadata could say that it is compressed."""
    version_field = _field(stream, root, 0)
    version = struct.unpack_from("<h", stream, version_field)[0] if version_field else 0
    if version < _VERSION_5 and _field(stream, root, 4):
        raise ValueError(version)


def _message_size(stream: memoryview, root: int, body: int) -> int:
    _refuse_early_compression(stream, root)
    kind_field, header_field = _field(stream, root, 1), _field(stream, root, 2)
    if not kind_field or not header_field:
        return 0
    kind, batch = stream[kind_field], _table(stream, header_field)
    if kind == _DICTIONARY_BATCH:
        data, delta = _field(stream, batch, 1), _field(stream, batch, 2)
        if delta and stream[delta]:  # each would be joined to all before it once more
            raise InvalidInput("dictionaries that grow (deltas) are not read: send them whole")
        if not data:
            return 0
        batch = _table(stream, data)
    elif kind != _RECORD_BATCH:
        return 0
    buffers, compression = _field(stream, batch, 2), _field(stream, batch, 3)
    if not buffers:
        return 0
    vector = _table(stream, buffers)
    (count,) = struct.unpack_from("<I", stream, vector)
    if vector + 4 + 16 * count > len(stream):
        raise ValueError(count)
    return sum(
        _buffer_size(stream, vector + 4 + 16 * i, body, compressed=bool(compression))
        for i in range(count)
    )


def _buffer_size(stream: memoryview, at: int, body: int, *, compressed: bool) -> int:
    offset, length = struct.unpack_from("<qq", stream, at)
    if not compressed or length < 8:
        return int(max(length, 0))
    start = body + offset
    if offset < 0 or start + 8 > len(stream):
        raise ValueError(offset)
    (inflated,) = struct.unpack_from("<q", stream, start)
    return int(length if inflated < 0 else inflated)
