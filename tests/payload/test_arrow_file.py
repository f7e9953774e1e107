"""Arrow files are read from their beginning, and what their footer says is nothing to us."""

import struct

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from kullback.errors import MalformedBody
from kullback.payload.arrow import parse_arrow
from kullback.payload.media import ARROW, ARROW_FILE, JSON
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_arrow_file, as_json
from tests.payload.child import CAP, COLUMNS, growth, in_child, outcome

pytestmark = pytest.mark.untraced

FIELDS = {"y_true": ["a", "b", "a"], "y_proba": [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]}
LABELS = {"labels": ["a", "b"]}
TABLE = pa.table(FIELDS | {"y_true": pa.array(FIELDS["y_true"]).dictionary_encode()})
EXPECTED = answer("log-loss", as_json(FIELDS | LABELS), JSON, {})
END = len("ARROW1")


@pytest.mark.parametrize("media_type", [ARROW, ARROW_FILE])
@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_a_file_gives_the_same_bytes_whatever_its_type_is_called(
    media_type: str, codec: str | None
) -> None:
    for table in (TABLE, TABLE.to_batches(max_chunksize=2)):
        raw = as_arrow_file(table, compression=codec)
        assert raw.startswith(b"ARROW1")
        assert answer("log-loss", raw, media_type, LABELS) == EXPECTED


def test_a_stream_may_be_called_a_file() -> None:
    assert answer("log-loss", as_arrow(TABLE), ARROW_FILE, LABELS) == EXPECTED


def test_a_feather_file_is_an_arrow_file() -> None:
    sink = pa.BufferOutputStream()
    feather.write_feather(TABLE, sink)
    assert answer("log-loss", sink.getvalue().to_pybytes(), ARROW_FILE, LABELS) == EXPECTED


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_gigabyte_in_a_small_file_is_refused_in_little_memory(codec: str) -> None:
    bomb = as_arrow_file(pa.table({"y_proba": np.zeros(1 << 27)}), compression=codec)
    assert len(bomb) < 5 << 20
    found = in_child(growth, "arrow file", bomb)
    assert isinstance(found, tuple)
    assert found[0] == "BodyTooLarge"
    assert found[1] < (24 << 20) + len(bomb)


@pytest.mark.parametrize("length", [-1, -(2**31), 2**31 - 1, 1 << 20])
def test_a_footer_that_cannot_be_where_the_file_says_is_refused(length: int) -> None:
    raw = bytearray(as_arrow_file(TABLE))
    struct.pack_into("<i", raw, len(raw) - END - 4, length)
    with pytest.raises(MalformedBody, match="footer"):
        parse_arrow(raw, COLUMNS, CAP)


def test_a_file_without_its_end_is_refused() -> None:
    raw = as_arrow_file(TABLE)
    assert outcome("arrow file", raw[:-1]) == "MalformedBody"
    assert outcome("arrow file", b"ARROW1") == "MalformedBody"
    assert outcome("arrow file", b"ARROW1ARROW1") == "MalformedBody"


def test_whatever_the_footer_says_the_batches_are_those_of_the_file() -> None:
    raw = bytearray(as_arrow_file(TABLE))
    (length,) = struct.unpack_from("<i", raw, len(raw) - END - 4)
    footer = len(raw) - END - 4 - length
    raw[footer : footer + length] = b"\xff" * length
    assert answer("log-loss", bytes(raw), ARROW_FILE, LABELS) == EXPECTED
