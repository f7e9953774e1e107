"""Small bodies that are large once they are read: refused in little memory and little time."""

import gzip
import resource
from collections.abc import Iterator
from time import process_time

import httpx
import numpy as np
import pyarrow as pa
import pytest

from kullback.errors import BodyTooLarge
from kullback.payload import json_object, ndjson
from kullback.payload.arrow import parse_arrow
from kullback.payload.body import Body
from kullback.payload.columns import Column, EntryType
from kullback.payload.media import JSON
from kullback.payload.room import ALWAYS
from kullback.requests.batches import LabelBatch
from kullback.requests.reading import read_batch
from tests.payload.bodies import as_arrow, as_parquet
from tests.payload.bombs import LONG, SMALL, one_dictionary
from tests.payload.child import COLUMNS, growths, in_child, outcome
from tests.payload.fire import MONITOR, cost
from tests.serving import Served, serving

MIB = 1 << 20
CAP = 64 * MIB


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as service:
        resource.prlimit(service.process.pid, resource.RLIMIT_AS, (8 << 30, 8 << 30))
        httpx.put(service.address + MONITOR, json={}).raise_for_status()
        yield service


@pytest.mark.parametrize("name", SMALL)
def test_a_bomb_is_refused_for_what_it_costs(served: Served, name: str) -> None:
    bomb = SMALL[name]()
    cost(served, bomb).check(bomb)


def test_a_text_in_a_file_is_counted_before_it_is_made() -> None:
    names = (
        "a long text that many codes stand for",
        "a long text that codes in lists stand for",
        "texts that begin alike",
    )
    read = in_child(growths, "parquet", [SMALL[name]().body for name in names], CAP)
    assert isinstance(read, tuple)
    assert read[0] == ["read", "read", "BodyTooLarge"]  # a list of one text is a label
    assert read[1] < 3 * CAP


def test_texts_that_begin_alike_are_read_where_they_fit() -> None:
    texts = [f"{'x' * 50}{number}" for number in range(5_000)]
    raw = as_parquet(
        pa.table({"y_true": texts, "y_proba": np.full(5_000, 0.5)}),
        use_dictionary=False,
        column_encoding={"y_true": "DELTA_BYTE_ARRAY"},
    )
    assert outcome("parquet", raw) == "read"


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
@pytest.mark.parametrize("count", [CAP // 8, CAP // 8 + 1])
def test_a_flag_is_counted_as_the_number_that_it_becomes(kind: str, count: int) -> None:
    table = pa.table({"y_proba": np.zeros(count, bool)})
    raw = as_arrow(table) if kind == "arrow" else as_parquet(table)
    assert outcome(kind, raw, CAP) == ("read" if 8 * count <= CAP else "BodyTooLarge")


def test_columns_count_together() -> None:
    table = pa.table({name: np.zeros(1000, np.int8) for name in ("y_true", "sample_weight")})
    assert outcome("arrow", as_arrow(table), 16_000) == "read"
    assert outcome("arrow", as_arrow(table), 15_999) == "BodyTooLarge"


@pytest.mark.parametrize("distinct", [10, 20_000])
def test_texts_of_a_stream_count_once_each(distinct: int) -> None:
    texts = [f"user-{number % distinct}" for number in range(20_000)]
    raw = as_arrow(pa.table({"y_true": texts}))
    size = 8 * 20_000 + distinct * 64
    assert outcome("arrow", raw, max(size, len(raw)) + 100_000) == "read"
    assert outcome("arrow", raw, 8 * 20_000 + distinct * 40) == "BodyTooLarge"


LISTS = {  # bodies of 20,000 entries
    "numbers": (EntryType.NUMBER, "0", 8),
    "labels that end in a share": (EntryType.LABEL, "1", 8),
    "texts": (EntryType.LABEL, '"a"', 8),
    "flags": (EntryType.VALUE, "true", 8),
    "rows of nothing": (EntryType.NUMBER, "[]", 8),
    "rows of one": (EntryType.NUMBER, "[1]", 16),
}


@pytest.mark.parametrize("name", LISTS)
def test_entries_of_json_are_counted(name: str) -> None:
    entry, item, each = LISTS[name]
    items = [item] * 50_000
    if name.endswith("share"):
        items[-1] = "0.5"
    body = bytearray(b'{"p":[' + ",".join(items).encode() + b"]}")
    columns = {"p": Column(entry, 2, ragged=item[0] == "[")}
    json_object.parse(body, columns, each * 50_000 + 1000)
    with pytest.raises(BodyTooLarge):
        json_object.parse(body, columns, each * 50_000 - 1)


@pytest.mark.parametrize(("value", "each"), [("0.5", 8), ('"a"', 8), ("[1,2,3]", 24)])
def test_entries_of_lines_are_counted(value: str, each: int) -> None:
    entry = EntryType.LABEL if value[0] == '"' else EntryType.NUMBER
    columns = {"p": Column(entry, 2)}
    body = bytearray(f'{{"p":{value}}}\n'.encode() * 20_000)
    ndjson.parse(body, columns, each * 20_000 + 1000)
    with pytest.raises(BodyTooLarge):
        ndjson.parse(body, columns, each * 20_000 - 1)


def test_batches_that_share_a_dictionary_are_one_however_many_they_are() -> None:
    labels = pa.array(["b", "a", "b", "c"]).dictionary_encode()
    ordered = pa.DictionaryArray.from_arrays(labels.indices, labels.dictionary, ordered=True)
    for text in (labels, ordered):
        table = pa.table({"y_true": text})
        raw = as_arrow(table.to_batches(max_chunksize=1))
        assert parse_arrow(bytearray(raw), COLUMNS, MIB) == {"y_true": ["b", "a", "b", "c"]}


def test_a_body_becomes_so_many_times_what_was_sent() -> None:
    rows = b'{"id":["a"],"y_true":[1]' + b" " * (2 * ALWAYS) + b"}"
    small, large = gzip.compress(rows), gzip.compress(rows[: ALWAYS // 2] + b"}")
    with pytest.raises(BodyTooLarge):
        read_batch(Body(bytearray(small), JSON, "gzip"), [], LabelBatch, CAP)
    assert read_batch(Body(bytearray(large), JSON, "gzip"), [], LabelBatch, CAP).id == ["a"]


def test_a_dictionary_is_worked_on_once_however_many_batches_have_it() -> None:
    def seconds(batches: int) -> float:
        raw = bytearray(one_dictionary(batches, 200_000))
        before = process_time()
        parse_arrow(raw, COLUMNS, CAP)
        return process_time() - before

    seconds(1)
    assert seconds(1000) < 4 * seconds(1) + 0.25


def test_a_longer_text_costs_more_than_a_short_one() -> None:
    raw = as_parquet(pa.table({"y_true": [LONG + str(number) for number in range(4)]}))
    assert outcome("parquet", raw, 16 * MIB) == "read"
    assert outcome("parquet", raw, 3 * MIB) == "BodyTooLarge"
