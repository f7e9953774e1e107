"""What an Arrow stream inflates to is known before it is inflated, whatever its buffers claim."""

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import MalformedBody
from kullback.payload.arrow import parse_arrow
from kullback.payload.arrow_size import inflated_size
from tests.payload.bodies import as_arrow, as_parquet
from tests.payload.child import CAP, COLUMNS, growth, in_child, outcome, seeds

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=300)
GIB = 1 << 30
LITTLE = 24 << 20


def zeros(count: int) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.table({"y_proba": np.zeros(count)})


def size(raw: bytes) -> int:
    return inflated_size(memoryview(raw))


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_buffers_count_as_what_they_become(codec: str) -> None:
    plain, packed = as_arrow(zeros(100_000)), as_arrow(zeros(100_000), compression=codec)
    assert len(packed) < 10_000
    assert size(packed) == 800_000
    assert 800_000 <= size(plain) <= len(plain)


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_dictionaries_and_all_batches_count(codec: str | None) -> None:
    names = pa.array(["a" * 1000, "b" * 1000] * 50).dictionary_encode()
    table = pa.table({"y_true": names, "y_proba": np.zeros(100)})
    one = size(as_arrow(table, compression=codec))
    two = size(as_arrow(table.to_batches(max_chunksize=50), compression=codec))
    assert one >= 2000 + 100 * 4 + 800
    assert two >= one - 16


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_gigabyte_in_few_bytes_is_refused_in_little_memory(codec: str) -> None:
    bomb = as_arrow(zeros(GIB // 8), compression=codec)
    assert len(bomb) < 5 << 20
    found = in_child(growth, "arrow", bomb)
    assert isinstance(found, tuple)
    assert found[0] == "BodyTooLarge"
    assert found[1] < LITTLE + len(bomb)


def early_with_word(count: int) -> bytes:
    """A stream of before version 5, where a word in the message says that it is compressed."""
    batch = zeros(count).to_batches()[0]
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata={"ARROW:experimental_compression": "zstd"})
    raw = bytearray(sink.getvalue().to_pybytes())
    at = raw.index(b"\xff\xff\xff\xff", 8)
    root = at + 8 + struct.unpack_from("<I", raw, at + 8)[0]
    table = root - struct.unpack_from("<i", raw, root)[0]
    header = root + struct.unpack_from("<H", raw, table + 4 + 2 * 2)[0]
    inner = header + struct.unpack_from("<I", raw, header)[0]
    slots = inner - struct.unpack_from("<i", raw, inner)[0]
    struct.pack_into("<H", raw, slots + 4 + 2 * 3, 0)  # the batch itself no longer does
    return bytes(raw)


def test_compression_as_it_was_said_before_version_5_is_refused() -> None:
    with pytest.raises(MalformedBody):
        size(early_with_word(1000))
    found = in_child(growth, "arrow", early_with_word(GIB // 8))
    assert isinstance(found, tuple)
    assert found[0] == "MalformedBody"
    assert found[1] < LITTLE


def test_streams_of_before_version_5_are_read_otherwise() -> None:
    raw = as_arrow(zeros(10), metadata_version=pa.ipc.MetadataVersion.V4)
    assert outcome("arrow", raw) == "read"


@pytest.mark.parametrize("claim", [0, 1, 7, 799_999, 800_001, 1 << 40, 2**63 - 1, -1, -2, -(2**63)])
def test_a_forged_length_is_refused(claim: int) -> None:
    raw = bytearray(as_arrow(zeros(100_000), compression="zstd"))
    at = raw.index(struct.pack("<q", 800_000))
    struct.pack_into("<q", raw, at, claim)
    assert outcome("arrow", bytes(raw)) in {"MalformedBody", "BodyTooLarge"}


@law
@given(st.integers(0, 8), st.data())
def test_any_change_leaves_a_size_or_a_refusal(number: int, data: st.DataObject) -> None:
    raw = bytearray(seeds("arrow")[number])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    try:
        found = size(bytes(raw))
    except MalformedBody:
        return
    assert found >= 0


@law
@given(st.binary(max_size=200))
def test_garbage_has_a_size_or_is_malformed(raw: bytes) -> None:
    try:
        found = size(b"\xff\xff\xff\xff" + raw)
    except MalformedBody:
        return
    assert found >= 0


def test_the_size_is_known_of_what_is_read() -> None:
    for seed in seeds("arrow"):
        assert size(seed) <= CAP
        parse_arrow(bytearray(seed), COLUMNS, CAP)


def varint(number: int, length: int) -> bytes:
    """A Thrift integer, written longer than it needs to be."""
    shifts = range(0, 7 * length, 7)
    parts = [(2 * number >> shift & 127) | 128 for shift in shifts]
    return bytes([*parts[:-1], parts[-1] & 127])


def lying(count: int, codec: str) -> bytes:
    """A Parquet file of one page of zeros, whose footer says that it holds one."""
    table = pa.table({"y_proba": np.zeros(count)})
    options = {"use_dictionary": False, "write_statistics": False, "store_schema": False}
    sizes = {"row_group_size": count, "data_page_size": 1 << 30, "max_rows_per_page": count}
    raw = as_parquet(table, compression=codec, write_batch_size=count, **options, **sizes)
    start = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    footer = raw[start:-8]
    truth = varint(count, 4)
    assert footer.count(truth) >= 2
    return raw[:start] + footer.replace(truth, varint(1, 4)) + raw[-8:]


@pytest.mark.parametrize("codec", ["zstd", "gzip"])
def test_a_page_larger_than_the_footer_says_is_refused_in_little_memory(codec: str) -> None:
    bomb = lying(16_000_000, codec)
    assert len(bomb) < 200_000
    found = in_child(growth, "parquet", bomb)
    assert isinstance(found, tuple)
    assert found[0] == "BodyTooLarge"
    assert found[1] < LITTLE


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_pages_of_every_sort_are_counted(codec: str, version: str) -> None:
    table = pa.table({"y_proba": np.sin(np.arange(50_000)) ** 2, "y_true": ["a", "b"] * 25_000})
    raw = as_parquet(table, compression=codec, data_page_version=version, row_group_size=20_000)
    assert outcome("parquet", raw) == "read"
    assert outcome("parquet", raw, 900_000) == "read"
    assert outcome("parquet", raw, 400_000) == "BodyTooLarge"
    assert outcome("parquet", raw, 49_999) == "BodyTooLarge"


def test_footers_and_headers_larger_than_anyone_needs_are_refused() -> None:
    table = zeros(10).replace_schema_metadata({"word": "x" * (1 << 20)})
    assert outcome("parquet", as_parquet(table)) == "BodyTooLarge"
    pages = as_parquet(zeros(200_000), max_rows_per_page=1, write_batch_size=1, compression="none")
    assert outcome("parquet", pages, 1 << 26) == "BodyTooLarge"


@pytest.mark.parametrize("length", [0, 1, 12, 1 << 19, 1 << 31, 2**32 - 1])
def test_a_footer_of_another_length_is_refused(length: int) -> None:
    raw = as_parquet(zeros(10))
    forged = raw[:-8] + length.to_bytes(4, "little") + raw[-4:]
    assert outcome("parquet", forged) in {"MalformedBody", "BodyTooLarge"}


def test_deep_structs_do_not_exhaust_the_stack() -> None:
    footer = b"\x1c" * 100_000
    raw = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert outcome("parquet", raw) == "MalformedBody"
    footer = b"\x19" + b"\x19" * 100_000
    raw = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert outcome("parquet", raw) == "MalformedBody"


def disguised(field: bytes, disguise: bytes) -> bytes:
    """A lying file, in whose footer another field follows the first that looks like this."""
    bomb = lying(16_000_000, "zstd")
    start = len(bomb) - 8 - int.from_bytes(bomb[-8:-4], "little")
    footer = bomb[start:-8]
    changed = footer.replace(field, field + disguise, 1)
    return bomb[:start] + changed + len(changed).to_bytes(4, "little") + bomb[-4:]


DISGUISES = {
    "another type": b"\x05\x0e\x00",
    "a number of more than 15 bits": b"\x06\x8e\x80\x08\x00",
    "the same number again": b"\x06\x0e\x00",
    "a value of more than 32 bits": b"\x05\x0e\x80\x80\x80\x80\x10",
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_second_field_hides_the_first(disguise: str) -> None:
    # In the column's metadata: 16 is the head of an i64 one field on, and 7 the compressed size.
    plain = lying(16_000_000, "zstd")
    start = len(plain) - 8 - int.from_bytes(plain[-8:-4], "little")
    size = pq.ParquetFile(pa.BufferReader(plain)).metadata.row_group(0).column(0)
    field = b"\x16" + varint(size.total_compressed_size, _length(size.total_compressed_size))
    assert field in plain[start:]
    found = in_child(growth, "parquet", disguised(field, DISGUISES[disguise]))
    assert isinstance(found, tuple)
    assert found[0] in {"BodyTooLarge", "MalformedBody"}
    assert found[1] < LITTLE


def _length(number: int) -> int:
    return ((2 * number).bit_length() + 6) // 7
