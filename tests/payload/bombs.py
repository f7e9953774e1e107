"""Bodies that are small as they are sent and large once they are read."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from tests.payload.bodies import as_arrow, as_parquet

MONITOR = "/v1/monitors/clicks"
LONG = "x" * (1 << 20)
MANY = 1 << 16


class Bomb(NamedTuple):
    """A request that asks for far more than it sends."""

    path: str
    media_type: str
    encoding: str
    body: bytes


def _coded(values: pa.Array, **options: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    n = len(values)
    table = pa.table({"y_true": values, "y_proba": np.full(n, 0.5)})
    return as_parquet(table, compression="zstd", store_schema=False, **options)


def _dictionary_string() -> bytes:
    codes = pa.array(np.zeros(MANY, np.int32))
    text = pa.DictionaryArray.from_arrays(codes, pa.array([LONG]))
    return _coded(text)


def _listed_string() -> bytes:
    codes = pa.array(np.zeros(MANY, np.int32))
    text = pa.DictionaryArray.from_arrays(codes, pa.array([LONG]))
    lists = pa.FixedSizeListArray.from_arrays(text, 1)
    return _coded(lists)


def _shared_beginnings() -> bytes:
    encoding = {"y_true": "DELTA_BYTE_ARRAY"}
    return _coded(pa.array([LONG] * 256), use_dictionary=False, column_encoding=encoding)


def _runs(count: int) -> bytes:
    table = pa.table({"y_true": np.zeros(count, bool), "y_proba": np.zeros(count)})
    return as_parquet(table, compression="zstd", row_group_size=count)


def _flags(count: int, codec: str | None = "zstd") -> bytes:
    return as_arrow(pa.table({"y_true": pa.array(np.zeros(count, bool))}), compression=codec)


def _batches(count: int, names: Callable[[int], list[str]]) -> bytes:
    """As many batches, each with a dictionary of its own."""
    schema = pa.schema({"y_true": pa.dictionary(pa.int32(), pa.string()), "y_proba": pa.float64()})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        for number in range(count):
            text = pa.array(names(number)).dictionary_encode()
            rows = pa.array(np.full(len(text), 0.5))
            writer.write_batch(pa.record_batch([text, rows], schema=schema))
    return sink.getvalue()


def one_dictionary(count: int, size: int) -> bytes:
    """As many batches of one row, and a dictionary of so many texts that all of them share."""
    texts = pa.array([f"{number:015}" for number in range(size)])
    schema = pa.schema({"y_true": pa.dictionary(pa.int32(), pa.string()), "y_proba": pa.float64()})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        text = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), texts)
        for _ in range(count):
            writer.write_batch(pa.record_batch([text, pa.array([0.5])], schema=schema))
    return sink.getvalue()


def _growing(count: int, size: int) -> bytes:
    """A dictionary that grows by a text with each batch."""
    schema = pa.schema({"y_true": pa.dictionary(pa.int32(), pa.string()), "y_proba": pa.float64()})
    texts = [f"{number:015}" for number in range(size + count)]
    sink, options = io.BytesIO(), pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        for number in range(count):
            text = pa.DictionaryArray.from_arrays(
                pa.array([0], pa.int32()), pa.array(texts[: size + number])
            )
            writer.write_batch(pa.record_batch([text, pa.array([0.5])], schema=schema))
    return sink.getvalue()


def _fields(count: int) -> bytes:
    return b"{" + b",".join(b'"%d":0' % number for number in range(count)) + b"}"


def _list(item: bytes, count: int) -> bytes:
    return b'{"y_proba":[' + b",".join([item] * count) + b"]}"


def _rows(count: int) -> bytes:
    return b'{"mask":[' + b",".join([b"[]"] * count) + b"]}"


def _texts(count: int) -> bytes:
    return json.dumps({"y_true": [f"{n:x}" for n in range(count)]}, separators=(",", ":")).encode()


def _lines(count: int, width: int) -> bytes:
    line = b'{"y_true":1,"y_proba":[' + b",".join([b"0"] * width) + b"]}\n"
    return line * count


SCORE = "/v1/scores/log-loss"
ROWS = f"{MONITOR}/observations"
Maker = Callable[[], Bomb]


def _bomb(path: str, media_type: str, make: Callable[..., bytes], *arguments: Any) -> Maker:  # noqa: ANN401
    return lambda: Bomb(path, media_type, "identity", make(*arguments))


def _zipped(path: str, media_type: str, make: Callable[..., bytes], *arguments: Any) -> Maker:  # noqa: ANN401
    return lambda: Bomb(path, media_type, "gzip", gzip.compress(make(*arguments), 1))


SMALL: dict[str, Maker] = {
    "a long text that many codes stand for": _bomb(ROWS, PARQUET, _dictionary_string),
    "a long text that many codes stand for, scored": _bomb(SCORE, PARQUET, _dictionary_string),
    "a long text that codes in lists stand for": _bomb(ROWS, PARQUET, _listed_string),
    "texts that begin alike": _bomb(ROWS, PARQUET, _shared_beginnings),
    "runs of flags": _bomb(SCORE, PARQUET, _runs, 32_000_000),
    "flags, compressed": _zipped(SCORE, ARROW, _flags, 48_000_000, None),
    "flags, compressed twice": _zipped(ROWS, ARROW, _flags, 400_000_000),
    "unknown fields": _zipped(SCORE, JSON, _fields, 300_000),
    "unknown fields for a monitor": _zipped(ROWS, JSON, _fields, 300_000),
    "millions of numbers, compressed": _zipped(SCORE, JSON, _list, b"0", 8_000_000),
    "lines of many numbers, compressed": _zipped(ROWS, LINES[0], _lines, 20, 100_000),
    "a dictionary for every batch": _bomb(ROWS, ARROW, _batches, 1_000, lambda n: [str(n)]),
    "a dictionary that grows": _bomb(ROWS, ARROW, _growing, 30, 20_000),
    "one dictionary of many batches": _bomb(ROWS, ARROW, one_dictionary, 5_000, 200_000),
}
LARGE: dict[str, Maker] = {
    "a million unknown fields": _zipped(SCORE, JSON, _fields, 1_000_000),
    "thirty million numbers, compressed": _zipped(SCORE, JSON, _list, b"0", 30_000_000),
    "thirty million numbers": _bomb(SCORE, JSON, _list, b"0", 30_000_000),
    "lists of nothing": _bomb("/v1/scores/perplexity", JSON, _rows, 20_000_000),
    "millions of texts": _bomb(SCORE, JSON, _texts, 7_000_000),
    "lines of many numbers": _bomb(ROWS, LINES[0], _lines, 300, 100_000),
    "flags": _bomb(SCORE, ARROW, _flags, 400_000_000, None),
    "a dictionary for every batch of many": _bomb(ROWS, ARROW, _batches, 100_000, lambda _: [""]),
    "one large dictionary of many batches": _bomb(ROWS, ARROW, one_dictionary, 9_900, 2_000_000),
}
